//! Conversations: limits, stop texts, reuse of the cache, turns between sessions, equal draws on device and host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{devices, golden, tiny_engine};
use goldcrest_engine::{
    Engine, EngineError, EngineOptions, Event, Finish, Phase, Prompt, Request, Session, Stats,
};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{AdapterKind, CpuDevice};
use goldcrest_sample::SamplerParams;

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
                Event::Prefill { .. } | Event::Working { .. } => {}
            }
        }
        let (tokens, stats) = (generation.tokens().to_vec(), generation.stats()?);
        Ok(Outcome { tokens, text, finish: end.unwrap(), stats })
    })
}

/// Pipelines compile while weights arrive: the first answer makes plans of what is there.
#[test]
fn the_first_generation_compiles_nothing() {
    for device in devices() {
        let compiles = device.info().kind != AdapterKind::Cpu;
        let engine = tiny_engine(device, 256);
        let compiled = engine.runtime().borrow().counters().pipelines;
        let sampler = SamplerParams::default();
        let request = Request { max_tokens: Some(4), sampler, ..Request::greedy(tokens(8)) };
        run(&mut engine.session(), request).unwrap();
        assert_eq!(engine.runtime().borrow().counters().pipelines, compiled);
        assert_eq!(compiled > 0, compiles);
    }
}

/// Every pipeline that is compiled before the weights is counted, and nothing else compiles.
#[test]
fn progress_counts_pipelines_and_then_bytes() {
    let file = golden("tiny/llama.gguf").unwrap();
    let gguf = Gguf::parse(&file).unwrap();
    for device in devices() {
        let mut seen = Vec::new();
        let before = device.counters().pipelines;
        let options = EngineOptions { skip_selftest: true, ..EngineOptions::default() };
        let mut progress = |phase, done, total| seen.push((phase, done, total));
        let mut source = file.as_slice();
        let loading = Engine::load(&gguf, &mut source, Rc::clone(&device), &options, &mut progress);
        pollster::block_on(loading).unwrap();
        let n = seen.iter().filter(|(phase, ..)| *phase == Phase::Compile).count() as u64;
        let expected: Vec<_> = (1..=n).map(|i| (Phase::Compile, i, n)).collect();
        assert_eq!(seen[..n as usize], expected);
        assert!(seen[n as usize..].iter().all(|(phase, ..)| *phase == Phase::Upload));
        let bytes = gguf.tensors.iter().map(|t| t.n_bytes).sum();
        assert_eq!(seen.last(), Some(&(Phase::Upload, bytes, bytes)));
        if device.info().kind != AdapterKind::Cpu {
            assert_eq!(device.counters().pipelines - before, n);
        }
    }
}

fn tokens(n: usize) -> Prompt {
    Prompt::Tokens((0..n as u32).map(|i| (i * 7 + 3) % 384).collect())
}

fn greedy(prompt: Prompt, n: usize) -> Request {
    Request { max_tokens: Some(n), ignore_eos: true, ..Request::greedy(prompt) }
}

#[test]
fn the_context_is_filled_exactly_and_never_overrun() {
    let engine = tiny_engine(Rc::new(CpuDevice::new()), 64);
    for (n_prompt, expected) in [(60, 5), (63, 2), (64, 1)] {
        let request = Request { max_tokens: None, ..greedy(tokens(n_prompt), 0) };
        let outcome = run(&mut engine.session(), request).unwrap();
        assert_eq!(
            (outcome.tokens.len(), outcome.finish),
            (expected, Finish::Length),
            "{n_prompt} tokens of prompt"
        );
    }
    let refused = run(&mut engine.session(), greedy(tokens(65), 1)).err().unwrap();
    assert!(matches!(refused, EngineError::PromptTooLong { n_prompt: 65, n_ctx: 64 }));
    let refused = run(&mut engine.session(), greedy(tokens(0), 1)).err().unwrap();
    assert!(matches!(refused, EngineError::EmptyPrompt));
    let refused = run(&mut engine.session(), greedy(Prompt::Tokens(vec![384]), 1)).err().unwrap();
    assert!(matches!(refused, EngineError::BadToken { token: 384, n_vocab: 384 }));
    assert_eq!(run(&mut engine.session(), greedy(tokens(5), 0)).unwrap().tokens.len(), 0);
}

