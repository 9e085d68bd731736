//! Answers that have to have a form, from a tiny model of random weights and, where it is here, from SmolLM2: what is finished
//! fits, judged by a validator that knows nothing of the constraint.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use goldcrest::grammar::{Compiler, Grammar, GrammarConstraint, Layout, Vocabulary};
use goldcrest::sample::{Constraint, ConstraintError, SamplerParams, TokenMask};
use goldcrest::{Engine, EngineError, Event, Finish, LoadOptions, Prompt, Request, Session, Stats};
use serde_json::{Value, json};

struct Outcome {
    tokens: Vec<u32>,
    text: String,
    finish: Finish,
    stats: Stats,
}

fn run(session: &mut Session, request: Request) -> Result<Outcome, EngineError> {
    pollster::block_on(async {
        let mut generation = session.generate(request)?;
        let (mut text, mut end) = (String::new(), None);
        while let Some(event) = generation.next().await? {
            match event {
                Event::Token(token) => text += &token.text,
                Event::End { finish, text: tail } => {
                    text += &tail;
                    end = Some(finish);
                }
                _ => {}
            }
        }
        Ok(Outcome {
            tokens: generation.tokens().to_vec(),
            text,
            finish: end.unwrap(),
            stats: generation.stats()?,
        })
    })
}

fn golden(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = ["tests/golden", "../shared/golden"].map(|folder| root.join(folder).join(name));
    let found = places.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skip: golden file {name} is not here");
    }
    found
}

fn smollm2() -> Option<PathBuf> {
    let folder = std::env::var_os("GOLDCREST_MODELS").map(PathBuf::from);
    let names = ["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"];
    let found = folder.and_then(|f| names.into_iter().map(|name| f.join(name)).find(|path| path.exists()));
    if found.is_none() {
        println!("skip: no SmolLM2 (GOLDCREST_MODELS names the folder)");
    }
    found
}

fn load(path: &Path, adapter: &str) -> Option<Engine> {
    let options = LoadOptions { adapter: adapter.to_owned(), ..LoadOptions::default() };
    match pollster::block_on(goldcrest::load(path, &options, &mut |_, _, _| {})) {
        Ok(engine) => Some(engine),
        Err(error) if adapter != "cpu" => {
            assert!(std::env::var_os("GOLDCREST_REQUIRE_GPU").is_none(), "{error}");
            println!("skip: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The tiny model on the CPU, and on a GPU's adapter if there is one.
fn tiny() -> Vec<Engine> {
    let path = golden("tiny/llama.gguf").unwrap();
    ["cpu", "vulkan"].into_iter().filter_map(|adapter| load(&path, adapter)).collect()
}

fn compiler(engine: &Engine) -> Compiler {
    Compiler::new(&Vocabulary::new(Arc::clone(engine.text().tokenizer())).unwrap()).unwrap()
}

fn schema(schema: Value) -> Grammar {
    Grammar::JsonSchema { schema, layout: Layout::Spaced }
}

fn person() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "maxLength": 8, "pattern": "^[A-Z][a-z]*$" },
            "age": { "type": "integer", "minimum": 0, "maximum": 120 },
            "born": { "type": "string", "format": "date" },
            "kind": { "enum": ["friend", "foe", null] },
            "tags": { "type": "array", "items": { "type": "boolean" }, "maxItems": 2 },
        },
        "required": ["name", "age", "born", "kind", "tags"],
        "additionalProperties": false,
    })
}

fn sampler(seed: u64) -> SamplerParams {
    // All chains: decided on the device's best candidates, and on whole rows.
    let base = SamplerParams { seed, temperature: 1.0, ..SamplerParams::neutral() };
    match seed % 4 {
        0 => SamplerParams::greedy(),
        1 => SamplerParams { top_k: 40, ..base },
        2 => SamplerParams { top_k: 0, top_p: 0.9, ..base },
        _ => SamplerParams { repeat_penalty: 1.2, typical_p: 0.9, ..base },
    }
}

