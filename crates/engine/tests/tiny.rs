//! Every tiny model against its float32 reference: logits, argmax at every position, greedy path.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{Golden, devices, golden, load};
use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::{Runtime, RuntimeOptions};
use goldcrest_sample::SamplerParams;
use serde_json::Value;

/// Distance of logits to the reference. The models' logits have a standard deviation of 2 to 10; llama.cpp's own
/// distance is 2.5e-5, and keys and values are stored here as halves, which costs about 1e-3.
const TOLERANCE: f32 = 0.02;
/// A greedy path may part from the reference where the two best logits are closer than this.
const TIE: f32 = 0.05;

const MODELS: &[&str] = &[
    "llama", "llama3_rope", "llama_spm", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2", "olmoe", "mixtral",
];

#[test]
fn tiny_models_match_their_references() {
    for name in MODELS {
        let (Some(file), Some(json)) = (golden(&format!("tiny/{name}.gguf")), golden(&format!("tiny/{name}.json")))
        else {
            continue;
        };
        let reference: Value = serde_json::from_slice(&json).unwrap();
        for device in devices() {
            let mut runtime = load(&file, device, &RuntimeOptions::default());
            check_cases(name, &mut runtime, &reference);
            check_greedy(name, &mut runtime, &reference["greedy"]);
        }
    }
}

fn check_cases(name: &str, runtime: &mut Runtime, reference: &Value) {
    for case in reference["cases"].as_array().unwrap() {
        let ids = case["ids"].u32s();
        let expected = case["logits_last"].f32s();
        let argmax = case["argmax_every_position"].u32s();
        let gaps = case["top2_gap_every_position"].f32s();
        let seq = runtime.pool_mut().create();
        let wants = Wants { stats: true, row: true, ..Wants::default() };
        let rows = ids.iter().zip(0..).map(|(t, pos)| BatchRow::token(*t, pos, seq).wanting(wants.clone()));
        let batch = Batch { rows: rows.collect(), ..Batch::default() };
        let result = pollster::block_on(runtime.forward(&batch)).unwrap();
        for (row, (expected, gap)) in result.rows.iter().zip(argmax.iter().zip(&gaps)) {
            let found = row.stats.unwrap().argmax;
            assert!(found == *expected || *gap < TIE, "{name}: position {}: {found} for {expected}", row.row);
        }
        let logits = &result.rows.last().unwrap().logits;
        let worst = logits.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{name} on {}: {} tokens, worst logit {worst:.2e}", runtime.device().info().name, ids.len());
        assert!(worst < TOLERANCE, "{name}: worst logit is {worst} away");
        runtime.pool_mut().free(seq).unwrap();
    }
}

fn check_greedy(name: &str, runtime: &mut Runtime, reference: &Value) {
    let prompt = reference["prompt"].u32s();
    let expected = reference["ids"].u32s();
    let gaps = reference["gaps"].f32s();
    for k in [1, 4, 16] {
        let seq = runtime.pool_mut().create();
        let (last, before) = prompt.split_last().unwrap();
        pollster::block_on(runtime.prefill(seq, before, &mut |_| true)).unwrap();
        let params = SamplerParams::greedy();
        let mut run = runtime.start_decode(seq, *last, &params, &[]).unwrap();
        let mut found = Vec::new();
        while found.len() < expected.len() {
            runtime.submit_decode(&mut run, k).unwrap();
            found.extend(pollster::block_on(runtime.take_decoded(&mut run)).unwrap().iter().map(|t| t.token));
        }
        runtime.end_decode(run, expected.len()).unwrap();
        runtime.pool_mut().free(seq).unwrap();
        let parted = expected.iter().zip(&found).position(|(a, b)| a != b);
        assert!(parted.is_none_or(|i| gaps[i] < TIE), "{name}, k = {k}: {found:?} for {expected:?}");
    }
}
