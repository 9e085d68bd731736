//! Speculation on real files: every drafter gives the tokens of plain decoding; tokens a pass on the committed prompts.
//!
//! Without SmolLM2 in the store its part is skipped, with a line that says so. `GOLDCREST_FULL=1` runs every prompt of the
//! reference and prints the table of tokens a pass.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail loudly and say what they leave out")]

use std::path::PathBuf;
use std::time::Instant;

use goldcrest_decode::speculate::{Curve, SharedLearnt, Speculate};
use goldcrest_decode::{Ask, Lm, Method, Outcome, Resources, decode_among, decode_with};
use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::{AnswerText, Engine, EngineOptions, Prompt, Runtime, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_prompt::RenderInput;
use goldcrest_testkit::kernels::adapters::cpu;
use serde_json::Value;

/// A path may part from another where the two best logits are closer than this: passes of different numbers of rows sum
/// in different orders, and keys and values are stored as halves.
const TIE: f32 = 0.05;

/// Drafters that need no second model.
const ALONE: [&str; 11] = [
    "auto",
    "recycling",
    "suffix",
    "copyspec",
    "pld",
    "aded",
    "lookahead",
    "jacobi",
    "exit:layer=27",
    "skip",
    "del",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn full() -> bool {
    std::env::var_os("GOLDCREST_FULL").is_some_and(|v| v == "1")
}

fn engine(file: &[u8], n_ctx: u32) -> Engine {
    let gguf = Gguf::parse(file).unwrap();
    let runtime = RuntimeOptions { n_ctx, ..RuntimeOptions::default() };
    let options = EngineOptions { runtime, skip_selftest: true, ..EngineOptions::default() };
    pollster::block_on(Engine::load(&gguf, &mut &*file, cpu(), &options, &mut |_, _, _| {})).unwrap()
}

/// A model from the store, or from the folder that `GOLDCREST_MODELS` names.
fn stored(name: &str) -> Option<Engine> {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let home = || var("GOLDCREST_HOME").or_else(|| Some(std::env::home_dir()?.join(".cache/goldcrest")));
    let path = var("GOLDCREST_MODELS").or_else(|| Some(home()?.join("models")))?.join(name);
    let file = std::fs::read(&path).ok();
    if file.is_none() {
        println!("skip: {name} is not in the store");
    }
    file.map(|file| engine(&file, 1024))
}

fn smollm2() -> Option<Engine> {
    stored("smollm2-135m.gguf").or_else(|| stored("SmolLM2-135M-Instruct.Q4_1.gguf"))
}

fn gemma3() -> Option<Engine> {
    stored("gemma3-270m.gguf").or_else(|| stored("gemma-3-270m-q4_k_m.gguf"))
}

fn run(engine: &Engine, prompt: &[u32], n: usize, method: &Method, learnt: Option<SharedLearnt>) -> Outcome {
    let text = engine.session().text().tokenizer().clone();
    let answer = Some(AnswerText::new(&text, &[], false).unwrap());
    let resources = Resources { learnt, ..Resources::default() };
    let ask = Ask { max_tokens: n, answer, resources, ..Ask::new(prompt.to_vec()) };
    pollster::block_on(decode_with(&mut *engine.runtime().borrow_mut(), ask, method)).unwrap()
}

/// With a second model that drafts.
fn run_with(engine: &Engine, draft: &Engine, prompt: &[u32], n: usize, method: &Method) -> Outcome {
    let answer = Some(AnswerText::new(engine.session().text().tokenizer(), &[], false).unwrap());
    let ask = Ask { max_tokens: n, answer, ..Ask::new(prompt.to_vec()) };
    let (target, draft) = (&mut *engine.runtime().borrow_mut(), &mut *draft.runtime().borrow_mut());
    pollster::block_on(decode_among(target, vec![draft], ask, method)).unwrap()
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

/// Where an answer parts from plain decoding's, and the distance of the two best logits there.
fn parting(engine: &Engine, prompt: &[u32], plain: &[u32], got: &[u32]) -> Option<(usize, f32)> {
    let same = plain.iter().zip(got).take_while(|(a, b)| a == b).count();
    if same == plain.len() && same == got.len() {
        return None;
    }
    let before: Vec<u32> = prompt.iter().chain(&plain[..same]).copied().collect();
    Some((same, gap(&mut engine.runtime().borrow_mut(), &before)))
}

/// The answers are the same, or part at a tie.
fn compare(engine: &Engine, prompt: &[u32], plain: &[u32], got: &[u32], what: &str) {
    if let Some((at, gap)) = parting(engine, prompt, plain, got) {
        println!("{what}: parts from plain decoding at token {at}, where the two best are {gap} apart");
        assert!(gap < TIE, "{what}: token {at} of {plain:?} against {got:?}, gap {gap}");
    }
}

fn golden(name: &str) -> Option<Value> {
    let places = [root().join("tests/golden"), root().join("../shared/golden")];
    let found = places.iter().find_map(|place| std::fs::read(place.join(name)).ok());
    found.map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| u32::try_from(id.as_u64().unwrap()).unwrap()).collect()
}

/// Drafters that need one: the model itself writes for itself.
const BY_A_TWIN: [&str; 7] = ["draft", "specdec_pp", "s2d", "pearl", "dyspec", "rsd_c", "rsd_s"];

/// A drafter's specification with every guess sent, whatever it costs.
fn unplanned(spec: &str) -> Method {
    let plan = if spec.contains(':') { ',' } else { ':' };
    Speculate::parse(&format!("{spec}{plan}plan=false")).unwrap()
}

/// What one model of the reference says under every drafter.
fn answers_of(engine: &Engine, twin: Option<&Engine>, reference: &Value) -> Vec<String> {
    let (cases, n, drafters) = if full() { (99, 32, ALONE.len()) } else { (2, 24, 3) };
    let (mut tokens, mut parted, mut wrong) = (0, 0, Vec::new());
    for (number, case) in reference["cases"].as_array().unwrap().iter().take(cases).enumerate() {
        let prompt = ids(&case["ids"]);
        let plain = run(engine, &prompt, n, &Method::parse("sample").unwrap(), None).tokens;
        let mut judge = |spec: &str, got: Outcome| {
            tokens += got.tokens.len();
            let what = format!("prompt {number}, {spec}");
            if let Some((at, gap)) = parting(engine, &prompt, &plain, &got.tokens) {
                println!(
                    "{what}: parts from plain decoding at token {at}, where the two best are {gap} apart"
                );
                parted += 1;
                wrong.extend((gap >= TIE).then(|| format!("{what}: token {at}, gap {gap}")));
            }
        };
        for spec in ALONE.iter().take(drafters) {
            judge(spec, run(engine, &prompt, n, &unplanned(spec), None));
        }
        let Some(twin) = twin else { continue };
        for spec in BY_A_TWIN {
            judge(spec, run_with(engine, twin, &prompt, n, &unplanned(spec)));
        }
        println!("{} prompts, {tokens} tokens, {parted} answers that part", number + 1);
    }
    wrong
}

#[test]
fn smollm2_answers_as_it_does_alone() {
    let (Some(engine), Some(reference)) = (smollm2(), golden("public/smollm2_logits_greedy.json")) else {
        return;
    };
    let wrong = answers_of(&engine, full().then(smollm2).flatten().as_ref(), &reference);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn gemma_3_answers_as_it_does_alone() {
    if !full() {
        println!("skip: GOLDCREST_FULL=1 asks Gemma 3, too");
        return;
    }
    let (Some(engine), Some(reference)) = (gemma3(), golden("public/gemma3_logits_greedy.json")) else {
        return;
    };
    let wrong = answers_of(&engine, gemma3().as_ref(), &reference);
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Tiny models of every kind of attention and cache, with themselves as their own draft.
#[test]
fn tiny_models_answer_as_they_do_alone() {
    for name in ["llama", "gemma2", "gemma3", "gpt2", "olmoe", "phi3", "qwen2", "qwen3"] {
        let path = root().join(format!("tests/golden/tiny/{name}.gguf"));
        let Ok(file) = std::fs::read(&path) else {
            println!("skip: {name} is not here");
            continue;
        };
        let (engine, draft) = (engine(&file, 128), engine(&file, 128));
        let n_vocab = engine.runtime().borrow().config().n_vocab;
        let prompt: Vec<u32> = (0..24).map(|i| (i * i * 7 + 3) % n_vocab).collect();
        let plain = run(&engine, &prompt, 40, &Method::parse("sample").unwrap(), None).tokens;
        for spec in ["auto", "recycling", "lookahead", "jacobi", "exit:layer=1,eta=0", "skip:speed=2"] {
            let got = run(&engine, &prompt, 40, &unplanned(spec), None).tokens;
            compare(&engine, &prompt, &plain, &got, &format!("{name}, {spec}"));
        }
        for spec in ["draft:tokens=4,plan=false", "dyspec:plan=false", "rsd_s:plan=false"] {
            let ask = Ask { max_tokens: 40, ..Ask::new(prompt.clone()) };
            let (target, draft) = (&mut *engine.runtime().borrow_mut(), &mut *draft.runtime().borrow_mut());
            let method = Speculate::parse(spec).unwrap();
            let got = pollster::block_on(decode_among(target, vec![draft], ask, &method)).unwrap();
            let tau = got.report["speculation"]["tau"].as_f64().unwrap();
            let same = got.tokens.iter().zip(&plain).take_while(|(a, b)| a == b).count();
            assert!(same >= plain.len().min(got.tokens.len()) || tau > 1.0, "{name}, {spec}");
            assert!(
                spec != "draft:tokens=4,plan=false" || tau > 4.0,
                "{name}: its twin gives {tau} tokens a pass"
            );
        }
    }
}

/// Where rows are dear the device makes the tokens by itself, as plain decoding does.
#[test]
fn at_rest_nothing_is_guessed_and_the_answer_is_the_same() {
    let path = root().join("tests/golden/tiny/llama.gguf");
    let Ok(file) = std::fs::read(&path) else {
        println!("skip: the tiny llama is not here");
        return;
    };
    let engine = engine(&file, 128);
    let prompt: Vec<u32> = (0..24).collect();
    let plain = run(&engine, &prompt, 60, &Method::parse("sample").unwrap(), None).tokens;
    let pass_times = Some(Curve::new(&[(1, 1.0), (2, 4.0)]));
    let ask = Ask {
        max_tokens: 60,
        answer: Some(AnswerText::new(engine.session().text().tokenizer(), &[], false).unwrap()),
        resources: Resources { pass_times, ..Resources::default() },
        ..Ask::new(prompt)
    };
    let before = engine.runtime().borrow().forward_passes();
    let method = Speculate::parse("auto").unwrap();
    let got = pollster::block_on(decode_with(&mut *engine.runtime().borrow_mut(), ask, &method)).unwrap();
    assert_eq!(got.tokens, plain);
    assert_eq!(got.report["speculation"]["mean_rows"], 1.0);
    // The prompt, one pass a token, and what the device had begun when the answer ended.
    let passes = engine.runtime().borrow().forward_passes() - before;
    assert!(passes <= 60 + 16 + 3, "{passes}");
}

/// Prompts of one file, in the order of the table that they are measured for; the others behind.
fn prompts(name: &str) -> Vec<Value> {
    let file = std::fs::read(root().join(format!("tests/prompts/{name}.json"))).unwrap();
    let Value::Array(list) = serde_json::from_slice(&file).unwrap() else { return Vec::new() };
    list
}

fn chat(engine: &Engine, prompt: &str) -> Vec<u32> {
    let messages = serde_json::json!([{ "role": "user", "content": prompt }]);
    let input = RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() };
    engine.session().encode(&Prompt::Chat(Box::new(input))).unwrap()
}

/// Tokens a pass over answers to prompts that share one memory, and mean rows.
fn measure(engine: &Engine, list: &[Value], spec: &str) -> (f64, f64, Vec<Vec<u32>>) {
    let memory = SharedLearnt::default();
    let method = Speculate::parse(spec).unwrap();
    let (mut tokens, mut steps, mut rows, mut answers) = (0.0, 0.0, 0.0, Vec::new());
    for entry in list {
        let prompt = chat(engine, entry["prompt"].as_str().unwrap());
        let got = run(engine, &prompt, 128, &method, Some(memory.clone()));
        let s = &got.report["speculation"];
        let n = s["steps"].as_f64().unwrap();
        tokens += s["tau"].as_f64().unwrap() * n;
        rows += s["mean_rows"].as_f64().unwrap() * n;
        steps += n;
        answers.push(got.tokens);
    }
    (tokens / steps, rows / steps, answers)
}

#[test]
fn tokens_a_pass_are_those_of_the_table() {
    if !full() {
        println!("skip: GOLDCREST_FULL=1 measures tokens a pass");
        return;
    }
    let Some(engine) = smollm2() else { return };
    let sets = ["chat", "quote", "edit", "json"];
    let mut table: Vec<Value> = sets.iter().flat_map(|set| prompts(set)).collect();
    table.retain(|entry| entry.get("table").is_some());
    table.sort_by_key(|entry| entry["table"].as_u64());
    let specs = [
        ("recycling:rows=8,adapt=false,plan=false", Some(1.56)),
        ("recycling:rows=16,adapt=false,plan=false", Some(1.70)),
        ("recycling:rows=32,adapt=false,plan=false", Some(1.96)),
        ("auto:rows=12,plan=false", Some(1.79)),
        ("auto:rows=32,plan=false", Some(2.14)),
        ("suffix:plan=false", None),
        ("pld:plan=false", None),
        ("copyspec:plan=false", None),
    ];
    let mut short = Vec::new();
    for (spec, want) in specs {
        let (tau, rows, _) = measure(&engine, &table, spec);
        println!("{spec}: {tau:.2} tokens a pass of {rows:.1} rows; the table has {want:?}");
        short.extend(
            want.filter(|want| tau < want * 0.95).map(|want| format!("{spec}: {tau:.2}, not {want}")),
        );
    }
    for (set, least) in sets.iter().zip([1.5, 2.0, 2.2, 2.2]) {
        let (tau, rows, _) = measure(&engine, &prompts(set), "auto:rows=12,plan=false");
        println!("auto, {set}: {tau:.2} tokens a pass of {rows:.1} rows; {least} is the aim");
    }
    assert!(short.is_empty(), "{short:?}");
}

/// Plain decoding and `auto` by turns on the same prompts, so that a busy machine is busy for both.
#[test]
fn speculation_is_never_much_slower() {
    if !full() {
        println!("skip: GOLDCREST_FULL=1 measures time");
        return;
    }
    let Some(engine) = smollm2() else { return };
    for set in ["chat", "quote", "edit", "json"] {
        let mut speeds = Vec::new();
        let memory = SharedLearnt::default();
        for entry in prompts(set) {
            let prompt = chat(&engine, entry["prompt"].as_str().unwrap());
            let timed = |spec: Method, learnt: Option<SharedLearnt>| {
                let started = Instant::now();
                let got = run(&engine, &prompt, 64, &spec, learnt);
                started.elapsed().as_secs_f64() / got.tokens.len() as f64
            };
            let plain = timed(Method::parse("sample").unwrap(), None);
            let with = timed(Speculate::parse("auto").unwrap(), Some(memory.clone()));
            speeds.push(plain / with);
        }
        speeds.sort_by(f64::total_cmp);
        let median = speeds[speeds.len() / 2];
        println!("{set}: {median:.2} times as fast as plain decoding, prefill included; all: {speeds:.2?}");
        assert!(median > 0.9, "{set}: {speeds:.2?}");
    }
}
