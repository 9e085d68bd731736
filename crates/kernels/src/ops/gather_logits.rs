//! Logits at listed ids.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range, logits_shape};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::sampling::list_bytes;

/// Pairs that one workgroup reads.
const THREADS: u32 = 64;

/// Parameters of `gather_logits`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_vocab: u32,
    pub(crate) n_row: u32,
    pub(crate) capacity: u32,
    pub(crate) reserved: u32,
}

/// What [`gather_logits`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct GatherLogitsArgs<'a, B> {
    /// A list of `capacity` or fewer pairs, see [`crate::sampling::gather_list`].
    pub list: &'a Slice<B>,
    /// f32 `[n_want][n_vocab]`.
    pub logits: &'a Slice<B>,
    /// f32 `[capacity]`, written as far as the list goes.
    pub out: &'a Slice<B>,
    /// Length of a row.
    pub n_vocab: u32,
    /// Rows of logits.
    pub n_want: u32,
    /// Most pairs of the list.
    pub capacity: u32,
}

/// `out[i] = logits[row i][id i]`. Rows and ids outside the logits are clamped.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn gather_logits<B: Clone>(args: &GatherLogitsArgs<'_, B>) -> Result<Dispatch<B>, ShapeError> {
    let op = "gather_logits";
    let &GatherLogitsArgs { list, logits, out, n_vocab, n_want, capacity } = args;
    logits_shape(op, n_vocab, n_want)?;
    in_range(op, "capacity", capacity.into(), 1, u64::from(THREADS) * 65_535)?;
    holds(op, "list", list, list_bytes(capacity))?;
    holds(op, "logits", logits, u64::from(n_vocab) * u64::from(n_want) * 4)?;
    holds(op, "out", out, u64::from(capacity) * 4)?;
    let params = Params { n_vocab, n_row: n_want, capacity, reserved: 0 };
    Ok(Dispatch {
        shader: id::GATHER_LOGITS,
        overrides: Vec::new(),
        bindings: vec![list.clone(), logits.clone(), out.clone()],
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [capacity.div_ceil(THREADS), 1, 1],
    })
}
