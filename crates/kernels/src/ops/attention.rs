//! Attention over the cache.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range, row_bytes, row_shape, step_rows};
use super::rope_kv::HeadShape;
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;

/// Keys whose scores lie in workgroup memory at once.
const TILE: u32 = 64;
/// What every WebGPU device has.
const MAX_WORKGROUP_BYTES: u64 = 16 << 10;

/// Parameters of `attention`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_head: u32,
    pub(crate) n_head_kv: u32,
    pub(crate) n_cells: u32,
    pub(crate) n_table: u32,
    pub(crate) stride: u32,
    pub(crate) out_stride: u32,
    pub(crate) sliding: u32,
    pub(crate) scale: f32,
    pub(crate) softcap: f32,
    pub(crate) reserved: [u32; 3],
}

/// What [`attention`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct AttentionArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[rows][stride]`, of which the leading query heads are read.
    pub qkv: &'a Slice<B>,
    /// The layer's cache.
    pub kv: &'a Slice<B>,
    /// Cell tables of the sequences, u32.
    pub table: &'a Slice<B>,
    /// f32 `[rows][out_stride]`, query heads.
    pub out: &'a Slice<B>,
    /// Sizes.
    pub shape: HeadShape,
    /// Rows of the step.
    pub n_rows: u32,
    /// Elements from one row of `qkv` to the next.
    pub stride: u32,
    /// Elements from one row of `out` to the next.
    pub out_stride: u32,
    /// Whether rows see from `lo_swa` instead of `lo`.
    pub sliding: bool,
    /// Factor of the scores, usually `1 / sqrt(head_dim)`.
    pub scale: f32,
    /// `cap · tanh(score / cap)`; 0 for none.
    pub softcap: f32,
}

/// `out[row][head] = softmax(scale · q·k) · v` over the entries that the row sees; zeros where it sees none.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn attention<B: Clone>(
    args: &AttentionArgs<'_, B>,
    profile: &Profile,
) -> Result<Dispatch<B>, ShapeError> {
    let op = "attention";
    let &AttentionArgs { step, qkv, kv, table, out, shape, n_rows, stride, out_stride, .. } = args;
    let HeadShape { n_head, n_head_kv, head_dim, n_cells } = shape;
    shape.check(op)?;
    step_rows(op, step, n_rows)?;
    let width = n_head * head_dim;
    row_shape(op, "width of the queries", width, stride)?;
    row_shape(op, "width of the queries", width, out_stride)?;
    holds(op, "qkv", qkv, row_bytes(n_rows, width, stride))?;
    holds(op, "kv", kv, shape.kv_bytes())?;
    holds(op, "table", table, 4)?;
    holds(op, "out", out, row_bytes(n_rows, width, out_stride))?;
    let threads = profile.attention_threads;
    let half = head_dim / 2;
    let groups = (threads / half).max(1);
    let tile = TILE.max(threads);
    // The query and the sums in pairs of floats; a score, a weight and a cell for each key of a tile.
    let workgroup_bytes = 8 * half + 8 * half * groups + 12 * tile;
    in_range(op, "bytes of workgroup memory", workgroup_bytes.into(), 0, MAX_WORKGROUP_BYTES)?;
    let params = Params {
        n_head,
        n_head_kv,
        n_cells,
        n_table: u32::try_from(table.size / 4).unwrap_or(u32::MAX),
        stride,
        out_stride,
        sliding: args.sliding.into(),
        scale: args.scale,
        softcap: args.softcap,
        reserved: [0; 3],
    };
    Ok(Dispatch {
        shader: id::ATTENTION,
        overrides: vec![
            ("T", threads.into()),
            ("TILE", tile.into()),
            ("HALF", half.into()),
            ("GROUPS", groups.into()),
            ("ACC", (half * groups).into()),
        ],
        bindings: [qkv, kv, table, step, out].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [n_head, n_rows, 1],
    })
}
