//! What samplers do to a real model's text, as tables:
//! `cargo run --release -p goldcrest-decode --example in_kind_samplers -- MODEL.gguf [cpu|gpu]`.

use std::error::Error;

use goldcrest_engine::{Engine, EngineOptions, Event, Prompt, Request, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_sample::{Order, SamplerParams};
use goldcrest_testkit::kernels::adapters::{cpu, devices};

type Fallible<T> = Result<T, Box<dyn Error>>;

const BEGINNING: &str = "The history of the lighthouse begins with";
const TOKENS: usize = 200;

fn main() -> Fallible<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("give the path of a GGUF file")?;
    let device = match args.next().as_deref() {
        Some("gpu") => devices()?.pop().ok_or("no adapter")?,
        _ => cpu(),
    };
    let file = std::fs::read(path)?;
    let gguf = Gguf::parse(&file)?;
    let runtime = RuntimeOptions { n_ctx: 512, ..RuntimeOptions::default() };
    let options = EngineOptions { runtime, ..EngineOptions::default() };
    let (mut source, mut quiet) = (file.as_slice(), |_, _, _| {});
    let loading = Engine::load(&gguf, &mut source, device, &options, &mut quiet);
    let engine = pollster::block_on(loading)?;
    mirostat(&engine)?;
    heat(&engine)
}

/// Text of `TOKENS` tokens, and its mean surprise in bits under the model without any sampler.
fn run(engine: &Engine, sampler: SamplerParams) -> Fallible<(String, f64)> {
    let prompt = Prompt::Text { text: BEGINNING.to_owned(), parse_special: false };
    // Alternatives are asked for so that log-probabilities are the model's own with every chain.
    let (max_tokens, logprobs) = (Some(TOKENS), Some(1));
    let request = Request { max_tokens, logprobs, ignore_eos: true, sampler, ..Request::greedy(prompt) };
    let mut session = engine.session();
    let mut generation = session.generate(request)?;
    let (mut text, mut sum) = (String::new(), 0.0);
    while let Some(event) = pollster::block_on(generation.next())? {
        if let Event::Token(token) = event {
            text += &token.text;
            sum -= f64::from(token.logprob) / std::f64::consts::LN_2;
        }
    }
    Ok((text, sum / TOKENS as f64))
}

fn mirostat(engine: &Engine) -> Fallible<()> {
    println!("| Mirostat, {TOKENS} tokens | target | bits at a rate of 0.1 | at 1 |\n|---|---|---|---|");
    for (version, tau) in [(2, 2.0), (2, 3.0), (2, 5.0), (1, 3.0)] {
        let at = |mirostat_eta| SamplerParams {
            mirostat: version,
            mirostat_tau: tau,
            mirostat_eta,
            seed: 1,
            ..SamplerParams::neutral()
        };
        let (slow, fast) = (run(engine, at(0.1))?.1, run(engine, at(1.0))?.1);
        println!("| {version} | {tau} | {slow:.2} | {fast:.2} |");
    }
    Ok(())
}

fn heat(engine: &Engine) -> Fallible<()> {
    println!("\n| temperature 2, then | bits per token | text |\n|---|---|---|");
    let hot =
        SamplerParams { temperature: 2.0, order: Order::HuggingFace, seed: 1, ..SamplerParams::neutral() };
    for (name, sampler) in [
        ("top-H 0.4", SamplerParams { top_h: 0.4, ..hot.clone() }),
        ("min-p 0.05", SamplerParams { min_p: 0.05, ..hot.clone() }),
        ("top-p 0.95", SamplerParams { top_p: 0.95, ..hot }),
    ] {
        let (text, bits) = run(engine, sampler)?;
        let start: String = text.chars().take(160).collect();
        println!("| {name} | {bits:.2} | {} |", start.replace(['\n', '|'], " "));
    }
    Ok(())
}
