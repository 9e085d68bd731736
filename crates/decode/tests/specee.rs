//! SpecEE: early layers may name the token; off at a threshold of one, and nothing of the cache is missing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail loudly and say what they leave out"
)]

mod common;
mod real;

use std::rc::Rc;

use common::{BIGRAM, bigram, head_file_of, outcome};
use goldcrest_decode::speculate::{HeadError, HeadFile, Speculate};
use goldcrest_decode::{Ask, DecodeError, Decoding, Lm, Method, Outcome, Resources, TableLm, decode_with};
use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::{Prompt, Request, Runtime};
use goldcrest_sample::SamplerParams;
use serde_json::Value;

/// Predictors with one hidden unit each: it reads the share of the first candidate, and is sure of an exit where `weight` times
/// that and `bias` are above zero.
fn predictors(layers: &[u32], weight: f32, bias: f32) -> Rc<HeadFile> {
    let names: Vec<[String; 3]> = (0..layers.len())
        .map(|k| ["up.weight", "down.weight", "down.bias"].map(|part| format!("exit.{k}.{part}")))
        .collect();
    let mut up = vec![0.0; 12];
    up[4] = 1.0;
    let tensors = names.iter().flat_map(|[a, b, c]| {
        [
            (a.as_str(), vec![1, 12], up.clone()),
            (b.as_str(), vec![1, 1], vec![weight]),
            (c.as_str(), vec![1], vec![bias]),
        ]
    });
    let listed = layers.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let tensors: Vec<_> = tensors.collect();
    Rc::new(HeadFile::parse(head_file_of(&[("kind", "specee"), ("layers", &listed)], &tensors)).unwrap())
}

/// The table as a model of six layers; its early ones like a token more the higher its number is.
fn layered(tilt: f32) -> TableLm {
    bigram().with_exits(6, move |context, layer| {
        let last = context.last().copied().unwrap_or(0);
        let tilt = tilt / layer as f32;
        (0..4).map(|id| (BIGRAM[last as usize][id as usize] + tilt * id as f32).ln()).collect()
    })
}

fn ask_with(head: Option<Rc<HeadFile>>, ask: Ask) -> Ask {
    Ask { resources: Resources { head, ..Resources::default() }, ..ask }
}

fn run(model: &mut TableLm, head: &Rc<HeadFile>, n: usize, spec: &str) -> Outcome {
    let ask = ask_with(Some(Rc::clone(head)), common::ask(n));
    let got = pollster::block_on(decode_with(model, ask, &Speculate::parse(spec).unwrap())).unwrap();
    assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
    got
}

fn said(outcome: &Outcome, of: &str) -> u64 {
    outcome.report["speculation"]["lossy"][of].as_u64().unwrap()
}

fn layers_a_token(outcome: &Outcome) -> f64 {
    outcome.report["speculation"]["layers_a_token"].as_f64().unwrap()
}

#[test]
fn at_a_threshold_of_one_it_is_plain_decoding() {
    let plain = outcome(&mut layered(0.6), common::ask(60), "sample");
    let got = run(&mut layered(0.6), &predictors(&[2, 4], 0.0, 9.0), 60, "specee:threshold=1");
    assert_eq!(got.tokens, plain.tokens);
    assert_eq!((said(&got, "early"), layers_a_token(&got)), (0, 6.0));
    assert_eq!(got.report["speculation"]["lossy"]["rule"], "specee");
}

#[test]
fn early_layers_that_say_the_same_save_their_layers() {
    let plain = outcome(&mut layered(0.0), common::ask(60), "sample");
    let mut model = layered(0.0);
    let got = run(&mut model, &predictors(&[2, 4], 0.0, 9.0), 60, "specee");
    assert_eq!(got.tokens, plain.tokens);
    assert_eq!((said(&got, "agreed"), said(&got, "taken")), (said(&got, "early"), 0));
    // The first time that a token comes nothing is known behind it, and every eighth runs through all layers.
    assert!(said(&got, "early") > 40 && layers_a_token(&got) < 3.5, "{:?}", got.report);
    // A predictor that is sure of nothing exits nowhere.
    let never = run(&mut layered(0.0), &predictors(&[2, 4], 0.0, -9.0), 60, "specee");
    assert_eq!((said(&never, "early"), never.tokens), (0, plain.tokens));
}

#[test]
fn what_the_whole_model_would_have_said_is_counted() {
    let got = run(&mut layered(2.0), &predictors(&[2, 4], 0.0, 9.0), 60, "specee");
    let context: Vec<u32> = [0].into_iter().chain(got.tokens.clone()).collect();
    let likeliest = |last: u32| {
        let row = BIGRAM[last as usize];
        (0..4).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as u32
    };
    let other = context.windows(2).filter(|pair| likeliest(pair[0]) != pair[1]).count();
    assert!(other > 0);
    assert_eq!(said(&got, "taken") as usize, other);
    assert_eq!(said(&got, "agreed") + said(&got, "taken"), said(&got, "early"));
    // A predictor that asks for more than half of the candidates' shares exits less often.
    let careful = run(&mut layered(2.0), &predictors(&[2, 4], 16.0, -8.0), 60, "specee");
    assert!(said(&careful, "early") < said(&got, "early"));
}

