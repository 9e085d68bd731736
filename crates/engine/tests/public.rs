//! Real models against a float32 reference on the same decoded weights: residual stream, logits, greedy path, perplexity.
//!
//! A short form runs by default; `GOLDCREST_FULL=1` runs every case on the adapter and on the CPU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;
use std::time::Instant;

use common::{Golden, TIE, batch, decode_greedy, forward, full, golden_json, gpu, load, model, worst};
use goldcrest_engine::batch::{Tap, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{Runtime, RuntimeOptions};
use goldcrest_gpu::{CpuDevice, Device};
use serde_json::Value;

/// Relative distance of the length of a hidden row.
const L2: f32 = 2e-3;
/// Distance of single values of a hidden row, as a part of the row's root mean square.
const HIDDEN: f32 = 2e-2;
/// Distance of log-probabilities, logits and log-sum-exps.
const LOGPROB: f32 = 0.02;
/// Relative distance of perplexities.
const PERPLEXITY: f32 = 0.005;

/// Prefix of the golden files; the names of the model file, in the model store and as published.
const MODELS: &[(&str, &[&str])] = &[
    ("smollm2", &["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"]),
    ("gemma3", &["gemma3-270m.gguf", "gemma-3-270m-q4_k_m.gguf"]),
    ("qwen25coder", &["qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"]),
];

/// How much is compared.
#[derive(Clone, Copy)]
struct Extent {
    /// Cases of the residual stream.
    layers: usize,
    /// Prompts of first-step logits and greedy path.
    prompts: usize,
    /// Tokens of each greedy path.
    steps: usize,
    /// Tokens of a perplexity window.
    window: usize,
    /// Perplexity windows.
    windows: usize,
}

const FULL: Extent = Extent { layers: 9, prompts: 99, steps: 99, window: 9999, windows: 99 };
const SHORT: Extent = Extent { layers: 1, prompts: 2, steps: 16, window: 65, windows: 1 };
const SHORT_CPU: Extent = Extent { layers: 1, prompts: 1, steps: 6, window: 0, windows: 0 };

#[test]
fn real_models_match_the_reference_on_the_adapter() {
    if let Some(device) = gpu() {
        check_models(&device, SHORT);
    }
}

#[test]
fn real_models_match_the_reference_on_the_cpu() {
    let device: Rc<dyn Device> = Rc::new(CpuDevice::new());
    check_models(&device, SHORT_CPU);
}

fn check_models(device: &Rc<dyn Device>, short: Extent) {
    let extent = if full() { FULL } else { short };
    let mut failures = Vec::new();
    for (name, files) in MODELS {
        let Some(file) = model(files) else { continue };
        let runtime = load(&file, Rc::clone(device), &RuntimeOptions::default());
        let mut subject = Subject { name, runtime, extent, failures: Vec::new() };
        subject.check();
        failures.extend(subject.failures);
    }
    assert!(failures.is_empty(), "{} of the comparisons failed:\n{}", failures.len(), failures.join("\n"));
}

/// A loaded model and what went wrong with it.
struct Subject {
    name: &'static str,
    runtime: Runtime,
    extent: Extent,
    failures: Vec<String>,
}

impl Subject {
    fn check(&mut self) {
        println!("== {} on {}", self.name, self.runtime.device().info().name);
        let file = |part: &str| golden_json(&format!("public/{}_{part}.json", self.name));
        let (layers, steps, perplexity) = (file("layers"), file("logits_greedy"), file("perplexity"));
        for case in cases(layers.as_ref()).take(self.extent.layers) {
            self.check_layers(case);
        }
        for (index, case) in cases(steps.as_ref()).enumerate().take(self.extent.prompts) {
            self.check_prompt(index, case);
        }
        if let Some(reference) = perplexity.filter(|_| self.extent.windows > 0) {
            self.check_perplexity(&reference);
        }
    }

    /// Notes a figure that has to stay below a bound.
    fn bound(&mut self, what: &str, found: f32, most: f32) {
        if found.is_nan() || found > most {
            self.failures.push(format!("{} {what}: {found:.5}, allowed is {most}", self.name));
        }
    }

    fn sequence(&mut self) -> SeqId {
        self.runtime.pool_mut().create()
    }

    /// The residual stream before every layer, and the row behind the final norm.
    fn check_layers(&mut self, case: &Value) {
        let (ids, hidden) = (case["ids"].u32s(), case["hidden"].as_array().unwrap());
        let (last, before) = hidden.split_last().unwrap();
        let seq = self.sequence();
        let mut rows = batch(&self.runtime, seq, &ids, &Wants { hidden: true, ..Wants::default() });
        rows.taps = (0..before.len() as u32).map(|layer| Tap::Read { layer }).collect();
        let result = forward(&mut self.runtime, &rows);
        let n_embd = self.runtime.config().n_embd as usize;
        let mut points: Vec<Vec<f32>> = result.taps;
        points.push(result.rows.into_iter().flat_map(|row| row.hidden).collect());
        let (mut worst_l2, mut worst_value) = ((0.0, 0), (0.0, 0));
        for (layer, (point, expected)) in points.iter().zip(before.iter().chain([last])).enumerate() {
            assert_eq!(point.len(), ids.len() * n_embd, "layer {layer}");
            let lengths: Vec<f32> = point.chunks_exact(n_embd).map(length).collect();
            let expected_lengths = expected["l2_all_positions"].f32s();
            let relative =
                lengths.iter().zip(&expected_lengths).map(|(a, b)| (a - b).abs() / b).fold(0.0, f32::max);
            let first = &point[(ids.len() - 1) * n_embd..][..8];
            let rms = lengths.last().unwrap() / (n_embd as f32).sqrt();
            let value = worst(first, &expected["first8"].f32s()) / rms;
            worst_l2 = if relative > worst_l2.0 { (relative, layer) } else { worst_l2 };
            worst_value = if value > worst_value.0 { (value, layer) } else { worst_value };
        }
        let (n, l2, value) = (ids.len(), worst_l2.0, worst_value.0);
        println!("{}: residual stream of {n} tokens: lengths {l2:.1e}, values {value:.1e}", self.name);
        self.bound(&format!("length after layer {}", worst_l2.1), worst_l2.0, L2);
        self.bound(&format!("values after layer {}", worst_value.1), worst_value.0, HIDDEN);
        self.runtime.pool_mut().free(seq).unwrap();
    }

    /// First-step logits, then the greedy path: decoded on the device until it parts, scored in one go from there on.
    fn check_prompt(&mut self, index: usize, case: &Value) {
        let (ids, path) = (case["ids"].u32s(), case["greedy"]["ids"].u32s());
        let path = &path[..path.len().min(self.extent.steps)];
        let steps = case["greedy"]["steps"].as_array().unwrap();
        let number = |step: usize, key: &str| steps[step][key].as_f64().unwrap() as f32;
        let seq = self.sequence();
        let (last, before) = ids.split_last().unwrap();
        let started = Instant::now();
        pollster::block_on(self.runtime.prefill(seq, before, &mut |_| true)).unwrap();
        let prefill = before.len() as f32 / started.elapsed().as_secs_f32();
        let first = batch(&self.runtime, seq, &[*last], &Wants { row: true, ..Wants::default() });
        let first = forward(&mut self.runtime, &first).rows.remove(0);
        let lse = first.stats.unwrap().log_sum_exp;
        self.check_first_step(index, &first.logits, lse, &case["first_step"]);

        let started = Instant::now();
        let mut found = vec![first.stats.unwrap().argmax];
        found.extend(decode_greedy(&mut self.runtime, seq, found[0], path.len() - 1, 4));
        let decode = (path.len() - 1) as f32 / started.elapsed().as_secs_f32();
        let parted = found.iter().zip(path).position(|(a, b)| a != b);
        if let Some(step) = parted {
            self.bound(
                &format!("prompt {index}: gap where the path parts, step {step}"),
                number(step, "gap"),
                TIE,
            );
        }

        self.runtime.pool_mut().truncate(seq, ids.len()).unwrap();
        let wants = Wants { stats: true, ..Wants::default() };
        let mut rows = batch(&self.runtime, seq, &path[..path.len() - 1], &wants);
        rows.rows.iter_mut().zip(&path[1..]).for_each(|(row, next)| row.wants.logits_at = vec![*next]);
        let scored = if rows.rows.is_empty() { Vec::new() } else { forward(&mut self.runtime, &rows).rows };
        let mut off = (first.logits[path[0] as usize] - lse - number(0, "lp")).abs();
        for (step, row) in (1..).zip(scored) {
            let stats = row.stats.unwrap();
            off = off.max((row.logits_at[0] - stats.log_sum_exp - number(step, "lp")).abs());
            if stats.argmax != path[step] {
                self.bound(
                    &format!("prompt {index}: gap where the best token differs, step {step}"),
                    number(step, "gap"),
                    TIE,
                );
            }
        }
        self.bound(&format!("prompt {index}: log-probabilities along the path"), off, LOGPROB);
        println!(
            "{}: prompt {index} ({} + {} tokens): log-probabilities {off:.1e}, parts {parted:?}; {prefill:.1} and {decode:.1} tokens/s",
            self.name,
            ids.len(),
            path.len(),
        );
        self.runtime.pool_mut().free(seq).unwrap();
    }

    fn check_first_step(&mut self, index: usize, logits: &[f32], lse: f32, reference: &Value) {
        let distance = |list: &str, minus: f32| {
            let pairs = reference[list].as_array().unwrap().iter();
            let off = pairs.map(|pair| {
                let (id, expected) = (pair[0].as_u64().unwrap() as usize, pair[1].as_f64().unwrap() as f32);
                (logits[id] - minus - expected).abs()
            });
            off.fold(0.0, f32::max)
        };
        let top = distance("top", lse);
        let probes = distance("probe", 0.0);
        let lse = (lse - reference["logsumexp"].as_f64().unwrap() as f32).abs();
        println!(
            "{}: prompt {index}: top 20 {top:.1e}, probes {probes:.1e}, log-sum-exp {lse:.1e}",
            self.name
        );
        self.bound(&format!("prompt {index}: top-20 log-probabilities"), top, LOGPROB);
        self.bound(&format!("prompt {index}: probed logits"), probes, LOGPROB);
        self.bound(&format!("prompt {index}: log-sum-exp"), lse, LOGPROB);
    }

    fn check_perplexity(&mut self, reference: &Value) {
        let results = &reference["results"]["transformers_f32"];
        let windows: Vec<Vec<u32>> =
            reference["windows"].as_array().unwrap().iter().map(Golden::u32s).collect();
        let per_token = reference["window0_token_nll_transformers_f32"].f32s();
        let mut sum = 0.0;
        for (index, ids) in windows.iter().enumerate().take(self.extent.windows) {
            let whole = self.extent.window >= ids.len();
            let ids = &ids[..ids.len().min(self.extent.window)];
            let nll = self.nll(ids);
            let total: f32 = nll.iter().sum();
            let expected = if whole {
                results["nll_sum"][index].as_f64().unwrap() as f32
            } else {
                per_token[..nll.len()].iter().sum()
            };
            let off = ((total - expected) / nll.len() as f32).exp() - 1.0;
            println!(
                "{}: window {index}, {} tokens: {total:.3} for {expected:.3}, perplexity {off:+.1e}",
                self.name,
                ids.len()
            );
            self.bound(&format!("window {index}: perplexity"), off.abs(), PERPLEXITY);
            if index == 0 {
                let worst = worst(&nll, &per_token[..nll.len()]);
                println!("{}: window 0: worst token {worst:.1e}", self.name);
                self.bound("window 0: one token", worst, LOGPROB);
            }
            sum += total;
        }
        if self.extent.windows < windows.len() || self.extent.window < windows[0].len() {
            return;
        }
        let count = results["count"].as_f64().unwrap() as f32;
        let (found, expected) = ((sum / count).exp(), results["perplexity"].as_f64().unwrap() as f32);
        println!("{}: perplexity {found:.4} for {expected:.4}", self.name);
        self.bound("perplexity", (found / expected - 1.0).abs(), PERPLEXITY);
        let long = self.nll(&reference["long"]["ids"].u32s());
        let (found, expected) = (long.iter().sum::<f32>(), results["long_nll_sum"].as_f64().unwrap() as f32);
        let off = ((found - expected) / long.len() as f32).exp() - 1.0;
        println!(
            "{}: window of {} tokens: {found:.3} for {expected:.3}, perplexity {off:+.1e}",
            self.name,
            long.len() + 1
        );
        self.bound("long window: perplexity", off.abs(), PERPLEXITY);
    }

    /// Negative log-probability of every token behind the first.
    fn nll(&mut self, ids: &[u32]) -> Vec<f32> {
        let seq = self.sequence();
        let started = Instant::now();
        let mut nll = Vec::new();
        // Forward passes of a bounded number of rows, so that a long window shows that it is alive.
        for first in (0..ids.len() - 1).step_by(128) {
            let part = &ids[first..ids.len().min(first + 129)];
            let mut rows = batch(
                &self.runtime,
                seq,
                &part[..part.len() - 1],
                &Wants { stats: true, ..Wants::default() },
            );
            rows.rows.iter_mut().zip(&part[1..]).for_each(|(row, next)| row.wants.logits_at = vec![*next]);
            let result = forward(&mut self.runtime, &rows);
            nll.extend(result.rows.iter().map(|row| row.stats.unwrap().log_sum_exp - row.logits_at[0]));
        }
        println!(
            "{}: {} rows with logits, {:.1} a second",
            self.name,
            nll.len(),
            nll.len() as f32 / started.elapsed().as_secs_f32()
        );
        self.runtime.pool_mut().free(seq).unwrap();
        nll
    }
}

fn cases(reference: Option<&Value>) -> impl Iterator<Item = &Value> {
    reference.and_then(|r| r["cases"].as_array()).into_iter().flatten()
}

fn length(row: &[f32]) -> f32 {
    row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt() as f32
}
