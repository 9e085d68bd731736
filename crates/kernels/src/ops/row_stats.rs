//! Statistics of wanted rows of logits: argmax, log-sum-exp, entropy, gap.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, logits_shape};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;
use crate::sampling::{RowPartial, RowStats};
use crate::step::STEP_BYTES;

/// Logits that one partial result is of.
pub(crate) const TILE: u32 = 4096;
/// Least invocations per workgroup: a vector of a software adapter.
const MIN_THREADS: u32 = 8;

/// Parameters of `row_stats`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct TileParams {
    pub(crate) n_vocab: u32,
    pub(crate) n_tile: u32,
    pub(crate) reserved: [u32; 2],
}

/// Parameters of `row_stats_merge`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct MergeParams {
    pub(crate) n_tile: u32,
    pub(crate) reserved: [u32; 3],
}

/// What [`row_stats`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct RowStatsArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[n_want][n_vocab]`.
    pub logits: &'a Slice<B>,
    /// Scratch of [`row_stats_scratch_bytes`].
    pub partials: &'a Slice<B>,
    /// [`RowStats`] `[n_want]`, written.
    pub stats: &'a Slice<B>,
    /// Length of a row.
    pub n_vocab: u32,
    /// Most wanted rows of a step.
    pub n_want: u32,
}

/// Bytes of scratch that [`row_stats`] needs.
#[must_use]
pub const fn row_stats_scratch_bytes(n_vocab: u32, n_want: u32) -> u64 {
    n_vocab.div_ceil(TILE) as u64 * n_want as u64 * size_of::<RowPartial>() as u64
}

/// Two dispatches that fill one [`RowStats`] for each wanted row.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn row_stats<B: Clone>(
    args: &RowStatsArgs<'_, B>,
    profile: &Profile,
) -> Result<Vec<Dispatch<B>>, ShapeError> {
    let op = "row_stats";
    let &RowStatsArgs { step, logits, partials, stats, n_vocab, n_want } = args;
    logits_shape(op, n_vocab, n_want)?;
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "logits", logits, u64::from(n_vocab) * u64::from(n_want) * 4)?;
    holds(op, "partials", partials, row_stats_scratch_bytes(n_vocab, n_want))?;
    holds(op, "stats", stats, u64::from(n_want) * size_of::<RowStats>() as u64)?;
    let n_tile = n_vocab.div_ceil(TILE);
    let tiles = TileParams { n_vocab, n_tile, reserved: [0; 2] };
    let lanes = profile.stats_lanes;
    let threads = lanes.max(MIN_THREADS);
    let merge = MergeParams { n_tile, reserved: [0; 3] };
    Ok(vec![
        Dispatch {
            shader: profile.reducing(id::ROW_STATS, id::ROW_STATS_SUBGROUP),
            overrides: vec![("T", threads.into()), ("LANES", lanes.into())],
            bindings: vec![step.clone(), logits.clone(), partials.clone()],
            uniform: bytemuck::cast_slice(&[tiles]).to_vec(),
            grid: [n_tile.div_ceil(threads / lanes), n_want, 1],
        },
        Dispatch {
            shader: id::ROW_STATS_MERGE,
            overrides: Vec::new(),
            bindings: vec![step.clone(), partials.clone(), stats.clone()],
            uniform: bytemuck::cast_slice(&[merge]).to_vec(),
            grid: [n_want, 1, 1],
        },
    ])
}
