//! `cargo run --release -p goldcrest --example identifiers -- model.gguf`: code whose members exist.
//!
//! A monitor is asked behind every token. Behind `user.` it names the members that a user has, as a language server would; what the
//! model writes there is one of them.

use std::sync::Arc;

use goldcrest::grammar::{MonitorConstraint, Vocabulary};
use goldcrest::{Event, LoadOptions, Prompt, Request};

const MEMBERS: [&str; 3] = ["full_name", "date_of_birth", "shoe_size"];

fn members(text: &str, _tokens: &[u32]) -> Option<Vec<String>> {
    text.ends_with("user.").then(|| MEMBERS.map(str::to_owned).to_vec())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name a model file")?;
    pollster::block_on(async {
        let engine = goldcrest::load(path, &LoadOptions::default(), &mut |_, _, _| {}).await?;
        let vocabulary = Vocabulary::new(Arc::clone(engine.text().tokenizer()))?;
        let prompt =
            "def greet(user):\n    print(\"Hello \" + user.full_name)\n\ndef describe(user):\n    print(";
        let request = Request {
            constraint: Some(Box::new(MonitorConstraint::new(&vocabulary, Box::new(members)))),
            max_tokens: Some(40),
            ..Request::greedy(Prompt::Text { text: prompt.to_owned(), parse_special: false })
        };
        let mut session = engine.session();
        let mut generation = session.generate(request)?;
        print!("{prompt}");
        while let Some(event) = generation.next().await? {
            match event {
                Event::Token(token) => print!("{}", token.text),
                Event::End { text, .. } => println!("{text}"),
                _ => {}
            }
        }
        Ok(())
    })
}
