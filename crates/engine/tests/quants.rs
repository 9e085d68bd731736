//! Every weight type that files come in: right logits, or an error that names the tensor and the type.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{Golden, batch, devices, forward, full, golden, golden_json, load, worst};
use goldcrest_engine::batch::Wants;
use goldcrest_engine::{Runtime, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{AdapterKind, CpuDevice, Device};
use goldcrest_model::{Model, ModelError};
use serde_json::Value;

/// Distance of logits, whose standard deviation is about 10, to the float32 reference on the same decoded weights. Keys
/// and values are kept as halves, which alone moves them by 0.006 to 0.015; computed with whole floats they are 6e-5 away.
const TOLERANCE: f32 = 0.02;

const RUN: &[&str] = &[
    "F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
    "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4",
];
const REFUSED: &[&str] = &["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"];

#[test]
fn every_weight_type_matches_its_reference() {
    let reference = golden_json("tiny/quants.json").expect("the references are part of the repository");
    let ids = reference["ids"].u32s();
    let files: Vec<_> =
        RUN.iter().filter_map(|ty| Some((*ty, golden(&format!("tiny/q_{ty}.gguf"))?))).collect();
    assert!(files.len() >= 16, "the files are part of the repository");
    for device in devices() {
        for (ty, file) in &files {
            let mut runtime = load(file, Rc::clone(&device), &options(device.as_ref()));
            check(ty, &mut runtime, &ids, &reference["types"][ty]);
        }
    }
}

/// A software adapter compiles the products with many columns for 4 to 13 s per type. The kernels' own tests run those of
/// every type; here it takes the rows one by one, but for the long run.
fn options(device: &dyn Device) -> RuntimeOptions {
    let one_by_one = device.info().kind == AdapterKind::Software && !full();
    RuntimeOptions { max_chunk: u32::from(one_by_one), ..RuntimeOptions::default() }
}

/// The last row is computed with the others, and once more by itself: products with one column are other kernels.
fn check(ty: &str, runtime: &mut Runtime, ids: &[u32], reference: &Value) {
    let expected = reference["logits_last"].f32s();
    let seq = runtime.pool_mut().create();
    let mut many = batch(runtime, seq, ids, &Wants { row: true, ..Wants::default() });
    let together = forward(runtime, &many);
    for (row, argmax) in together.rows.iter().zip(reference["argmax_every_position"].u32s()) {
        let stats = row.stats.unwrap();
        let behind = stats.max - row.logits[argmax as usize];
        assert!(stats.argmax == argmax || behind < 2.0 * TOLERANCE, "{ty}, position {}: {stats:?}", row.row);
    }
    runtime.pool_mut().truncate(seq, ids.len() - 1).unwrap();
    many.rows.drain(..ids.len() - 1);
    let alone = forward(runtime, &many);
    let worst = [&together, &alone].map(|result| worst(&result.rows.last().unwrap().logits, &expected));
    println!(
        "{ty} on {}: worst logit {:.1e}, by itself {:.1e}",
        runtime.device().info().name,
        worst[0],
        worst[1]
    );
    assert!(worst.iter().all(|w| *w < TOLERANCE), "{ty}: worst logits are {worst:?} away");
}

#[test]
fn types_without_a_kernel_are_refused_by_name() {
    for ty in REFUSED {
        let Some(file) = golden(&format!("tiny/q_{ty}.gguf")) else { continue };
        match refusal(&file) {
            ModelError::UnsupportedType { tensor, ty: found } => {
                assert_eq!((tensor.as_str(), found.name()), ("token_embd.weight", *ty));
            }
            other => panic!("{ty}: {other}"),
        }
    }
}

#[test]
fn other_architectures_are_refused_with_the_list_of_those_that_run() {
    let mut files: Vec<_> = ["bert", "t5", "mamba"]
        .into_iter()
        .filter_map(|name| Some((name, golden(&format!("tiny/{name}.gguf"))?)))
        .collect();
    files.push(("klama", renamed(&golden("tiny/llama.gguf").unwrap(), b"llama", b"klama")));
    for (name, file) in files {
        match refusal(&file) {
            ModelError::UnsupportedArchitecture { found, supported } => {
                assert_eq!(found, name);
                assert_eq!(supported, "llama, qwen2, qwen3, gemma2, gemma3, phi3, gpt2, olmoe");
            }
            other => panic!("{name}: {other}"),
        }
    }
}

fn refusal(file: &[u8]) -> ModelError {
    let gguf = Gguf::parse(file).unwrap();
    let device: Rc<dyn Device> = Rc::new(CpuDevice::new());
    let error = pollster::block_on(Model::load(&gguf, &device, &mut &*file, &mut |_, _| {})).err().unwrap();
    assert_eq!(device.counters().live_bytes, 0, "what was allocated before the refusal is freed");
    error
}

/// The file with its first architecture name, the value of `general.architecture`, replaced by one of equal length.
fn renamed(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = file.windows(from.len()).position(|w| w == from).unwrap();
    let mut file = file.to_vec();
    file[at..at + to.len()].copy_from_slice(to);
    file
}
