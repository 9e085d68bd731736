//! Does this device compute what it should? Small models run on the device and must give the constants below, which the
//! CPU twins gave: a Llama for every weight format, and for each other kind of layer a model of a family that has it.
//!
//! A model has one layer. It runs eight rows at once and one row alone, draws tokens on the device and moves cells, so that
//! every kernel takes part, each in the form that the device's profile selects.

mod models;
mod quirks;

use std::rc::Rc;

use goldcrest_gguf::{GgmlType, Gguf};
use goldcrest_gpu::Device;
use goldcrest_model::{Arch, Model, repack};
use goldcrest_sample::SamplerParams;

use crate::batch::{Batch, BatchRow, Wants};
use crate::kv::SeqId;
use crate::{EngineError, Runtime, RuntimeOptions};

pub(crate) use quirks::{first_wrong, select_forms};

/// What a model gave.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfTest {
    /// Family and weight type.
    pub name: String,
    /// Sum of the magnitudes of the logits of the last of eight rows, of one row alone, and of one row behind moved cells.
    pub sums: [f64; 3],
    /// Whether all are the constants, and the drawn tokens those that the host's chain draws.
    pub ok: bool,
}

/// Relative distance of a sum to its constant: another order of adding moves it by 1e-6, tiles of halves by 2e-4, a wrong weight by
/// far more.
const TOLERANCE: f64 = 1e-3;
/// The same where activations are quantised to bytes, which moves sums by 2e-3: tiles of bytes, and the CPU's products.
const TOLERANCE_BYTES: f64 = 2e-2;
/// A family, a type, where the halves of a block that scale it lie, and the sums.
type Row = (Arch, GgmlType, &'static [usize], [f64; 3]);

const ROWS: &[Row] = &[
    (Arch::Llama, GgmlType::F32, &[], [152.105, 160.938, 146.465]),
    (Arch::Llama, GgmlType::F16, &[], [161.857, 163.014, 151.802]),
    (Arch::Llama, GgmlType::BF16, &[], [161.241, 151.307, 148.206]),
    (Arch::Llama, GgmlType::Q4_1, &[0, 2], [63.041, 101.109, 64.974]),
    (Arch::Llama, GgmlType::Q5_1, &[0, 2], [148.983, 136.989, 121.636]),
    (Arch::Llama, GgmlType::Q8_0, &[0], [729.279, 681.415, 701.254]),
    (Arch::Llama, GgmlType::IQ4_NL, &[0], [591.785, 679.566, 628.902]),
    (Arch::Llama, GgmlType::MXFP4, &[], [295.826, 272.089, 267.645]),
    (Arch::Llama, GgmlType::Q4_K, &[0, 2], [2725.005, 2507.685, 2696.183]),
    (Arch::Llama, GgmlType::Q5_K, &[0, 2], [3799.384, 3686.128, 9078.425]),
    (Arch::Llama, GgmlType::Q6_K, &[208], [12700.970, 11871.525, 11762.083]),
    (Arch::Llama, GgmlType::Q3_K, &[108], [324.900, 392.859, 367.777]),
    (Arch::Llama, GgmlType::Q2_K, &[80, 82], [263.029, 224.675, 222.605]),
    // Query and key norms by heads; caps, window, norms behind the blocks; layer norms, biases, learned positions;
    // experts.
    (Arch::Qwen3, GgmlType::F32, &[], [156.677, 167.647, 154.118]),
    (Arch::Gemma2, GgmlType::F32, &[], [179.333, 183.039, 177.811]),
    (Arch::Gpt2, GgmlType::F32, &[], [246.405, 244.966, 247.652]),
    (Arch::Olmoe, GgmlType::F32, &[], [163.582, 156.637, 165.222]),
];

/// Runs every model on `device`; `forced` as in [`RuntimeOptions::forced`].
///
/// # Errors
/// [`EngineError::Gpu`] if the device fails altogether, and whatever else keeps a model from running.
pub async fn selftest(
    device: &Rc<dyn Device>,
    forced: &[(String, String)],
) -> Result<Vec<SelfTest>, EngineError> {
    let mut results = Vec::with_capacity(ROWS.len());
    for row in ROWS {
        results.push(test(device, forced, row).await?);
    }
    Ok(results)
}

/// The rows that stand for a model of family `arch` with weights of `types`.
fn rows_for(arch: Arch, types: &[GgmlType]) -> impl Iterator<Item = &'static Row> {
    let formats: Vec<_> = types.iter().filter_map(|ty| repack::target(*ty)).map(|e| e.format).collect();
    let stands_for = match arch {
        Arch::Gemma3 => Arch::Gemma2,
        other => other,
    };
    ROWS.iter().filter(move |(family, ty, ..)| match family {
        Arch::Llama => repack::target(*ty).is_some_and(|e| formats.contains(&e.format)),
        family => *family == stands_for,
    })
}

