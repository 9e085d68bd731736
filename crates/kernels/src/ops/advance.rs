//! The next step of a single sequence, prepared on the device.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::sampling::{OutToken, Picked, RowStats, history_bytes};
use crate::step::STEP_BYTES;

/// Parameters of `advance`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) ring_capacity: u32,
    pub(crate) history_words: u32,
    pub(crate) reserved: [u32; 2],
}

/// What [`advance`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct AdvanceArgs<'a, B> {
    /// The step buffer; row 0 is changed.
    pub step: &'a Slice<B>,
    /// [`Picked`]; the first is read.
    pub picked: &'a Slice<B>,
    /// [`RowStats`]; the first is read.
    pub stats: &'a Slice<B>,
    /// Cell tables, 4 bytes or more; not read for an identity sequence.
    pub table: &'a Slice<B>,
    /// The history ring of the sequence, see [`crate::sampling::history_ring`]; a ring of capacity 0 stays as it is.
    pub history: &'a Slice<B>,
    /// [`OutToken`] `[ring_capacity]`; entry `n_out % ring_capacity` is written.
    pub ring: &'a Slice<B>,
    /// Tokens that the history ring has room for.
    pub history_capacity: u32,
    /// Tokens that the output ring has room for.
    pub ring_capacity: u32,
}

/// Moves row 0 of the step buffer to the picked token: token, position, cell, visible range; counts it in `n_out` and
/// appends it to the output ring and the history. Positions of the sequence are contiguous.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn advance<B: Clone>(args: &AdvanceArgs<'_, B>) -> Result<Dispatch<B>, ShapeError> {
    let op = "advance";
    let &AdvanceArgs { step, picked, stats, table, history, ring, history_capacity, ring_capacity } = args;
    in_range(op, "ring_capacity", ring_capacity.into(), 1, 1 << 20)?;
    in_range(op, "history_capacity", history_capacity.into(), 0, 1 << 24)?;
    let ring_bytes = history_bytes(history_capacity);
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "picked", picked, size_of::<Picked>() as u64)?;
    holds(op, "stats", stats, size_of::<RowStats>() as u64)?;
    holds(op, "table", table, 4)?;
    holds(op, "history", history, ring_bytes)?;
    holds(op, "ring", ring, u64::from(ring_capacity) * size_of::<OutToken>() as u64)?;
    // At most 2^24 + 4 words.
    let uniform = Params { ring_capacity, history_words: (ring_bytes / 4) as u32, reserved: [0; 2] };
    Ok(Dispatch {
        shader: id::ADVANCE,
        overrides: Vec::new(),
        bindings: [step, picked, stats, table, history, ring].into_iter().cloned().collect(),
        uniform: bytemuck::cast_slice(&[uniform]).to_vec(),
        grid: [1, 1, 1],
    })
}