#[test]
fn device_and_host_draw_the_same_tokens() {
    for device in devices() {
        let engine = tiny_engine(device, 0);
        for (seed, penalty) in [(1, 1.0), (2, 1.3), (3, 1.1)] {
            let sampler = SamplerParams {
                temperature: 1.2,
                top_k: 40,
                top_p: 0.9,
                min_p: 0.02,
                repeat_penalty: penalty,
                seed,
                ..SamplerParams::neutral()
            };
            let on_device = Request { sampler, ..greedy(tokens(9), 24) };
            // Asking for alternatives puts the host into the loop.
            let on_host = Request { logprobs: Some(2), ..on_device.clone() };
            let (a, b) = (
                run(&mut engine.session(), on_device).unwrap(),
                run(&mut engine.session(), on_host).unwrap(),
            );
            assert_eq!(
                a.tokens,
                b.tokens,
                "seed {seed} on {}",
                engine.runtime().borrow().device().info().name
            );
            assert!(a.stats.submits <= b.stats.submits);
        }
    }
}

#[test]
fn only_what_is_new_is_run_and_turns_do_not_mix() {
    let engine = tiny_engine(Rc::new(CpuDevice::new()), 0);
    let mut session = engine.session();
    let first = run(&mut session, greedy(tokens(20), 6)).unwrap();
    assert_eq!(first.stats.prefill_tokens, 20);
    let mut longer: Vec<u32> = (0..20).map(|i| (i * 7 + 3) % 384).collect();
    longer.extend(&first.tokens);
    longer.extend([1, 2, 3]);
    let mut other = engine.session();
    run(&mut other, greedy(tokens(11), 4)).unwrap();
    let second = run(&mut session, greedy(Prompt::Tokens(longer.clone()), 6)).unwrap();
    // The last generated token was never an input, so that it and the three new ones are run.
    assert_eq!(second.stats.prefill_tokens, 4);
    let alone = run(&mut engine.session(), greedy(Prompt::Tokens(longer), 6)).unwrap();
    assert_eq!(second.tokens, alone.tokens);
    let again = run(&mut other, greedy(tokens(11), 4)).unwrap();
    assert_eq!(again.stats.prefill_tokens, 1, "all but the last token of the prompt is cached");
}

#[test]
fn stop_texts_cut_exactly_and_aborts_end_at_once() {
    let engine = tiny_engine(Rc::new(CpuDevice::new()), 0);
    let whole = run(&mut engine.session(), greedy(tokens(9), 24)).unwrap();
    let chars: Vec<(usize, char)> = whole.text.char_indices().filter(|(_, c)| *c != '\u{fffd}').collect();
    let (at, _) = chars[chars.len() / 2];
    let stop: String = whole.text[at..].chars().take(2).collect();
    let request = Request { stop: vec![stop.clone()], ..greedy(tokens(9), 24) };
    let cut = run(&mut engine.session(), request).unwrap();
    assert_eq!(cut.finish, Finish::StopString);
    assert_eq!(cut.text, whole.text[..whole.text.find(&stop).unwrap()]);

    let mut session = engine.session();
    pollster::block_on(async {
        let mut generation = session.generate(greedy(tokens(9), 24)).unwrap();
        while !matches!(generation.next().await.unwrap(), Some(Event::Token(_))) {}
        generation.abort();
        let end = generation.next().await.unwrap();
        assert!(matches!(end, Some(Event::End { finish: Finish::Aborted, .. })));
        assert!(generation.next().await.unwrap().is_none());
    });
    let after = run(&mut session, greedy(tokens(9), 24)).unwrap();
    assert_eq!(after.tokens, whole.tokens, "an aborted generation leaves a sound cache");
}
