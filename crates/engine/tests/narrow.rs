//! Matrices larger than a binding are split by rows, and the split changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::load;
use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::{EngineError, Runtime, RuntimeOptions};
use goldcrest_gguf::write::GgufWriter;
use goldcrest_gpu::CpuDevice;

const MAX_BINDING: u64 = 256 << 10;

fn logits(runtime: &mut Runtime) -> Vec<Vec<f32>> {
    let seq = runtime.pool_mut().create();
    let wants = Wants { row: true, ..Wants::default() };
    let row = |(i, t): (u32, u32)| BatchRow::token(t, i, seq).wanting(wants.clone());
    let rows = (0..).zip([10, 4090, 1033, 2047, 301]).map(row).collect();
    let result = pollster::block_on(runtime.forward(&Batch { rows, ..Batch::default() })).unwrap();
    result.rows.into_iter().map(|r| r.logits).collect()
}

/// A llama of one layer with a vocabulary of 4,096, so that its embedding and head take 1 MiB each.
fn wide_vocabulary() -> Vec<u8> {
    let (n_embd, n_ff, n_vocab) = (64u64, 64u64, 4096u64);
    let mut file = GgufWriter::new();
    file.set("general.architecture", "llama");
    for (key, value) in [
        ("context_length", 512u32),
        ("embedding_length", n_embd as u32),
        ("block_count", 1),
        ("feed_forward_length", n_ff as u32),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
    ] {
        file.set(&format!("llama.{key}"), value);
    }
    file.set("llama.attention.layer_norm_rms_epsilon", 1e-5f32);
    let mut state = 1u32;
    let mut tensor = |name: &str, dims: &[u64]| {
        let n = dims.iter().product::<u64>();
        let values: Vec<f32> = (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect();
        file.tensor_f32(name, dims, &values);
    };
    tensor("token_embd.weight", &[n_embd, n_vocab]);
    tensor("output.weight", &[n_embd, n_vocab]);
    tensor("output_norm.weight", &[n_embd]);
    for (name, n_out) in [("attn_q", 64), ("attn_k", 32), ("attn_v", 32), ("attn_output", 64)] {
        tensor(&format!("blk.0.{name}.weight"), &[n_embd, n_out]);
    }
    for name in ["attn_norm", "ffn_norm"] {
        tensor(&format!("blk.0.{name}.weight"), &[n_embd]);
    }
    for name in ["ffn_gate", "ffn_up", "ffn_down"] {
        tensor(&format!("blk.0.{name}.weight"), &[n_embd, n_ff]);
    }
    file.finish().unwrap()
}

#[test]
fn a_split_vocabulary_gives_the_same_bits() {
    let file = wide_vocabulary();
    let options = RuntimeOptions::default();
    let whole = logits(&mut load(&file, Rc::new(CpuDevice::new()), &options));
    // Embedding and head come in four parts each.
    let narrow = Rc::new(CpuDevice::with_max_binding(MAX_BINDING));
    assert_eq!(whole, logits(&mut load(&file, narrow, &options)));
}

#[test]
fn a_cache_beyond_the_binding_is_refused() {
    let device = Rc::new(CpuDevice::with_max_binding(MAX_BINDING));
    let mut runtime = load(&wide_vocabulary(), device, &RuntimeOptions::default());
    let error = runtime.reserve(5000).unwrap_err();
    assert!(matches!(error, EngineError::KvTooLarge { max: 2048, .. }), "{error}");
    assert_eq!(logits(&mut runtime).len(), 5, "the runtime can still be used");
}
