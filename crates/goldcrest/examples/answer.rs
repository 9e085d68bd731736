//! Answers a question with a model file: `cargo run --release -p goldcrest --example answer -- MODEL.gguf "Why is the sky blue?"`

use std::io::Write;

use goldcrest::prompt::RenderInput;
use goldcrest::{Event, LoadOptions, Prompt, Request};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: answer MODEL.gguf QUESTION [ADAPTER]")?;
    let question = args.next().ok_or("usage: answer MODEL.gguf QUESTION [ADAPTER]")?;
    let adapter = args.next().unwrap_or_default();
    pollster::block_on(async {
        let options = LoadOptions { adapter, ..LoadOptions::default() };
        let engine = goldcrest::load(&path, &options, &mut |_, _, _| {}).await?;
        let messages = serde_json::json!([{ "role": "user", "content": question }]);
        let chat = RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() };
        let request = Request { max_tokens: Some(64), ..Request::greedy(Prompt::Chat(Box::new(chat))) };
        let mut session = engine.session();
        let mut generation = session.generate(request)?;
        while let Some(event) = generation.next().await? {
            if let Event::Token(token) = event {
                print!("{}", token.text);
                std::io::stdout().flush()?;
            }
        }
        let stats = generation.stats()?;
        println!(
            "\n{} tokens, {:.1} tok/s",
            stats.decode_tokens,
            stats.decode_tokens as f64 * 1e3 / stats.decode_ms
        );
        println!("{stats:?}");
        Ok(())
    })
}
