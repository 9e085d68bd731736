//! Real models for the tests of heads, on the CPU.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::PathBuf;

use goldcrest_decode::{Ask, Lm, Method, Outcome, decode_with};
use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::{AnswerText, Engine, EngineOptions, Prompt, Runtime, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_prompt::RenderInput;
use goldcrest_testkit::kernels::adapters::{adapter, cpu};
use serde_json::Value;

/// A path may part from another where the two best logits are closer than this: passes of different numbers of rows sum
/// in different orders, and keys and values are stored as halves.
const TIE: f32 = 0.05;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn full() -> bool {
    std::env::var_os("GOLDCREST_FULL").is_some_and(|v| v == "1")
}

fn engine(file: &[u8], n_ctx: u32) -> Engine {
    engine_with(file, RuntimeOptions { n_ctx, ..RuntimeOptions::default() })
}

fn engine_with(file: &[u8], runtime: RuntimeOptions) -> Engine {
    let gguf = Gguf::parse(file).unwrap();
    let options = EngineOptions { runtime, skip_selftest: true, ..EngineOptions::default() };
    pollster::block_on(Engine::load(&gguf, &mut &*file, cpu(), &options, &mut |_, _, _| {})).unwrap()
}

/// A tiny model twice on one adapter of a GPU API and once on the CPU; none where there is no adapter.
pub(crate) fn tiny_on_two_devices(name: &str) -> Option<[Engine; 3]> {
    let file = std::fs::read(root().join(format!("tests/golden/tiny/{name}.gguf"))).unwrap();
    let gguf = Gguf::parse(&file).unwrap();
    let Some(gpu) = adapter() else {
        println!("skip: no Vulkan, Metal or DX12 adapter");
        return None;
    };
    let runtime = RuntimeOptions { n_ctx: 128, ..RuntimeOptions::default() };
    let options = EngineOptions { runtime, skip_selftest: true, ..EngineOptions::default() };
    Some([gpu.clone(), gpu, cpu()].map(|device| {
        let source = &mut file.as_slice();
        pollster::block_on(Engine::load(&gguf, source, device, &options, &mut |_, _, _| {})).unwrap()
    }))
}

/// One of the tiny models of the repository.
pub(crate) fn tiny(name: &str) -> Option<Engine> {
    tiny_with(name, false)
}

/// The same, loaded to be deterministic or not.
pub(crate) fn tiny_with(name: &str, deterministic: bool) -> Option<Engine> {
    let file = std::fs::read(root().join(format!("tests/golden/tiny/{name}.gguf"))).ok();
    if file.is_none() {
        println!("skip: {name} is not here");
    }
    let options = RuntimeOptions { n_ctx: 128, deterministic, ..RuntimeOptions::default() };
    file.map(|file| engine_with(&file, options))
}

/// SmolLM2 from the store, or from the folder that `GOLDCREST_MODELS` names.
pub(crate) fn smollm2() -> Option<Engine> {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let home = var("GOLDCREST_HOME").or_else(|| Some(std::env::home_dir()?.join(".cache/goldcrest")));
    let folder = var("GOLDCREST_MODELS").or_else(|| Some(home?.join("models")))?;
    let names = ["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"];
    let file = names.iter().find_map(|name| std::fs::read(folder.join(name)).ok());
    if file.is_none() {
        println!("skip: SmolLM2 is not in the store");
    }
    file.map(|file| engine(&file, 1024))
}

/// The encoded prompts of one committed set.
pub(crate) fn prompts(engine: &Engine, set: &str) -> Vec<Vec<u32>> {
    let file = std::fs::read(root().join(format!("tests/prompts/{set}.json"))).unwrap();
    let list: Vec<Value> = serde_json::from_slice(&file).unwrap();
    let encoded = |entry: &Value| {
        let messages = serde_json::json!([{ "role": "user", "content": entry["prompt"] }]);
        let input = RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() };
        engine.session().encode(&Prompt::Chat(Box::new(input))).unwrap()
    };
    list.iter().map(encoded).collect()
}

pub(crate) fn run(engine: &Engine, ask: Ask, method: &Method) -> Outcome {
    let text = engine.session().text().tokenizer().clone();
    let ask = Ask { answer: Some(AnswerText::new(&text, &[], false).unwrap()), ..ask };
    pollster::block_on(decode_with(&mut *engine.runtime().borrow_mut(), ask, method)).unwrap()
}

/// The answers are the same, or part at a tie.
pub(crate) fn compare(engine: &Engine, prompt: &[u32], plain: &[u32], got: &[u32], what: &str) {
    let same = plain.iter().zip(got).take_while(|(a, b)| a == b).count();
    if same == plain.len() && same == got.len() {
        return;
    }
    let before: Vec<u32> = prompt.iter().chain(&plain[..same]).copied().collect();
    let gap = gap(&mut engine.runtime().borrow_mut(), &before);
    println!("{what}: parts from plain decoding at token {same}, where the two best are {gap} apart");
    assert!(gap < TIE, "{what}: token {same} of {plain:?} against {got:?}, gap {gap}");
}

/// The distance of the two best logits behind tokens.
fn gap(runtime: &mut Runtime, tokens: &[u32]) -> f32 {
    let seq = runtime.pool_mut().create();
    let rows = tokens.iter().zip(0..).map(|(token, pos)| BatchRow::token(*token, pos, seq));
    let mut rows: Vec<BatchRow> = rows.collect();
    rows.last_mut().unwrap().wants = Wants { stats: true, ..Wants::default() };
    let batch = Batch { rows, ..Batch::default() };
    let gap = pollster::block_on(Lm::forward(runtime, &batch)).unwrap().rows[0].stats.unwrap().top2_gap;
    runtime.pool_mut().free(seq).unwrap();
    gap
}
