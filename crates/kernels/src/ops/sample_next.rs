//! One token of a single sequence, and the next step of it: decoding without the host in between.

use super::check::{holds, in_range, logits_shape};
use super::sample::Params;
use super::topk::topk_bytes;
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;
use crate::sampling::{OutToken, RowStats, SampleParams, history_bytes};
use crate::step::STEP_BYTES;

/// What [`sample_next`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct SampleNextArgs<'a, B> {
    /// The step buffer; row 0 is changed.
    pub step: &'a Slice<B>,
    /// One [`SampleParams`].
    pub params: &'a Slice<B>,
    /// One [`RowStats`].
    pub stats: &'a Slice<B>,
    /// Result of [`super::topk::topk`]; any contents do for a greedy choice.
    pub best: &'a Slice<B>,
    /// Cell tables, 4 bytes or more; not read for an identity sequence.
    pub table: &'a Slice<B>,
    /// The history ring of the sequence, see [`crate::sampling::history_ring`]; a ring of capacity 0 stays as it is.
    pub history: &'a Slice<B>,
    /// [`OutToken`] `[ring_capacity]`; entry `n_out % ring_capacity` is written.
    pub ring: &'a Slice<B>,
    /// Length of a row.
    pub n_vocab: u32,
    /// Tokens that the history ring has room for.
    pub history_capacity: u32,
    /// Tokens that the output ring has room for.
    pub ring_capacity: u32,
}

/// Chooses as [`super::sample::sample`] does for the first wanted row, and moves row 0 of the step buffer to the token: token,
/// position, cell, visible range; counts it in `n_out` and appends it to the output ring and the history. Positions of the
/// sequence are contiguous.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn sample_next<B: Clone>(
    args: &SampleNextArgs<'_, B>,
    profile: &Profile,
) -> Result<Dispatch<B>, ShapeError> {
    let op = "sample_next";
    let &SampleNextArgs { step, params, stats, best, table, history, ring, n_vocab, .. } = args;
    let (history_capacity, ring_capacity) = (args.history_capacity, args.ring_capacity);
    logits_shape(op, n_vocab, 1)?;
    in_range(op, "ring_capacity", ring_capacity.into(), 1, 1 << 20)?;
    in_range(op, "history_capacity", history_capacity.into(), 0, 1 << 24)?;
    let history_bytes = history_bytes(history_capacity);
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "params", params, size_of::<SampleParams>() as u64)?;
    holds(op, "stats", stats, size_of::<RowStats>() as u64)?;
    holds(op, "best", best, topk_bytes(1))?;
    holds(op, "table", table, 4)?;
    holds(op, "history", history, history_bytes)?;
    holds(op, "ring", ring, u64::from(ring_capacity) * size_of::<OutToken>() as u64)?;
    // At most 2^24 + 4 words.
    let uniform = Params { n_vocab, n_set: 1, ring_capacity, history_words: (history_bytes / 4) as u32 };
    Ok(Dispatch {
        shader: id::SAMPLE_NEXT,
        overrides: vec![("T", profile.sample_threads.into())],
        bindings: [step, params, stats, best, table, history, ring].into_iter().cloned().collect(),
        uniform: bytemuck::cast_slice(&[uniform]).to_vec(),
        grid: [1, 1, 1],
    })
}
