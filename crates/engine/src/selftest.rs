//! Does this device compute what it should? One small model per weight format runs on the device and must give the
//! constants below, which the CPU twins gave.
//!
//! A model is a Llama of one layer made from a fixed sequence of bits. It runs eight rows at once and one row alone, then
//! draws tokens on the device, so that embedding, norms, products, rotation, attention, activation, statistics,
//! candidates, draw and advance all take part, each in the form that the device's profile selects.

use std::rc::Rc;

use goldcrest_gguf::write::GgufWriter;
use goldcrest_gguf::{GgmlType, Gguf};
use goldcrest_gpu::Device;
use goldcrest_model::Model;
use goldcrest_sample::SamplerParams;

use crate::batch::{Batch, BatchRow, Wants};
use crate::{EngineError, Runtime, RuntimeOptions};

/// What a format's model gave.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfTest {
    /// The weight type.
    pub format: &'static str,
    /// Sum of the magnitudes of the logits of the last of eight rows, and of one row alone.
    pub sums: [f64; 2],
    /// Whether both are the constants, and the drawn tokens those that the host's chain draws.
    pub ok: bool,
}

/// Relative distance of a sum to its constant: another order of adding moves it by 1e-6, a wrong weight by far more.
const TOLERANCE: f64 = 1e-3;
const N_VOCAB: u64 = 256;
const WIDTH: u64 = 256;