async fn test(
    device: &Rc<dyn Device>,
    forced: &[(String, String)],
    (arch, ty, scales, expected): &Row,
) -> Result<SelfTest, EngineError> {
    let file = models::model(*arch, *ty, scales)?;
    let close = |sums: &[f64; 3], tolerance: f64| {
        sums.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance * b.abs())
    };
    let (mut sums, same_draws) = run(device, forced, &file).await?;
    let tolerance = if last(forced, "activations") == Some("int8") { TOLERANCE_BYTES } else { TOLERANCE };
    let mut ok = same_draws && close(&sums, tolerance);
    if let Some((forms, tolerance)) = many_rows(forced).filter(|_| ok) {
        sums = run(device, &[forced, &forms].concat(), &file).await?.0;
        ok = close(&sums, tolerance);
    }
    Ok(SelfTest { name: format!("{} {}", arch.name(), ty.name()), sums, ok })
}

/// What makes eight rows take the forms of many rows that `forced` names, and the tolerance of the sums then.
fn many_rows(forced: &[(String, String)]) -> Option<(Vec<(String, String)>, f64)> {
    let (tile, flash) = (last(forced, "tile_form"), last(forced, "flash_from"));
    let tolerance = if tile == Some("dot") { TOLERANCE_BYTES } else { TOLERANCE };
    let mut forms = Vec::new();
    if tile.is_some() {
        forms.extend([("soft", "false"), ("matmul_many", "tile")]);
    }
    if flash.is_some() {
        forms.push(("flash_from", "2"));
    }
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    (!forms.is_empty()).then(|| (forms.into_iter().map(owned).collect(), tolerance))
}

/// The value that `forced` ends with for an entry.
fn last<'a>(forced: &'a [(String, String)], entry: &str) -> Option<&'a str> {
    forced.iter().rev().find(|(name, _)| name == entry).map(|(_, v)| v.as_str())
}

async fn run(
    device: &Rc<dyn Device>,
    forced: &[(String, String)],
    file: &[u8],
) -> Result<([f64; 3], bool), EngineError> {
    let gguf = Gguf::parse(file)?;
    let model = Model::load(&gguf, device, &mut &*file, &mut |_, _| {}).await?;
    let options = RuntimeOptions { forced: forced.to_vec(), ..RuntimeOptions::default() };
    let mut runtime = Runtime::new(Rc::clone(device), model, &options)?;
    let seq = runtime.pool_mut().create();
    let eight = sum(&mut runtime, seq, &[3, 200, 41, 7, 99, 254, 18, 65]).await?;
    let one = sum(&mut runtime, seq, &[120]).await?;
    let same_draws = draws_agree(&mut runtime, seq).await?;
    if runtime.rotates() {
        runtime.rope_shift(seq, 5..9, 2).await?;
    }
    Ok(([eight, one, sum(&mut runtime, seq, &[77]).await?], same_draws))
}