#[test]
fn what_it_cannot_do_is_named() {
    let error = |head: Option<Rc<HeadFile>>, ask: Ask, spec: &str| {
        let method = Speculate::parse(spec).unwrap();
        pollster::block_on(decode_with(&mut layered(0.0), ask_with(head, ask), &method)).unwrap_err()
    };
    let head = || Some(predictors(&[2], 0.0, 0.0));
    assert!(matches!(error(None, common::ask(4), "specee"), DecodeError::MissingResource { .. }));
    let drawn = error(head(), common::sampled(4, 1), "specee");
    assert!(matches!(drawn, DecodeError::InvalidParameter { name: "temperature", .. }), "{drawn}");
    let deep = error(Some(predictors(&[2, 6], 0.0, 0.0)), common::ask(4), "specee");
    assert!(matches!(deep, DecodeError::Head(HeadError::BadSetting { key: "layers", .. })), "{deep}");
    let medusa = HeadFile::parse(head_file_of(&[("kind", "medusa")], &[])).unwrap();
    let other = error(Some(Rc::new(medusa)), common::ask(4), "specee");
    assert!(matches!(other, DecodeError::Head(HeadError::WrongKind { kind: "medusa", .. })), "{other}");
    let rows = Speculate::parse("specee:rows=4").unwrap_err();
    assert!(matches!(rows, DecodeError::UnknownParameter { .. }), "{rows}");
    let mut names = Speculate::DRAFTERS.iter().map(|(name, _)| *name);
    let lossy = |name: &str| match Speculate::parse(name) {
        Ok(Method::Speculate(speculate)) => speculate.lossy().is_some(),
        _ => false,
    };
    assert!(names.all(|name| lossy(name) == (name == "specee")));
    let sampler = SamplerParams { temperature: 0.0, ..SamplerParams::default() };
    let staged = error(head(), Ask { sampler, ..common::ask(4) }, "specee");
    assert!(matches!(staged, DecodeError::InvalidParameter { name: "temperature", .. }), "{staged}");
}

/// How many tokens of an answer are not the likeliest of the whole model behind those before, by one plain pass, leaving out
/// places where the two best are closer than rounding.
fn not_likeliest(runtime: &mut Runtime, prompt: &[u32], answer: &[u32]) -> usize {
    let seq = runtime.pool_mut().create();
    let text: Vec<u32> = prompt.iter().chain(answer).copied().collect();
    let rows = text[..text.len() - 1].iter().zip(0..).map(|(token, pos)| {
        let wants = Wants { stats: pos as usize + 1 >= prompt.len(), ..Wants::default() };
        BatchRow::token(*token, pos, seq).wanting(wants)
    });
    let batch = Batch { rows: rows.collect(), ..Batch::default() };
    let found = pollster::block_on(Lm::forward(runtime, &batch)).unwrap();
    runtime.pool_mut().free(seq).unwrap();
    let said = found.rows.iter().map(|row| row.stats.unwrap());
    said.zip(answer).filter(|(said, token)| said.argmax != **token && said.top2_gap > 0.05).count()
}

/// A real model: rows that waited before a layer give the cells that plain decoding gives, or the counts would not be the same.
fn check(engine: &goldcrest_engine::Engine, prompts: &[Vec<u32>], layers: &[u32], n: usize) {
    let head = predictors(layers, 0.0, 9.0);
    for prompt in prompts {
        let ask = || Ask { max_tokens: n, ..ask_with(Some(Rc::clone(&head)), Ask::new(prompt.clone())) };
        let plain = real::run(engine, ask(), &Method::parse("sample").unwrap());
        let off = real::run(engine, ask(), &Speculate::parse("specee:threshold=1").unwrap());
        real::compare(engine, prompt, &plain.tokens, &off.tokens, "specee:threshold=1");
        let got = real::run(engine, ask(), &Speculate::parse("specee:threshold=0").unwrap());
        let other = not_likeliest(&mut engine.runtime().borrow_mut(), prompt, &got.tokens);
        let report: &Value = &got.report["speculation"];
        println!("{} tokens: {report}", got.tokens.len());
        let taken = said(&got, "taken") as usize;
        assert!(said(&got, "early") > 0 && taken.abs_diff(other) <= 1, "{taken} and {other}: {report}");
    }
}

#[test]
fn tokens_that_waited_before_a_layer_leave_the_cells_of_plain_decoding() {
    for name in ["llama", "gemma3", "qwen3"] {
        let Some(engine) = real::tiny(name) else { continue };
        let (n_vocab, n_layer) = {
            let runtime = engine.runtime().borrow();
            (runtime.config().n_vocab, runtime.config().n_layer)
        };
        let prompt: Vec<u32> = (0..24).map(|i| (i * i * 7 + 3) % n_vocab).collect();
        let layers: Vec<u32> = (1..n_layer).collect();
        check(&engine, &[prompt], &layers, 60);
    }
}

#[test]
fn a_deterministic_load_refuses_what_makes_another_answer() {
    for deterministic in [true, false] {
        let Some(engine) = real::tiny_with("llama", deterministic) else { return };
        let mut session = engine.session();
        let request = Request { max_tokens: Some(1), ..Request::greedy(Prompt::Tokens(vec![1, 2, 3])) };
        let mut refused = |spec: &str| {
            let method = Speculate::parse(spec).unwrap();
            match Decoding::start(&mut session, &request, method, Resources::default(), Vec::new()) {
                Err(DecodeError::InvalidParameter { name, value, .. }) => Some((name, value)),
                Err(error) => panic!("{spec}: {error}"),
                Ok(_) => None,
            }
        };
        let named = |name, value: &str| deterministic.then(|| (name, value.to_owned()));
        assert_eq!(refused("auto:accept=typical"), named("accept", "typical"));
        assert_eq!(refused("suffix:accept=judge"), named("accept", "judge"));
        assert_eq!(refused("specee"), named("drafter", "specee"));
        assert_eq!(refused("auto"), None);
    }
}

#[test]
fn smollm2_exits_early_and_keeps_its_cells() {
    let Some(engine) = real::smollm2() else { return };
    let prompts = real::prompts(&engine, "chat");
    let n = if real::full() { 8 } else { 1 };
    check(&engine, &prompts[..n], &[24, 27], if real::full() { 96 } else { 24 });
}
