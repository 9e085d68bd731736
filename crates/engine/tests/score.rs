//! Scores of continuations: those of plain runs, from one run of the prefix, with the cache left as it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{batch, devices, forward, golden, gpu, load, model, worst};
use goldcrest_engine::batch::Wants;
use goldcrest_engine::{Engine, EngineError, EngineOptions, Event, Prompt, Request, Runtime, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{CpuDevice, Device};

/// Rows of a batch and rows alone sum in another order; keys and values are halves.
const CLOSE: f32 = 2e-3;

/// What a plain run of prefix and continuation gives.
fn plain(runtime: &mut Runtime, prefix: &[u32], continuation: &[u32]) -> Vec<f32> {
    let seq = runtime.pool_mut().create();
    let tokens = [prefix, continuation].concat();
    let rows = batch(runtime, seq, &tokens, &Wants { row: true, ..Wants::default() });
    let result = forward(runtime, &rows);
    runtime.pool_mut().free(seq).unwrap();
    let behind = result.rows[prefix.len() - 1..].iter().zip(continuation);
    behind.map(|(row, token)| row.logits[*token as usize] - row.stats.unwrap().log_sum_exp).collect()
}

fn tiny(device: Rc<dyn Device>) -> Runtime {
    load(
        &golden("tiny/llama.gguf").unwrap(),
        device,
        &RuntimeOptions { n_ctx: 64, ..RuntimeOptions::default() },
    )
}

#[test]
fn scores_equal_those_of_plain_runs() {
    for device in devices() {
        let mut runtime = tiny(device);
        let prefix = [1, 20, 300, 41, 5];
        let continuations: Vec<Vec<u32>> =
            vec![vec![7], vec![9, 10, 11], vec![], vec![9, 200], vec![7], (30..35).collect()];
        let before = runtime.forward_passes();
        let scored = pollster::block_on(runtime.score(&prefix, &continuations)).unwrap();
        // The prefix but for its last token, that token, and all continuations together.
        assert_eq!(runtime.forward_passes() - before, 3);
        assert_eq!(runtime.pool().n_free(), runtime.pool().n_cells());
        assert_eq!(scored.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 0, 2, 1, 5]);
        for (continuation, scored) in continuations.iter().zip(&scored) {
            assert!(worst(scored, &plain(&mut runtime, &prefix, continuation)) < CLOSE, "{continuation:?}");
        }
        assert_eq!(scored[0], scored[4]);
    }
}

/// More continuations than there are tables for sequences with scattered cells, and more first tokens than a step lists.
#[test]
fn many_continuations_run_in_groups() {
    let mut runtime = tiny(Rc::new(CpuDevice::new()));
    let many: Vec<Vec<u32>> = (0..150).map(|i| vec![i, i + 1, i + 2]).collect();
    let scored = pollster::block_on(runtime.score(&[1, 2, 3], &many)).unwrap();
    assert_eq!(runtime.pool().n_free(), runtime.pool().n_cells());
    for index in [0, 31, 32, 149] {
        assert!(worst(&scored[index], &plain(&mut runtime, &[1, 2, 3], &many[index])) < CLOSE, "{index}");
    }
    // The probabilities of all one-token continuations are a distribution.
    let all: Vec<Vec<u32>> = (0..384).map(|token| vec![token]).collect();
    let scored = pollster::block_on(runtime.score(&[1, 2, 3], &all)).unwrap();
    let total: f32 = scored.iter().map(|lp| lp[0].exp()).sum();
    assert!((total - 1.0).abs() < 1e-4, "{total}");
}

#[test]
fn what_cannot_be_scored_is_refused_and_leaves_nothing_behind() {
    let mut runtime = tiny(Rc::new(CpuDevice::new()));
    let mut score = |prefix: &[u32], continuation: Vec<u32>| {
        let result = pollster::block_on(runtime.score(prefix, &[continuation]));
        assert_eq!(runtime.pool().n_free(), runtime.pool().n_cells());
        result
    };
    assert!(matches!(score(&[], vec![1]), Err(EngineError::EmptyPrompt)));
    assert!(matches!(score(&[1], vec![384]), Err(EngineError::BadToken { token: 384, .. })));
    assert!(matches!(score(&[384], vec![1]), Err(EngineError::BadToken { .. })));
    assert!(matches!(score(&[1; 60], vec![1; 6]), Err(EngineError::PromptTooLong { .. })));
    // 60 + 5 tokens: the last is looked up, not run.
    assert_eq!(score(&[1; 60], vec![1; 5]).unwrap().concat().len(), 5);
}

/// The greedy continuation's score is what the generation reported.
#[test]
fn smollm2_scores_its_own_answer_as_it_gave_it() {
    let Some(file) = model(&["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"]) else { return };
    let device: Rc<dyn Device> = gpu().unwrap_or_else(|| Rc::new(CpuDevice::new()));
    let gguf = Gguf::parse(&file).unwrap();
    let mut source = file.as_slice();
    let options = EngineOptions { skip_selftest: true, ..EngineOptions::default() };
    let engine =
        pollster::block_on(Engine::load(&gguf, &mut source, device, &options, &mut |_, _, _| {})).unwrap();
    let prompt = Prompt::Text { text: "The capital of France is".to_owned(), parse_special: false };
    let mut session = engine.session();
    let request = Request { max_tokens: Some(8), ignore_eos: true, ..Request::greedy(prompt.clone()) };
    let mut generation = session.generate(request).unwrap();
    let (mut text, mut logprobs) = (String::new(), Vec::new());
    while let Some(event) = pollster::block_on(generation.next()).unwrap() {
        match event {
            Event::Token(token) => {
                text += &token.text;
                logprobs.push(token.logprob);
            }
            Event::End { text: tail, .. } => text += &tail,
            Event::Prefill { .. } | Event::Working { .. } => {}
        }
    }
    drop(generation);
    let continuations = [text.clone(), " Berlin".to_owned(), " Paris".to_owned()];
    let scored = pollster::block_on(session.score(&prompt, &continuations)).unwrap();
    assert_eq!(scored[0].logprobs.len(), logprobs.len(), "{text:?} is cut as it was written");
    assert!(worst(&scored[0].logprobs, &logprobs) < 0.02, "{:?} for {logprobs:?}", scored[0]);
    assert!(scored[2].logprob() > scored[1].logprob() + 2.0);
}
