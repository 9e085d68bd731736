//! What decoding costs, counted exactly: dispatches, submits, read-backs, and nothing else in the loop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{decode_greedy, devices, golden, gpu, load, model};
use goldcrest_engine::{Runtime, RuntimeOptions};
use goldcrest_gpu::Counters;
use goldcrest_sample::SamplerParams;

/// Query, key and value in one product with the norm before it; rotation, store and attention; output; gate and up in one
/// product with the norm before it; down.
const PER_LAYER: u64 = 5;
/// Embedding; head with the norm before it; statistics in two stages; the choice, which makes the next step.
const PER_TOKEN: u64 = 5;
/// A token, its log-probability, its entropy and flags.
const BYTES_PER_TOKEN: u64 = 16;

#[test]
fn decoding_a_tiny_llama_costs_what_is_documented() {
    let file = golden("tiny/llama.gguf").expect("part of the repository");
    for device in devices() {
        let mut runtime = load(&file, Rc::clone(&device), &RuntimeOptions::default());
        check(&mut runtime, &SamplerParams::greedy(), PER_TOKEN);
        // Sampling also sorts the candidates: 384 logits are one block.
        let sampled = SamplerParams { temperature: 0.8, ..SamplerParams::default() };
        assert!(runtime.decodes_on_device(&sampled));
        check(&mut runtime, &sampled, PER_TOKEN + 1);
        // Penalties are one more.
        let penalized = SamplerParams { repeat_penalty: 1.1, ..SamplerParams::greedy() };
        check(&mut runtime, &penalized, PER_TOKEN + 1);
    }
}

#[test]
fn decoding_smollm2_costs_what_is_documented() {
    let Some(device) = gpu() else { return };
    let Some(file) = model(&["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"]) else { return };
    let mut runtime = load(&file, device, &RuntimeOptions::default());
    assert_eq!(runtime.config().n_layer, 30);
    assert_eq!(check(&mut runtime, &SamplerParams::greedy(), PER_TOKEN), 155);
}

#[test]
fn an_answer_that_grows_long_compiles_nothing() {
    let Some(device) = gpu() else { return };
    let file = golden("tiny/llama.gguf").expect("part of the repository");
    let forced = vec![("split_from".to_owned(), "16".to_owned())];
    let options = RuntimeOptions { forced, ..RuntimeOptions::default() };
    let mut runtime = load(&file, device, &options);
    pollster::block_on(runtime.prepare(&mut |_, _| {})).unwrap();
    let seq = runtime.pool_mut().create();
    let before = runtime.counters().pipelines;
    assert_eq!(decode_greedy(&mut runtime, seq, 7, 24, 4).len(), 24);
    assert_eq!(runtime.counters().pipelines, before);
}

/// Decodes with `k` steps per submit, one submit in flight and then two. Returns the dispatches per token.
fn check(runtime: &mut Runtime, params: &SamplerParams, per_token: u64) -> u64 {
    const ROUNDS: u64 = 3;
    let n_layer = u64::from(runtime.config().n_layer);
    let dispatches = PER_LAYER * n_layer + per_token;
    // The cache grows a few times in the life of a context, which makes buffers and plans anew.
    runtime.reserve(128).unwrap();
    for (k, ahead) in [(1, 0), (8, 0), (8, 1)] {
        let seq = runtime.pool_mut().create();
        let mut run = runtime.start_decode(seq, 7, params, &[7]).unwrap();
        for _ in 0..=ahead {
            runtime.submit_decode(&mut run, k).unwrap();
        }
        assert_eq!(pollster::block_on(runtime.take_decoded(&mut run)).unwrap().len(), k);
        let before = runtime.counters();
        for _ in 0..ROUNDS {
            runtime.submit_decode(&mut run, k).unwrap();
            assert_eq!(pollster::block_on(runtime.take_decoded(&mut run)).unwrap().len(), k);
        }
        let after = runtime.counters();
        let tokens = ROUNDS * k as u64;
        let expected = Counters {
            submits: before.submits + ROUNDS,
            dispatches: before.dispatches + dispatches * tokens,
            readbacks: before.readbacks + ROUNDS,
            bytes_read: before.bytes_read + BYTES_PER_TOKEN * tokens,
            ..before
        };
        assert_eq!(after, expected, "k = {k}, {ahead} submits ahead, {}", runtime.device().info().name);
        let n = run.in_flight() + 1;
        while run.in_flight() > 0 {
            pollster::block_on(runtime.take_decoded(&mut run)).unwrap();
        }
        runtime.end_decode(run, n).unwrap();
        runtime.pool_mut().free(seq).unwrap();
    }
    println!("{}: {dispatches} dispatches per token", runtime.device().info().name);
    dispatches
}
