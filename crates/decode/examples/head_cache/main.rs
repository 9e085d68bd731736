//! Text that a model writes by itself with the hidden rows behind it, to train draft heads on; see
//! `tests/heads/train_medusa.py`, which reads what this writes:
//! `cargo run --release -p goldcrest-decode --example head_cache -- MODEL.gguf tests/heads/topics.json FOLDER [TOKENS [LAYERS]]`.
//!
//! `embeddings.f16` holds the embedding table. `cache.bin` holds one record a text: two `u32`, the tokens of the prompt and of
//! the answer, the answer's tokens as `u32`, and for each of them the hidden row (f16, behind the final norm) that it was chosen from. With
//! LAYERS, as `24,27,29`, `exits.bin` holds what those say, for `tests/heads/train_specee.py`; see `exits.rs`.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{Engine, EngineOptions, Prompt, Runtime, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_prompt::RenderInput;
use goldcrest_testkit::kernels::adapters::cpu;
use serde_json::Value;

mod exits;

use exits::Exits;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Texts that are written side by side: as many rows as a pass reduces at once.
const AT_ONCE: usize = 16;
/// Longest answer.
const LONGEST: usize = 128;

/// A text under way.
struct Text {
    number: u32,
    seq: SeqId,
    prompt: usize,
    /// The token before the next one.
    before: u32,
    next: u32,
    tokens: Vec<u32>,
    hidden: Vec<f32>,
}

fn main() -> Fallible<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, topics, folder, ..] = args.as_slice() else {
        return Err("give a model, a file of topics and a folder".into());
    };
    let most: usize = args.get(3).map_or(Ok(60_000), |n| n.parse())?;
    let file = std::fs::read(model)?;
    let gguf = Gguf::parse(&file)?;
    let runtime = RuntimeOptions { n_ctx: 512, ..RuntimeOptions::default() };
    let options = EngineOptions { runtime, ..EngineOptions::default() };
    let (mut source, mut quiet) = (file.as_slice(), |_, _, _| {});
    let loading = Engine::load(&gguf, &mut source, cpu(), &options, &mut quiet);
    let engine = pollster::block_on(loading)?;
    let ends = engine.text().tokenizer().eog().to_vec();
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    embeddings(&mut engine.runtime().borrow_mut(), &folder.join("embeddings.f16"))?;
    let mut out = BufWriter::new(File::create(folder.join("cache.bin"))?);
    let mut exits = match args.get(4) {
        Some(layers) => Some(Exits::new(layers, File::create(folder.join("exits.bin"))?)?),
        None => None,
    };
    let mut open: Vec<Text> = Vec::new();
    let mut prompts = prompts(&serde_json::from_slice(&std::fs::read(topics)?)?).into_iter();
    let (mut written, mut number) = (0, 0);
    while written < most {
        while open.len() < AT_ONCE {
            let Some(prompt) = prompts.next() else { break };
            open.push(begin(&engine, &prompt, number)?);
            number += 1;
        }
        if open.is_empty() {
            break;
        }
        pass(&mut engine.runtime().borrow_mut(), &mut open, exits.as_mut())?;
        let (ended, going) = open.into_iter().partition(|text: &Text| {
            text.tokens.len() == LONGEST || text.tokens.last().is_some_and(|t| ends.contains(t))
        });
        open = going;
        for text in ended {
            engine.runtime().borrow_mut().pool_mut().free(text.seq)?;
            record(&mut out, &text)?;
            written += text.tokens.len();
            println!("{written} tokens");
        }
    }
    Ok(())
}

/// Every question with every topic, in an order in which any beginning has something of all.
fn prompts(file: &Value) -> Vec<String> {
    let list = |name: &str| -> Vec<String> {
        let texts = file[name].as_array().into_iter().flatten();
        texts.filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let (questions, topics) = (list("questions"), list("topics"));
    let with =
        |shift: usize, i: usize, topic: &str| questions[(i + shift) % questions.len()].replace("{}", topic);
    let round = |shift: usize| topics.iter().enumerate().map(move |(i, topic)| (shift, i, topic));
    (0..questions.len()).flat_map(round).map(|(shift, i, topic)| with(shift, i, topic)).collect()
}

fn begin(engine: &Engine, prompt: &str, number: u32) -> Fallible<Text> {
    let messages = serde_json::json!([{ "role": "user", "content": prompt }]);
    let input = RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() };
    let tokens = engine.session().encode(&Prompt::Chat(Box::new(input)))?;
    let runtime = &mut *engine.runtime().borrow_mut();
    let seq = runtime.pool_mut().create();
    let (next, before) = tokens.split_last().ok_or("an empty prompt")?;
    pollster::block_on(runtime.prefill(seq, before, &mut |_| true))?;
    let (prompt, last) = (tokens.len(), before.last().copied().unwrap_or(0));
    Ok(Text { number, seq, prompt, before: last, next: *next, tokens: Vec::new(), hidden: Vec::new() })
}

/// One token more of every text, the likeliest one.
fn pass(runtime: &mut Runtime, open: &mut [Text], exits: Option<&mut Exits>) -> Fallible<()> {
    let wants = Wants { stats: true, hidden: true, ..Wants::default() };
    let mut rows = Vec::new();
    for text in open.iter() {
        let pos = runtime.pool().sequence(text.seq)?.next_pos();
        rows.push(BatchRow::token(text.next, pos, text.seq).wanting(wants.clone()));
    }
    let found = match exits {
        Some(exits) => exits.pass(runtime, open, rows)?,
        None => pollster::block_on(runtime.forward(&Batch { rows, ..Batch::default() }))?.rows,
    };
    for (text, row) in open.iter_mut().zip(found) {
        text.before = text.next;
        text.next = row.stats.map_or(0, |stats| stats.argmax);
        text.tokens.push(text.next);
        text.hidden.extend(row.hidden);
    }
    Ok(())
}

fn record(out: &mut impl Write, text: &Text) -> Fallible<()> {
    let words = [text.prompt as u32, text.tokens.len() as u32];
    words.iter().chain(&text.tokens).try_for_each(|word| out.write_all(&word.to_le_bytes()))?;
    halves(out, &text.hidden)?;
    Ok(out.flush()?)
}

fn embeddings(runtime: &mut Runtime, path: &Path) -> Fallible<()> {
    let all: Vec<u32> = (0..runtime.config().n_vocab).collect();
    let mut out = BufWriter::new(File::create(path)?);
    all.chunks(4096).try_for_each(|some| halves(&mut out, &pollster::block_on(runtime.embeddings(some))?))
}

fn halves(out: &mut impl Write, values: &[f32]) -> Fallible<()> {
    Ok(values.iter().try_for_each(|v| out.write_all(&half::f16::from_f32(*v).to_le_bytes()))?)
}
