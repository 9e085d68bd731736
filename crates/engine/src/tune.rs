//! The kernel forms that are fast on this adapter for this model: each is timed where it will run, in whole steps.

use std::time::Duration;

use goldcrest_gguf::Gguf;
use goldcrest_gpu::AdapterKind;
use goldcrest_kernels::ManyRows;
use goldcrest_model::repack;
use web_time::Instant;

use crate::batch::{Batch, BatchRow, Visible, Wants};
use crate::runtime::forms::{has_soft_lanes, least_lanes};
use crate::selftest::first_wrong;
use crate::{EngineError, Runtime};

/// Steps that are timed for a form; the least counts, since others may use the same machine.
const REPS: usize = 5;
/// What a form has to gain before it is taken: less is noise.
const GAIN: f64 = 0.97;

/// A form that was timed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The entry of the profile.
    pub entry: &'static str,
    /// Its value.
    pub value: &'static str,
    /// Rows of the step.
    pub rows: usize,
    /// The least time of a step.
    pub step: Duration,
}

/// What tuning found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuned {
    /// Entries of the profile that differ from what the adapter gets untuned; for [`EngineOptions::tuned`](crate::EngineOptions::tuned).
    pub forms: Vec<(String, String)>,
    /// Everything that was timed.
    pub trials: Vec<Trial>,
    /// Rows of a step, and its times before and after.
    pub steps: Vec<(usize, Duration, Duration)>,
    /// A sentence where the forms were dropped because they compute wrongly.
    pub note: Option<String>,
}

