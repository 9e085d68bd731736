//! How a prompt is cut, how many steps go into a submit and which form of a kernel runs: none of it changes the answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{Golden, TIE, batch, decode_greedy, forward, golden, golden_json, gpu, load, model, worst};
use goldcrest_engine::batch::Wants;
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{Runtime, RuntimeOptions};
use goldcrest_gpu::{CpuDevice, Device};

/// Distance of logits between two ways to compute them. Sums in another order move a key or value by at most one step of
/// a half; no way is nearer to the reference than another.
const TOLERANCE: f32 = 0.02;
/// More than two chunks of 64, and past the 16-position windows of the tiny Gemmas.
const PROMPT: usize = 100;
const STEPS: usize = 16;

/// Forms that are forced by name, each with barriers and tails of its own. The CPU has one form.
const FORMS: &[&[(&str, &str)]] = &[
    &[("profile", "core")],
    &[("profile", "software")],
    &[("matmul_many", "tile")],
    &[("matmul_many", "rows"), ("rows_lanes", "4"), ("rows_block", "1")],
    &[("vec_lanes", "4"), ("vec_groups", "2")],
    &[("norm_threads", "64"), ("attention_threads", "32")],
    // Parts of a head from the first of its prompt's second chunk on.
    &[("split_from", "64")],
];

#[test]
fn chunks_submits_and_forms_change_nothing_on_the_cpu() {
    let device: Rc<dyn Device> = Rc::new(CpuDevice::new());
    for name in ["llama", "qwen3", "gemma2", "gemma3", "phi3", "gpt2", "olmoe"] {
        check_tiny(name, &device, &[]);
    }
}

/// Two architectures, one of them in every form: what takes time here is a software adapter's compiler.
#[test]
fn chunks_submits_and_forms_change_nothing_on_the_adapter() {
    let Some(device) = gpu() else { return };
    check_tiny("llama", &device, FORMS);
    check_tiny("gemma3", &device, &[]);
}

#[test]
fn chunks_and_submits_change_nothing_with_smollm2() {
    let Some(file) = model(&["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"]) else { return };
    let Some(reference) = golden_json("public/smollm2_logits_greedy.json") else { return };
    let device = gpu().unwrap_or_else(|| Rc::new(CpuDevice::new()));
    let case = &reference["cases"][4];
    let (ids, path) = (case["ids"].u32s(), case["greedy"]["ids"].u32s());
    let mut runtime = load(&file, device, &RuntimeOptions::default());
    for (size, k) in [(ids.len(), 1), (7, 4), (1, 12)] {
        let seq = runtime.pool_mut().create();
        prefill(&mut runtime, seq, &ids, size);
        runtime.pool_mut().truncate(seq, ids.len() - 1).unwrap();
        // No two logits of this path are closer than 1.9.
        assert_eq!(
            decode_greedy(&mut runtime, seq, ids[ids.len() - 1], 12, k),
            path[..12],
            "chunks of {size}, k = {k}"
        );
        runtime.pool_mut().free(seq).unwrap();
    }
}

fn check_tiny(name: &str, device: &Rc<dyn Device>, forms: &[&[(&str, &str)]]) {
    let file = golden(&format!("tiny/{name}.gguf")).expect("part of the repository");
    let reference = golden_json(&format!("tiny/{name}.json")).expect("part of the repository");
    let ids = reference["cases"].as_array().unwrap().last().unwrap()["ids"].u32s();
    let prompt: Vec<u32> = ids.iter().copied().cycle().take(PROMPT).collect();
    let mut runtime = load(&file, Rc::clone(device), &RuntimeOptions::default());
    let expected = Expected::new(&mut runtime, &prompt);
    for size in [1, 7, 64] {
        expected.check(&format!("{name}, chunks of {size}"), &mut runtime, &prompt, size);
    }
    for max_chunk in [1, 7] {
        let options = RuntimeOptions { max_chunk, ..RuntimeOptions::default() };
        let mut runtime = load(&file, Rc::clone(device), &options);
        let seq = runtime.pool_mut().create();
        let before = runtime.forward_passes();
        pollster::block_on(runtime.prefill(seq, &prompt, &mut |_| true)).unwrap();
        assert!(
            runtime.forward_passes() - before >= (PROMPT as u64).div_ceil(u64::from(max_chunk)),
            "{name}"
        );
        expected.check_decoding(&format!("{name}, at most {max_chunk} rows"), &mut runtime, seq, &prompt);
    }
    for form in forms {
        let forced = form.iter().map(|(entry, value)| ((*entry).to_owned(), (*value).to_owned())).collect();
        let mut runtime =
            load(&file, Rc::clone(device), &RuntimeOptions { forced, ..RuntimeOptions::default() });
        expected.check(&format!("{name}, {form:?}"), &mut runtime, &prompt, PROMPT);
    }
}

