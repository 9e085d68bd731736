//! Choices on the host: the tokens that whole rows give, from as few bytes as they need, counted exactly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{batch, devices, forward, tiny_engine};
use goldcrest_engine::batch::Wants;
use goldcrest_engine::{Engine, Prompt, Request};
use goldcrest_sample::{Candidates, SamplerParams};

const PROMPT: [u32; 6] = [1, 7, 30, 11, 200, 45];
const N: u64 = 12;
/// The figures of a row, and its best 256 with their logits.
const FIGURES: u64 = 32;
const BEST: u64 = 256 * 8;
/// The tiny model's vocabulary.
const ROW: u64 = 384 * 4;

struct Run {
    tokens: Vec<u32>,
    bytes: u64,
    readbacks: u64,
}

/// Bytes and read-backs of the decoding alone: the prompt brings none.
fn run(engine: &Engine, sampler: &SamplerParams, logprobs: Option<usize>) -> Run {
    let request = Request {
        max_tokens: Some(N as usize),
        sampler: sampler.clone(),
        ignore_eos: true,
        logprobs,
        ..Request::greedy(Prompt::Tokens(PROMPT.to_vec()))
    };
    let mut session = engine.session();
    let before = engine.runtime().borrow().counters();
    let mut generation = session.generate(request).unwrap();
    while pollster::block_on(generation.next()).unwrap().is_some() {}
    let tokens = generation.tokens().to_vec();
    drop(generation);
    let after = engine.runtime().borrow().counters();
    Run { tokens, bytes: after.bytes_read - before.bytes_read, readbacks: after.readbacks - before.readbacks }
}

/// The tokens that the chain chooses from whole rows.
fn from_whole_rows(engine: &Engine, sampler: &SamplerParams) -> Vec<u32> {
    let mut runtime = engine.runtime().borrow_mut();
    let seq = runtime.pool_mut().create();
    let mut chain = sampler.to_chain().unwrap();
    PROMPT.iter().for_each(|token| chain.accept(*token));
    let mut input = PROMPT.to_vec();
    let mut tokens = Vec::new();
    for _ in 0..N {
        let rows = batch(&runtime, seq, &input, &Wants { row: true, ..Wants::default() });
        let result = forward(&mut runtime, &rows);
        let position = runtime.pool().sequence(seq).unwrap().next_pos();
        let mut candidates = Candidates::from_row(&result.rows.last().unwrap().logits).unwrap();
        let choice = chain.choose(&mut candidates, position).unwrap();
        chain.commit(&choice);
        tokens.push(choice.id);
        input = vec![choice.id];
    }
    runtime.pool_mut().free(seq).unwrap();
    tokens
}

/// A name, parameters, and bytes and read-backs per token; none where they depend on the step.
type Case = (&'static str, SamplerParams, Option<(u64, u64)>);

#[test]
fn tokens_equal_those_of_whole_rows_and_cost_what_they_need() {
    let base = SamplerParams { seed: 11, ..SamplerParams::neutral() };
    let with = |change: fn(&mut SamplerParams)| {
        let mut params = base.clone();
        change(&mut params);
        params
    };
    // Per token: bytes, and read-backs.
    let best = (FIGURES + BEST, 1);
    let row = (FIGURES + ROW, 1);
    let cases: [Case; 9] = [
        ("DRY and the best 40", with(|p| (p.dry_multiplier, p.top_k) = (0.8, 40)), Some(best)),
        ("n-grams, greedy", with(|p| (p.no_repeat_ngram, p.temperature) = (2, 0.0)), Some(best)),
        (
            "top-H",
            with(|p| (p.temperature, p.top_h, p.order) = (2.0, 0.4, goldcrest_sample::Order::HuggingFace)),
            Some(best),
        ),
        ("typical behind top-k", with(|p| (p.typical_p, p.top_k) = (0.5, 100)), Some(best)),
        ("typical", with(|p| p.typical_p = 0.5), Some(row)),
        ("hot draw", with(|p| p.temperature = 1.5), Some(row)),
        ("Mirostat 1", with(|p| (p.mirostat, p.mirostat_tau) = (1, 3.0)), Some(row)),
        // Whether the best 256 of the 384 settle it depends on the step.
        ("Mirostat 2", with(|p| (p.mirostat, p.mirostat_tau) = (2, 4.0)), None),
        ("top-p", with(|p| (p.top_p, p.dry_multiplier) = (0.99, 0.0)), None),
    ];
    for device in devices() {
        let engine = tiny_engine(Rc::clone(&device), 64);
        for (what, sampler, cost) in &cases {
            let place = format!("{what} on {}", device.info().name);
            let found = run(&engine, sampler, None);
            assert_eq!(found.tokens, from_whole_rows(&engine, sampler), "{place}");
            match cost {
                Some((bytes, readbacks)) => {
                    assert_eq!((found.bytes, found.readbacks), (bytes * N, readbacks * N), "{place}");
                }
                None => {
                    let fetched = found.readbacks - N;
                    assert_eq!(found.bytes, (FIGURES + BEST) * N + ROW * fetched, "{place}");
                    println!("{place}: {fetched} of {N} rows fetched");
                }
            }
        }
        let params = with(|p| p.typical_p = 0.5);
        assert_eq!(run(&engine, &params, Some(3)).bytes, (FIGURES + BEST + ROW) * N);
        assert_eq!(run(&engine, &SamplerParams::greedy(), Some(3)).bytes, (FIGURES + BEST) * N);
    }
}

/// A step that the best 256 cannot settle, forced: the row is fetched behind it.
#[test]
fn the_row_is_fetched_where_the_best_do_not_settle_a_step() {
    let sampler = SamplerParams { top_p: 0.9999, seed: 3, ..SamplerParams::neutral() };
    for device in devices() {
        let engine = tiny_engine(device, 64);
        let found = run(&engine, &sampler, None);
        assert_eq!(found.tokens, from_whole_rows(&engine, &sampler));
        assert_eq!((found.bytes, found.readbacks), ((FIGURES + BEST + ROW) * N, 2 * N));
    }
}
