//! What methods do to a real model's text, and what they cost beside plain decoding, as tables:
//! `cargo run --release -p goldcrest-decode --example in_kind -- MODEL.gguf [cpu|gpu] [TABLE...]`, where a table is one of text,
//! beams, times, mirostat, heat, conflicts; without any, all.

mod conflicts;
mod samplers;
mod searches;

use std::error::Error;

use goldcrest_engine::{Engine, EngineOptions, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_testkit::kernels::adapters::{cpu, devices};

type Fallible<T> = Result<T, Box<dyn Error>>;
type Table = fn(&Engine) -> Fallible<()>;

const TABLES: [(&str, Table); 6] = [
    ("text", searches::repetition),
    ("beams", searches::diversity),
    ("times", searches::times),
    ("mirostat", samplers::mirostat),
    ("heat", samplers::heat),
    ("conflicts", conflicts::against_memory),
];

/// Beginnings that a small model continues by repeating itself.
const BEGINNINGS: [&str; 4] = [
    "The history of the lighthouse begins with",
    "My favourite thing about walking in the mountains is",
    "The committee met on Tuesday to discuss",
    "A computer program is a set of instructions that",
];

fn main() -> Fallible<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("give the path of a GGUF file")?;
    let device = match args.next().as_deref() {
        Some("gpu") => devices()?.pop().ok_or("no adapter")?,
        _ => cpu(),
    };
    let file = std::fs::read(path)?;
    let gguf = Gguf::parse(&file)?;
    let runtime = RuntimeOptions { n_ctx: 1024, ..RuntimeOptions::default() };
    let options = EngineOptions { runtime, ..EngineOptions::default() };
    let (mut source, mut quiet) = (file.as_slice(), |_, _, _| {});
    let engine = pollster::block_on(Engine::load(&gguf, &mut source, device, &options, &mut quiet))?;
    let wanted: Vec<String> = args.collect();
    let known = |name: &String| TABLES.iter().any(|(table, _)| table == name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        return Err(format!("no table is called {unknown}").into());
    }
    for (name, table) in TABLES {
        if wanted.is_empty() || wanted.iter().any(|asked| asked == name) {
            table(&engine)?;
            println!();
        }
    }
    Ok(())
}