/// What one chunk and one step per submit give.
struct Expected {
    logits: Vec<f32>,
    path: Vec<u32>,
    /// Distance of the two best logits at each step of the path.
    gaps: Vec<f32>,
}

impl Expected {
    fn new(runtime: &mut Runtime, prompt: &[u32]) -> Self {
        let seq = runtime.pool_mut().create();
        let logits = prefill(runtime, seq, prompt, prompt.len());
        runtime.pool_mut().truncate(seq, prompt.len() - 1).unwrap();
        let last = prompt[prompt.len() - 1];
        let path = decode_greedy(runtime, seq, last, STEPS, 1);
        runtime.pool_mut().truncate(seq, prompt.len() - 1).unwrap();
        let scored: Vec<u32> = [last].iter().chain(&path[..STEPS - 1]).copied().collect();
        let rows = batch(runtime, seq, &scored, &Wants { stats: true, ..Wants::default() });
        let gaps = forward(runtime, &rows).rows.iter().map(|row| row.stats.unwrap().top2_gap).collect();
        runtime.pool_mut().free(seq).unwrap();
        Self { logits, path, gaps }
    }

    fn check(&self, what: &str, runtime: &mut Runtime, prompt: &[u32], size: usize) {
        let seq = runtime.pool_mut().create();
        let off = worst(&prefill(runtime, seq, prompt, size), &self.logits);
        println!("{what} on {}: worst logit {off:.1e}", runtime.device().info().name);
        assert!(off < TOLERANCE, "{what}: {off}");
        self.check_decoding(what, runtime, seq, prompt);
    }

    /// Decodes from the end of the prompt with several numbers of steps per submit, then drops the sequence.
    fn check_decoding(&self, what: &str, runtime: &mut Runtime, seq: SeqId, prompt: &[u32]) {
        for k in [1, 4, 16] {
            runtime.pool_mut().truncate(seq, prompt.len() - 1).unwrap();
            let path = decode_greedy(runtime, seq, prompt[prompt.len() - 1], STEPS, k);
            let parted = self.path.iter().zip(&path).position(|(a, b)| a != b);
            assert!(
                parted.is_none_or(|i| self.gaps[i] < TIE),
                "{what}, k = {k}: {path:?} for {:?}",
                self.path
            );
        }
        runtime.pool_mut().free(seq).unwrap();
    }
}

/// Runs a prompt in chunks of exactly `size` rows; the logits of the last row.
fn prefill(runtime: &mut Runtime, seq: SeqId, prompt: &[u32], size: usize) -> Vec<f32> {
    let n_layer = runtime.config().n_layer;
    let mut logits = Vec::new();
    for part in prompt.chunks(size) {
        let mut rows = batch(runtime, seq, part, &Wants::default());
        // A batch that names its layers is never cut.
        rows.layers = Some(0..n_layer);
        rows.rows.last_mut().unwrap().wants.row = true;
        let before = runtime.forward_passes();
        logits = forward(runtime, &rows).rows.remove(0).logits;
        assert_eq!(runtime.forward_passes() - before, 1);
    }
    logits
}