fn asked(constraint: &GrammarConstraint, seed: u64, max_tokens: usize) -> Request {
    let prompt = Prompt::Text { text: "Once upon a time".to_owned(), parse_special: false };
    Request {
        constraint: Some(constraint.fork()),
        sampler: sampler(seed),
        max_tokens: Some(max_tokens),
        ..Request::greedy(prompt)
    }
}

fn check(given: &Value, outcome: &Outcome, name: &str) {
    match outcome.finish {
        Finish::GrammarEnd | Finish::Stop => {
            let value: Value = serde_json::from_str(&outcome.text)
                .unwrap_or_else(|error| panic!("{name}: {error}: {}", outcome.text));
            let validator = jsonschema::options().should_validate_formats(true).build(given).unwrap();
            assert!(validator.is_valid(&value), "{name}: {}", outcome.text);
        }
        Finish::Length => {
            assert!(serde_json::from_str::<Value>(&outcome.text).is_err() || outcome.text.len() < 20)
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn what_is_finished_validates() {
    for engine in tiny() {
        let compiler = compiler(&engine);
        for (i, given) in [
            person(),
            json!({ "type": "array", "items": { "type": "number", "minimum": -1, "maximum": 2.5 }, "minItems": 1, "maxItems": 3 }),
            json!({ "anyOf": [{ "const": { "a": [1, "x"] } }, { "type": "string", "format": "uuid" }] }),
            json!({ "$ref": "#/$defs/n", "$defs": { "n": { "type": "object", "properties": { "n": { "$ref": "#/$defs/n" } },
                "additionalProperties": false } } }),
        ]
        .into_iter()
        .enumerate()
        {
            let constraint = compiler.compile(&schema(given.clone())).unwrap();
            let mut finished = 0;
            for seed in 0..8 {
                let outcome = run(&mut engine.session(), asked(&constraint, seed, 160)).unwrap();
                check(&given, &outcome, &format!("schema {i}, seed {seed}"));
                finished += usize::from(outcome.finish != Finish::Length);
            }
            assert!(finished > 0, "schema {i}: no answer ended");
        }
    }
}

#[test]
fn devices_choose_the_same_under_a_mask() {
    let engines = tiny();
    let mut texts = Vec::new();
    for engine in &engines {
        let constraint = compiler(engine).compile(&schema(person())).unwrap();
        texts.push(run(&mut engine.session(), asked(&constraint, 0, 160)).unwrap().text);
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
}

/// A constraint that does not say what is forced.
#[derive(Debug)]
struct Silent(Box<dyn Constraint>);

impl Constraint for Silent {
    fn mask(&mut self) -> Result<TokenMask, ConstraintError> {
        self.0.mask()
    }
    fn commit(&mut self, token: u32) -> Result<(), ConstraintError> {
        self.0.commit(token)
    }
    fn rollback(&mut self, n: usize) -> Result<(), ConstraintError> {
        self.0.rollback(n)
    }
    fn is_accepting(&mut self) -> Result<bool, ConstraintError> {
        self.0.is_accepting()
    }
    fn is_over(&self) -> bool {
        self.0.is_over()
    }
    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(Self(self.0.fork()))
    }
}

#[test]
fn forced_tokens_run_together_and_change_nothing() {
    for engine in tiny() {
        let constraint = compiler(&engine).compile(&schema(person())).unwrap();
        let mut session = engine.session();
        let fast = run(&mut session, asked(&constraint, 0, 160)).unwrap();
        let mut request = asked(&constraint, 0, 160);
        request.constraint = Some(Box::new(Silent(constraint.fork())));
        let slow = run(&mut engine.session(), request).unwrap();
        assert_eq!((&fast.tokens, &fast.text, fast.finish), (&slow.tokens, &slow.text, slow.finish));
        let chosen = fast.stats.forward_passes;
        assert!(chosen * 2 < slow.stats.forward_passes, "{chosen} of {}", slow.stats.forward_passes);
        // What was run together is in the cache as if it had run one by one.
        let mut all = session.cached().to_vec();
        all.push(*fast.tokens.last().unwrap());
        let greedy = || Request { max_tokens: Some(12), ..Request::greedy(Prompt::Tokens(all.clone())) };
        let warm = run(&mut session, greedy()).unwrap();
        assert!(warm.stats.reused_tokens > 0);
        assert_eq!(warm.tokens, run(&mut engine.session(), greedy()).unwrap().tokens);
    }
}

#[test]
fn ends_limits_and_dead_ends() {
    for engine in tiny() {
        let compiler = compiler(&engine);
        let three = compiler.compile(&Grammar::Regex("abcabcabc(x|y)[0-9]{3}".to_owned())).unwrap();
        let whole = run(&mut engine.session(), asked(&three, 0, 100)).unwrap();
        assert_eq!(whole.finish, Finish::GrammarEnd);
        assert!(whole.text.starts_with("abcabcabc") && whole.text.len() == 13, "{}", whole.text);
        // Exactly as many tokens as it takes is the end of the grammar, one less is too few.
        let n = whole.tokens.len();
        assert_eq!(run(&mut engine.session(), asked(&three, 0, n)).unwrap().finish, Finish::GrammarEnd);
        assert_eq!(run(&mut engine.session(), asked(&three, 0, n - 1)).unwrap().finish, Finish::Length);
        let stopped = Request { stop: vec!["bca".to_owned()], ..asked(&three, 0, 100) };
        let stopped = run(&mut engine.session(), stopped).unwrap();
        assert_eq!((stopped.finish, stopped.text.as_str()), (Finish::StopString, "a"));
        // Nothing but the end may follow, and the caller wants none.
        let beyond = Request { ignore_eos: true, ..asked(&three, 0, 100) };
        assert_eq!(run(&mut engine.session(), beyond).unwrap().finish, Finish::GrammarEnd);
        // The sampler bans all that the grammar allows.
        let digits = compiler.compile(&Grammar::Regex("[ab]".to_owned())).unwrap();
        let n_vocab = engine.runtime().borrow().config().n_vocab;
        let mut banned = asked(&digits, 1, 10);
        banned.sampler.logit_bias = digits
            .fork()
            .mask()
            .unwrap()
            .iter()
            .filter(|id| *id < n_vocab)
            .map(|id| (id, f32::NEG_INFINITY))
            .collect();
        let stuck = run(&mut engine.session(), banned);
        assert!(matches!(stuck, Err(EngineError::Constraint(ConstraintError::Stuck { at: 0 }))));
    }
}

/// A few of the real schemas; with `GOLDCREST_FULL=1` all 60, greedy and drawn.
#[test]
fn smollm2_writes_what_real_schemas_accept() {
    let (Some(model), Some(cases)) = (smollm2(), golden("public/jsonschemabench_60.jsonl")) else { return };
    let full = std::env::var_os("GOLDCREST_FULL").is_some_and(|v| v == "1");
    let engine = load(&model, "cpu").unwrap();
    let compiler = compiler(&engine);
    let (mut finished, mut cut, mut refused) = (0, 0, 0);
    for (i, line) in std::fs::read_to_string(cases).unwrap().lines().enumerate() {
        if !full && i % 10 != 0 {
            continue;
        }
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["id"].as_str().unwrap();
        let Ok(constraint) = compiler.compile(&schema(case["schema"].clone())) else {
            refused += 1;
            continue;
        };
        for seed in [0, 1, 2].into_iter().take(if full { 3 } else { 2 }) {
            let ask = format!("Write an example of this JSON schema, short:\n{}", case["schema"]);
            let ask: String = ask.chars().take(1500).collect();
            let messages = json!([{ "role": "user", "content": ask }]);
            let input = goldcrest::prompt::RenderInput {
                messages,
                add_generation_prompt: true,
                ..Default::default()
            };
            let request = Request { prompt: Prompt::Chat(Box::new(input)), ..asked(&constraint, seed, 200) };
            let outcome = run(&mut engine.session(), request).unwrap();
            check(&case["schema"], &outcome, name);
            if outcome.finish == Finish::Length {
                cut += 1
            } else {
                finished += 1
            }
            println!("{i} {name}, seed {seed}: {:?} after {} tokens", outcome.finish, outcome.tokens.len());
        }
    }
    println!("{finished} finished and valid, {cut} cut off at 200 tokens, {refused} schemas refused");
    assert!(finished > 0);
}
