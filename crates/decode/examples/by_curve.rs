//! What drafters come to on the committed prompts where the times of passes are given, so that no clock has a part in it:
//! `cargo run --release -p goldcrest-decode --example by_curve -- MODEL.gguf [rows=time,…] [DRAFTER...]`.
//!
//! A line for each set of prompts and drafter: tokens for the time of a plain pass, tokens a pass, rows a pass.

use std::error::Error;

use goldcrest_decode::speculate::{Curve, SharedLearnt, Speculate};
use goldcrest_decode::{Ask, Method, Resources, decode_with};
use goldcrest_engine::{AnswerText, Engine, EngineOptions, Prompt, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_prompt::RenderInput;
use goldcrest_testkit::kernels::adapters::cpu;
use serde_json::Value;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Times of passes of SmolLM2 135M in Q4_1 on two cores with AVX-512.
const MEASURED: [(usize, f32); 7] = [(1, 1.0), (2, 1.2), (3, 1.7), (4, 2.0), (6, 2.5), (8, 3.1), (12, 4.8)];
const SETS: [&str; 4] = ["chat", "quote", "edit", "json"];

fn main() -> Fallible<()> {
    let mut args = std::env::args().skip(1).peekable();
    let model = args.next().ok_or("give the path of a GGUF file")?;
    let points = args.next_if(|arg| arg.starts_with(|first: char| first.is_ascii_digit()));
    let curve = points.map_or_else(|| Ok(MEASURED.to_vec()), |text| points_of(&text))?;
    let specs: Vec<String> = args.collect();
    let file = std::fs::read(model)?;
    let runtime = RuntimeOptions { n_ctx: 1024, ..RuntimeOptions::default() };
    let options = EngineOptions { runtime, skip_selftest: true, ..EngineOptions::default() };
    let (gguf, mut source, mut quiet) = (Gguf::parse(&file)?, file.as_slice(), |_, _, _| {});
    let engine = pollster::block_on(Engine::load(&gguf, &mut source, cpu(), &options, &mut quiet))?;
    for spec in specs {
        let method = Speculate::parse(&spec)?;
        for set in SETS {
            let list: Vec<Value> =
                serde_json::from_slice(&std::fs::read(format!("tests/prompts/{set}.json"))?)?;
            let sums = over(&engine, &list, &method, &Curve::new(&curve))?;
            println!(
                "{spec:32} {set:6} {:.3} tokens a plain pass, {:.2} a pass of {:.2} rows",
                sums.tokens / sums.cost,
                sums.tokens / sums.passes,
                sums.rows / sums.passes
            );
        }
    }
    Ok(())
}

/// `1=1.0,2=1.2`.
fn points_of(text: &str) -> Fallible<Vec<(usize, f32)>> {
    let point = |point: &str| -> Fallible<(usize, f32)> {
        let (rows, time) = point.split_once('=').ok_or("a point is ROWS=TIME")?;
        Ok((rows.parse()?, time.parse()?))
    };
    text.split(',').map(point).collect()
}

/// Sums over answers to prompts that share one memory.
#[derive(Default)]
struct Sums {
    tokens: f64,
    passes: f64,
    rows: f64,
    cost: f64,
}

fn over(engine: &Engine, list: &[Value], method: &Method, curve: &Curve) -> Fallible<Sums> {
    let memory = SharedLearnt::default();
    let mut sums = Sums::default();
    for entry in list {
        let messages = serde_json::json!([{ "role": "user", "content": entry["prompt"] }]);
        let input = RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() };
        let prompt = engine.session().encode(&Prompt::Chat(Box::new(input)))?;
        let answer = Some(AnswerText::new(engine.session().text().tokenizer(), &[], false)?);
        let resources = Resources {
            learnt: Some(memory.clone()),
            pass_times: Some(curve.clone()),
            ..Resources::default()
        };
        let ask = Ask { max_tokens: 128, answer, resources, ..Ask::new(prompt) };
        let got = pollster::block_on(decode_with(&mut *engine.runtime().borrow_mut(), ask, method))?;
        let report = &got.report["speculation"];
        let number = |name: &str| report[name].as_f64().unwrap_or_default();
        sums.tokens += number("tau") * number("steps");
        sums.passes += number("steps");
        sums.rows += number("mean_rows") * number("steps");
        sums.cost += number("plain_passes");
    }
    Ok(sums)
}