/// Sum of the magnitudes of the logits of the last of `tokens`.
async fn sum(runtime: &mut Runtime, seq: SeqId, tokens: &[u32]) -> Result<f64, EngineError> {
    let pos = runtime.pool().sequence(seq)?.next_pos();
    let mut rows: Vec<_> = tokens.iter().zip(pos..).map(|(t, p)| BatchRow::token(*t, p, seq)).collect();
    if let Some(last) = rows.last_mut() {
        last.wants = Wants { row: true, ..Wants::default() };
    }
    let result = runtime.forward(&Batch { rows, ..Batch::default() }).await?;
    Ok(result.rows.iter().flat_map(|r| &r.logits).map(|l| f64::from(l.abs())).sum())
}

/// Whether greedy and drawn tokens of the device are those that the host takes from the same logits.
async fn draws_agree(runtime: &mut Runtime, seq: SeqId) -> Result<bool, EngineError> {
    let drawn = SamplerParams { temperature: 1.0, top_k: 40, seed: 7, ..SamplerParams::neutral() };
    let mut agree = true;
    for params in [SamplerParams::greedy(), drawn] {
        let branch = runtime.pool_mut().fork(seq, 9)?;
        let pos = runtime.pool().sequence(branch)?.next_pos();
        let mut run = runtime.start_decode(branch, 5, &params, &[])?;
        runtime.submit_decode(&mut run, 1)?;
        let on_device = runtime.take_decoded(&mut run).await?;
        runtime.end_decode(run, 0)?;
        let wants = Wants { row: true, ..Wants::default() };
        let row = BatchRow::token(5, pos, branch).wanting(wants);
        let result = runtime.forward(&Batch { rows: vec![row], ..Batch::default() }).await?;
        let logits = result.rows.first().map(|r| r.logits.as_slice()).unwrap_or_default();
        let mut candidates = goldcrest_sample::Candidates::from_row(logits)?;
        let on_host = params.to_chain()?.choose(&mut candidates, pos + 1)?;
        agree &= on_device.first().is_some_and(|t| t.token == on_host.id);
        runtime.pool_mut().free(branch)?;
    }
    Ok(agree)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;
    use goldcrest_gpu::CpuDevice;

    #[test]
    fn the_twins_give_the_constants() {
        let device: Rc<dyn Device> = Rc::new(CpuDevice::twins());
        let results = pollster::block_on(selftest(&device, &[])).unwrap();
        let wrong: Vec<_> = results.iter().filter(|r| !r.ok).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_forms_of_many_rows_are_run_and_within_their_tolerance() {
        let device: Rc<dyn Device> = Rc::new(CpuDevice::twins());
        let forced = [("tile_form", "dot"), ("flash_from", "32")];
        let forced = forced.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for ty in [GgmlType::Q4_1, GgmlType::Q8_0, GgmlType::Q6_K] {
            let row = ROWS.iter().find(|row| row.1 == ty).unwrap();
            let result = pollster::block_on(test(&device, &forced, row)).unwrap();
            assert!(result.ok, "{result:?}");
            let error = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs();
            let most = result.sums.iter().zip(&row.3).map(error).fold(0.0, f64::max);
            // Not what the form of floats gives: this one was run.
            assert!(most > 1e-5 && most < 0.5 * TOLERANCE_BYTES, "{}: {most:.1e}", result.name);
        }
    }
    #[test]
    fn activations_in_bytes_are_run_in_every_kind_of_vectors_and_within_their_tolerance() {
        let forced = [("activations".to_owned(), "int8".to_owned())];
        let mut devices = CpuDevice::each();
        devices.push(CpuDevice::twins());
        for device in devices {
            let device: Rc<dyn Device> = Rc::new(device);
            for row in ROWS.iter().filter(|row| repack::target(row.1).is_some()) {
                let result = pollster::block_on(test(&device, &forced, row)).unwrap();
                assert!(result.ok, "{}: {result:?}", device.info().name);
                let error = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs();
                let most = result.sums.iter().zip(&row.3).map(error).fold(0.0, f64::max);
                println!("{} {}: {most:.1e}", device.info().name, result.name);
                let is_float = matches!(row.1, GgmlType::F32 | GgmlType::F16 | GgmlType::BF16);
                // Not what the exact form gives, unless weights are floats.
                assert!(is_float != (most > 1e-5), "{}: {most:.1e}", result.name);
            }
        }
    }
}