/// A type, where the halves of a block that scale it lie, and the two sums.
type Row = (GgmlType, &'static [usize], [f64; 2]);

const FORMATS: &[Row] = &[
    (GgmlType::F32, &[], [152.105, 160.938]),
    (GgmlType::F16, &[], [161.857, 163.014]),
    (GgmlType::BF16, &[], [161.241, 151.307]),
    (GgmlType::Q4_1, &[0, 2], [63.041, 101.109]),
    (GgmlType::Q5_1, &[0, 2], [148.983, 136.989]),
    (GgmlType::Q8_0, &[0], [729.279, 681.415]),
    (GgmlType::IQ4_NL, &[0], [591.785, 679.566]),
    (GgmlType::MXFP4, &[], [295.826, 272.089]),
    (GgmlType::Q4_K, &[0, 2], [2725.005, 2507.685]),
    (GgmlType::Q5_K, &[0, 2], [3799.384, 3686.128]),
    (GgmlType::Q6_K, &[208], [12700.970, 11871.525]),
    (GgmlType::Q3_K, &[108], [324.900, 392.859]),
    (GgmlType::Q2_K, &[80, 82], [263.029, 224.675]),
];

/// Runs the model of every format on `device`; `forced` as in [`RuntimeOptions::forced`].
///
/// # Errors
/// [`EngineError::Gpu`] if the device fails altogether, and whatever else keeps a model from running.
pub async fn selftest(
    device: &Rc<dyn Device>,
    forced: &[(String, String)],
) -> Result<Vec<SelfTest>, EngineError> {
    let mut results = Vec::with_capacity(FORMATS.len());
    for (ty, scales, expected) in FORMATS {
        let (sums, same_draws) = run(device, forced, &model(*ty, scales)?).await?;
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= TOLERANCE * b.abs();
        let ok = same_draws && sums.iter().zip(expected).all(close);
        results.push(SelfTest { format: ty.name(), sums, ok });
    }
    Ok(results)
}

async fn run(
    device: &Rc<dyn Device>,
    forced: &[(String, String)],
    file: &[u8],
) -> Result<([f64; 2], bool), EngineError> {
    let gguf = Gguf::parse(file)?;
    let model = Model::load(&gguf, device, &mut &*file, &mut |_, _| {}).await?;
    let options = RuntimeOptions { forced: forced.to_vec(), ..RuntimeOptions::default() };
    let mut runtime = Runtime::new(Rc::clone(device), model, &options)?;
    let seq = runtime.pool_mut().create();
    let mut sums = [0.0; 2];
    for (sum, tokens) in sums.iter_mut().zip([&[3, 200, 41, 7, 99, 254, 18, 65][..], &[120]]) {
        let pos = runtime.pool().sequence(seq)?.next_pos();
        let mut rows: Vec<_> = tokens.iter().zip(pos..).map(|(t, p)| BatchRow::token(*t, p, seq)).collect();
        if let Some(last) = rows.last_mut() {
            last.wants = Wants { row: true, ..Wants::default() };
        }
        let result = runtime.forward(&Batch { rows, ..Batch::default() }).await?;
        *sum = result.rows.iter().flat_map(|r| &r.logits).map(|l| f64::from(l.abs())).sum();
    }
    Ok((sums, draws_agree(&mut runtime, seq).await?))
}

/// Whether greedy and drawn tokens of the device are those that the host takes from the same logits.
async fn draws_agree(runtime: &mut Runtime, seq: crate::kv::SeqId) -> Result<bool, EngineError> {
    let drawn = SamplerParams { temperature: 1.0, top_k: 40, seed: 7, ..SamplerParams::neutral() };
    let mut agree = true;
    for params in [SamplerParams::greedy(), drawn] {
        let branch = runtime.pool_mut().fork(seq, 9)?;
        let mut run = runtime.start_decode(branch, 5, &params, &[])?;
        runtime.submit_decode(&mut run, 1)?;
        let on_device = runtime.take_decoded(&mut run).await?;
        runtime.end_decode(run, 0)?;
        let wants = Wants { row: true, ..Wants::default() };
        let row = BatchRow::token(5, 9, branch).wanting(wants);
        let result = runtime.forward(&Batch { rows: vec![row], ..Batch::default() }).await?;
        let logits = result.rows.first().map(|r| r.logits.as_slice()).unwrap_or_default();
        let mut candidates = goldcrest_sample::Candidates::from_row(logits)?;
        let on_host = params.to_chain()?.choose(&mut candidates, 10)?;
        agree &= on_device.first().is_some_and(|t| t.token == on_host.id);
        runtime.pool_mut().free(branch)?;
    }
    Ok(agree)
}

/// A Llama of one layer whose matrices have type `ty`.
fn model(ty: GgmlType, scales: &[usize]) -> Result<Vec<u8>, EngineError> {
    let mut file = GgufWriter::new();
    file.set("general.architecture", "llama");
    for (key, value) in [
        ("context_length", 64u32),
        ("embedding_length", WIDTH as u32),
        ("block_count", 1),
        ("feed_forward_length", WIDTH as u32),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
    ] {
        file.set(&format!("llama.{key}"), value);
    }
    file.set("llama.attention.layer_norm_rms_epsilon", 1e-5f32);
    for name in ["output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"] {
        let weights: Vec<f32> = (0..WIDTH).map(|i| 0.5 + (i % 7) as f32 / 7.0).collect();
        file.tensor_f32(&format!("{name}.weight"), &[WIDTH], &weights);
    }
    let mut bits = 1u32;
    for (name, n_rows) in [
        ("token_embd", N_VOCAB),
        ("blk.0.attn_q", WIDTH),
        ("blk.0.attn_k", WIDTH / 2),
        ("blk.0.attn_v", WIDTH / 2),
        ("blk.0.attn_output", WIDTH),
        ("blk.0.ffn_gate", WIDTH),
        ("blk.0.ffn_up", WIDTH),
        ("blk.0.ffn_down", WIDTH),
    ] {
        let bytes = blocks(ty, scales, n_rows * WIDTH / ty.block_len(), &mut bits);
        file.tensor(&format!("{name}.weight"), &[WIDTH, n_rows], ty, &bytes);
    }
    Ok(file.finish()?)
}

/// Blocks of pseudo-random bytes whose scales are small.
fn blocks(ty: GgmlType, scales: &[usize], n: u64, bits: &mut u32) -> Vec<u8> {
    let size = ty.block_bytes() as usize;
    let mut next = || {
        *bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*bits >> 24) as u8
    };
    let mut out = Vec::with_capacity(n as usize * size);
    for _ in 0..n {
        let mut block: Vec<u8> = (0..size).map(|_| next()).collect();
        match ty {
            // Floats between 2^-5 and 2^-4 of either sign: sign and mantissa are random, the exponent is not.
            GgmlType::F32 => exponent(&mut block[2..4], [0x7f, 0x80], 0x3d),
            GgmlType::BF16 => exponent(&mut block[..2], [0x7f, 0x80], 0x3d),
            GgmlType::F16 => exponent(&mut block[..2], [0xff, 0x83], 0x28),
            GgmlType::MXFP4 => block[0] = 122,
            _ => {}
        }
        for at in scales {
            // 2^-9, with a sign and three bits of mantissa.
            exponent(&mut block[*at..], [0xff, 0x83], 0x18);
        }
        out.extend(block);
    }
    out
}

/// Keeps the bits of a little-endian pair that `mask` names, and sets the exponent in the upper byte.
fn exponent(pair: &mut [u8], mask: [u8; 2], upper: u8) {
    pair[0] &= mask[0];
    pair[1] = upper | (pair[1] & mask[1]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;
    use goldcrest_gpu::CpuDevice;

    #[test]
    fn the_twins_give_the_constants() {
        let device: Rc<dyn Device> = Rc::new(CpuDevice::new());
        let results = pollster::block_on(selftest(&device, &[])).unwrap();
        let wrong: Vec<_> = results.iter().filter(|r| !r.ok).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
