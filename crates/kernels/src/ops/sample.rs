//! One token for each wanted row.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, logits_shape};
use super::topk::topk_bytes;
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;
use crate::sampling::{Picked, RowStats, SampleParams};
use crate::step::STEP_BYTES;

/// Parameters of `sample`, alone or with the next step; the last two belong to that.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_vocab: u32,
    pub(crate) n_set: u32,
    pub(crate) ring_capacity: u32,
    pub(crate) history_words: u32,
}

/// What [`sample`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct SampleArgs<'a, B> {
    /// The step buffer: seed, and position and sequence of the wanted rows.
    pub step: &'a Slice<B>,
    /// [`SampleParams`]: one for all rows, or `[n_want]`.
    pub params: &'a Slice<B>,
    /// [`RowStats`] `[n_want]`.
    pub stats: &'a Slice<B>,
    /// Result of [`super::topk::topk`]; any contents do where all rows are greedy.
    pub best: &'a Slice<B>,
    /// [`Picked`] `[n_want]`, written.
    pub picked: &'a Slice<B>,
    /// Length of a row.
    pub n_vocab: u32,
    /// Most wanted rows of a step.
    pub n_want: u32,
    /// Parameters for each wanted row instead of one for all.
    pub per_row: bool,
}

/// Argmax, or top-k, top-p, min-p, temperature and one seeded draw, as `goldcrest-sample` does them.
///
/// The draw's random number is Philox4x32-10 of (position of the drawn token, sequence, 0, 0) under the step's seed.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn sample<B: Clone>(args: &SampleArgs<'_, B>, profile: &Profile) -> Result<Dispatch<B>, ShapeError> {
    let op = "sample";
    let &SampleArgs { step, params, stats, best, picked, n_vocab, n_want, per_row } = args;
    logits_shape(op, n_vocab, n_want)?;
    let n_set = if per_row { n_want } else { 1 };
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "params", params, u64::from(n_set) * size_of::<SampleParams>() as u64)?;
    holds(op, "stats", stats, u64::from(n_want) * size_of::<RowStats>() as u64)?;
    holds(op, "best", best, topk_bytes(n_want))?;
    holds(op, "picked", picked, u64::from(n_want) * size_of::<Picked>() as u64)?;
    let uniform = Params { n_vocab, n_set, ring_capacity: 0, history_words: 0 };
    Ok(Dispatch {
        shader: id::SAMPLE,
        overrides: vec![("T", profile.sample_threads.into())],
        bindings: vec![step.clone(), params.clone(), stats.clone(), best.clone(), picked.clone()],
        uniform: bytemuck::cast_slice(&[uniform]).to_vec(),
        grid: [n_want, 1, 1],
    })
}