/// An entry with the values that are tried, and the rows of the step that it decides.
type Candidate = (&'static str, &'static [&'static str], usize);

/// One row, few rows, many rows. Later entries are tried with what the earlier ones found.
const CANDIDATES: &[Candidate] = &[
    ("soft", &["true", "false"], 1),
    ("soft_subgroup", &["true", "false"], 8),
    ("subgroups", &["1", "8", "16", "32"], 1),
    ("vec_lanes", &["1", "2", "4", "8", "16", "32"], 1),
    ("vec_block", &["1", "2", "4"], 1),
    ("vec_groups", &["1", "2", "4", "8"], 1),
    ("rows_lanes", &["1", "2", "4", "8", "16"], 8),
    ("rows_block", &["1", "2", "4"], 8),
    ("rows_groups", &["1", "2", "4", "8"], 8),
    ("tile_from", &["16", "64", "1048576"], 32),
    ("tile_from", &["16", "64", "1048576"], 128),
    ("tile_form", &["dot", "half"], 128),
    ("flash_from", &["32"], 128),
];

/// The products of the CPU's executor are one form for any number of rows, but for what activations lose.
const ON_CPU: &[Candidate] = &[("activations", &["int8"], 128)];

/// Times the forms of the products on the runtime's device with the model that is loaded, and leaves the runtime with the best.
/// `forced` stays as it is. `tell` hears of every trial.
///
/// # Errors
/// Whatever a step can fail with.
pub async fn tune(
    runtime: &mut Runtime,
    gguf: &Gguf,
    forced: &[(String, String)],
    tell: &mut dyn FnMut(&Trial),
) -> Result<Tuned, EngineError> {
    let mut tuned = Tuned::default();
    let on_cpu = runtime.device().info().kind == AdapterKind::Cpu;
    let before = times(runtime).await?;
    for (entry, values, rows) in if on_cpu { ON_CPU } else { CANDIDATES } {
        let fits = |value: &&&str| applies(runtime, gguf, entry, value);
        let values: Vec<&str> = values.iter().filter(fits).copied().collect();
        if forced.iter().any(|(name, _)| name == entry) || values.is_empty() {
            continue;
        }
        let mut best = (step(runtime, *rows).await?, None);
        for value in values {
            let mut forms = tuned.forms.clone();
            replace(&mut forms, entry, value);
            runtime.set_forms(&[&forms[..], forced].concat())?;
            let trial = Trial { entry, value, rows: *rows, step: step(runtime, *rows).await? };
            tell(&trial);
            if trial.step < best.0.mul_f64(if best.1.is_none() { GAIN } else { 1.0 }) {
                best = (trial.step, Some(forms));
            }
            tuned.trials.push(trial);
        }
        tuned.forms = best.1.unwrap_or(tuned.forms);
        runtime.set_forms(&[&tuned.forms[..], forced].concat())?;
    }
    let device = std::rc::Rc::clone(runtime.device());
    if let Some(name) = first_wrong(&device, gguf, &[&tuned.forms[..], forced].concat()).await? {
        tuned.note = Some(format!("the fastest forms compute {name} wrongly and are not used"));
        tuned.forms.clear();
        runtime.set_forms(forced)?;
    }
    let after = times(runtime).await?;
    tuned.steps =
        before.into_iter().zip(after).map(|((rows, before), (_, after))| (rows, before, after)).collect();
    Ok(tuned)
}

/// Whether the device can have a form, and the forms so far let it matter.
fn applies(runtime: &Runtime, gguf: &Gguf, entry: &str, value: &str) -> bool {
    let (profile, caps) = (runtime.profile(), runtime.device().caps());
    let tiles = !profile.soft && profile.many_rows(128) == ManyRows::Tile;
    match (entry, value) {
        ("activations", _) => profile.soft && has_quants(gguf),
        ("tile_form", "dot") => tiles && caps.packed_dot,
        ("tile_form", _) => tiles && caps.f16,
        ("subgroups", lanes) => lanes.parse().is_ok_and(|lanes: u32| lanes <= least_lanes(caps)),
        ("soft_subgroup", _) => profile.soft && has_soft_lanes(caps),
        _ => true,
    }
}

/// Whether a matrix of the file has weights that are multiplied as whole numbers.
fn has_quants(gguf: &Gguf) -> bool {
    let is_quant = |ty| repack::target(ty).is_some_and(|encoding| encoding.format.weights_per_unit() != 0);
    gguf.tensors.iter().any(|tensor| tensor.n_dims > 1 && is_quant(tensor.ty))
}

fn replace(forms: &mut Vec<(String, String)>, entry: &str, value: &str) {
    forms.retain(|(name, _)| name != entry);
    forms.push((entry.to_owned(), value.to_owned()));
}

async fn times(runtime: &mut Runtime) -> Result<Vec<(usize, Duration)>, EngineError> {
    let mut times = Vec::new();
    for rows in [1, 8, 32, 128] {
        times.push((rows, step(runtime, rows).await?));
    }
    Ok(times)
}

/// The least time of a step of `rows` rows in an empty cache, with the statistics of the last row. Compiling is not in it.
async fn step(runtime: &mut Runtime, rows: usize) -> Result<Duration, EngineError> {
    let rows = rows.min(runtime.n_ctx() as usize);
    let n_vocab = runtime.config().n_vocab;
    let seq = runtime.pool_mut().create();
    let row = |i: usize| {
        let wants = Wants { stats: i + 1 == rows, ..Wants::default() };
        // A range stays in one chunk, whatever size the prefill has at the moment.
        let visible = Visible::Range { lo: 0, hi: i as u32 + 1 };
        let token = (i as u32).wrapping_mul(7919) % n_vocab;
        BatchRow { visible, ..BatchRow::token(token, i as u32, seq) }.wanting(wants)
    };
    let batch = Batch { rows: (0..rows).map(row).collect(), ..Batch::default() };
    let mut least = Duration::MAX;
    for rep in 0..=REPS {
        let started = Instant::now();
        runtime.forward(&batch).await?;
        if rep > 0 {
            least = least.min(started.elapsed());
        }
        runtime.pool_mut().truncate(seq, 0)?;
    }
    runtime.pool_mut().free(seq)?;
    Ok(least)
}
