//! Attention over the cache.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range, row_bytes, row_shape, step_rows};
use super::rope_kv::{HeadShape, Pairing, QkNorm, Rope};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::{Profile, SOFT_LANES};

/// Keys whose scores lie in workgroup memory at once.
const TILE: u32 = 64;
/// Pairs of elements of the queries of a tile, at most: 16 for each of 64 threads.
const TILED_PAIRS: u32 = 1024;
/// Largest head that tiles serve: two queries of it, and a key.
const MAX_TILED_HEAD: u32 = 1024;
/// Queries and keys of a tile, at most.
const MAX_TILED_QUERIES: u32 = 32;
const MAX_TILED_KEYS: u32 = 16;
/// Largest head that [`by_lanes`] serves: `2 * HALF` of the shader.
const MAX_SOFT_HEAD: u32 = 256;
/// What every WebGPU device has.
const MAX_WORKGROUP_BYTES: u64 = 16 << 10;
/// Workgroup memory that a pair of the row's own key, as floats, and of its value, as halves, take in [`attention_one`].
const OWN_BYTES: u32 = 8 + 4;

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
    pub(crate) n_rot: u32,
    pub(crate) n_pos: u32,
    pub(crate) eps: f32,
    pub(crate) max_rows: u32,
    pub(crate) half: u32,
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

/// What [`attention_one`] does to the row before it attends.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a, B> {
    /// Norm of queries and keys; not over all heads together.
    pub norm: QkNorm<'a, B>,
    /// Rotation; none for models with learned positions.
    pub rope: Option<Rope<'a, B>>,
}

/// As `rope_kv` and [`attention`] for a step of one row, in one dispatch; `qkv` stays as it is.
///
/// # Errors
/// [`ShapeError`] if a size is out of range, a buffer too small, or the norm goes over all heads.
pub fn attention_one<B: Clone>(
    args: &AttentionArgs<'_, B>,
    entry: &Entry<'_, B>,
    profile: &Profile,
) -> Result<Dispatch<B>, ShapeError> {
    let op = "attention_one";
    let shape = args.shape;
    let mut dispatch = attention(args, profile)?;
    in_range(op, "n_rows", args.n_rows.into(), 1, 1)?;
    row_shape(op, "width of qkv", shape.qkv_width(), args.stride)?;
    holds(op, "qkv", args.qkv, u64::from(shape.qkv_width()) * 4)?;
    if let Some(rope) = entry.rope {
        rope.check(op, shape.head_dim)?;
    }
    let (mode, weight, n_normed, eps) = entry.norm.parts(shape, args.step);
    in_range(op, "mode of the norm", mode.into(), 0, 1)?;
    holds(op, "qk_norm", weight, u64::from(n_normed * shape.head_dim) * 4)?;
    workgroup_bytes(op, profile.attention_threads, shape.head_dim, OWN_BYTES)?;
    let params: &mut Params = bytemuck::from_bytes_mut(bytemuck::cast_slice_mut(&mut dispatch.uniform));
    (params.n_rot, params.n_pos) = entry.rope.map_or((0, 1), |r| (r.n_rot, r.n_pos));
    params.eps = eps;
    dispatch.shader = if goes_by_lanes(shape, profile) {
        id::ATTENTION_SOFT_ONE
    } else {
        profile.reducing(id::ATTENTION_ONE, id::ATTENTION_ONE_SUBGROUP)
    };
    dispatch.overrides.extend([
        ("QK_NORM", mode.into()),
        ("ROPE", u8::from(entry.rope.is_some()).into()),
        ("NEOX", u8::from(entry.rope.is_some_and(|r| r.pairing == Pairing::Neox)).into()),
    ]);
    let rope = entry.rope.map_or(args.step, |r| r.table);
    dispatch.bindings.extend([weight.clone(), rope.clone()]);
    Ok(dispatch)
}

/// Workgroups that share a head in [`attention_split`].
pub const SPLITS: u32 = 8;

/// Parameters of `attention_merge`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct MergeParams {
    pub(crate) n_head: u32,
    pub(crate) head_dim: u32,
}

/// Bytes of the parts that [`attention_split`] keeps between its dispatches.
#[must_use]
pub const fn split_scratch_bytes(n_head: u32, head_dim: u32) -> u64 {
    n_head as u64 * SPLITS as u64 * (head_dim as u64 + 2) * 4
}

/// As [`attention_one`] in two dispatches that spread a head over [`SPLITS`] workgroups: for contexts so long that one
/// workgroup a head leaves a GPU idle.
///
/// # Errors
/// As [`attention_one`], or if `parts` is too small.
pub fn attention_split<B: Clone>(
    args: &AttentionArgs<'_, B>,
    entry: &Entry<'_, B>,
    parts: &Slice<B>,
    profile: &Profile,
) -> Result<[Dispatch<B>; 2], ShapeError> {
    let HeadShape { n_head, head_dim, .. } = args.shape;
    let profile = &Profile { soft_subgroup: false, ..*profile };
    let mut split = attention_one(args, entry, profile)?;
    holds("attention_split", "parts", parts, split_scratch_bytes(n_head, head_dim))?;
    split.shader = profile.reducing(id::ATTENTION_SPLIT, id::ATTENTION_SPLIT_SUBGROUP);
    split.overrides.push(("SPLITS", SPLITS.into()));
    split.bindings[4] = parts.clone();
    split.grid[2] = SPLITS;
    let params = MergeParams { n_head, head_dim };
    let merge = Dispatch {
        shader: id::ATTENTION_MERGE,
        overrides: vec![("T", profile.attention_threads.into()), ("SPLITS", SPLITS.into())],
        bindings: [parts, args.step, args.out].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [n_head, 1, 1],
    };
    Ok([split, merge])
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
    let HeadShape { n_head, n_head_kv, head_dim, n_cells, keys } = shape;
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
    let (half, groups, tile) = (head_dim / 2, groups(threads, head_dim), TILE.max(threads));
    workgroup_bytes(op, threads, head_dim, 0)?;
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
        n_rot: 0,
        n_pos: 0,
        eps: 0.0,
        max_rows: n_rows,
        half,
    };
    if n_rows > 1 && n_rows >= profile.flash_from && head_dim <= MAX_TILED_HEAD {
        return tiled(args, &params);
    }
    if goes_by_lanes(shape, profile) {
        return by_lanes(args, &params);
    }
    Ok(Dispatch {
        shader: profile.reducing(id::ATTENTION_MANY, id::ATTENTION_MANY_SUBGROUP),
        overrides: vec![
            ("T", threads.into()),
            ("TILE", tile.into()),
            ("HALF", half.into()),
            ("GROUPS", groups.into()),
            ("ACC", (half * groups).into()),
            keys.key_words(),
        ],
        bindings: [qkv, kv, table, step, out].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [n_head, n_rows, 1],
    })
}

/// The form of [`attention`] by tiles of queries and keys.
fn tiled<B: Clone>(args: &AttentionArgs<'_, B>, params: &Params) -> Result<Dispatch<B>, ShapeError> {
    let HeadShape { n_head, n_head_kv, head_dim, keys, .. } = args.shape;
    let half = head_dim / 2;
    // The largest powers of two that leave the kernel within its workgroup memory and its threads within their sums.
    let power = |most: u32| 1 << most.max(1).ilog2();
    let queries = power(TILED_PAIRS / half).min(MAX_TILED_QUERIES);
    let tile = power(TILED_PAIRS / 2 / half).min(MAX_TILED_KEYS);
    let n_queries = u64::from(args.n_rows) * u64::from(n_head / n_head_kv);
    let grid = n_queries.div_ceil(queries.into());
    in_range("attention", "tiles of queries", grid, 1, 65_535)?;
    Ok(Dispatch {
        shader: id::ATTENTION_TILE,
        overrides: vec![
            ("HALF", half.into()),
            ("QUERIES", queries.into()),
            ("KEYS", tile.into()),
            ("Q_WORDS", (queries * half).into()),
            ("K_WORDS", (tile * (half + 1)).into()),
            ("SCORES", (queries * tile).into()),
            keys.key_words(),
        ],
        bindings: [args.qkv, args.kv, args.table, args.step, args.out].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[*params]).to_vec(),
        grid: [n_head_kv, grid as u32, 1],
    })
}

const fn goes_by_lanes(shape: HeadShape, profile: &Profile) -> bool {
    profile.soft_subgroup && shape.head_dim <= MAX_SOFT_HEAD
}

/// The form of [`attention`] with a query a lane.
fn by_lanes<B: Clone>(args: &AttentionArgs<'_, B>, params: &Params) -> Result<Dispatch<B>, ShapeError> {
    let HeadShape { n_head, n_head_kv, keys, .. } = args.shape;
    let n_queries = u64::from(args.n_rows) * u64::from(n_head / n_head_kv);
    let grid = n_queries.div_ceil(SOFT_LANES.into());
    in_range("attention", "groups of queries", grid, 1, 65_535)?;
    Ok(Dispatch {
        shader: id::ATTENTION_SOFT_MANY,
        overrides: vec![keys.key_words()],
        bindings: [args.qkv, args.kv, args.table, args.step, args.out].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[*params]).to_vec(),
        grid: [n_head_kv, grid as u32, 1],
    })
}

/// Threads to a pair of elements of the sums.
fn groups(threads: u32, head_dim: u32) -> u32 {
    (threads / (head_dim / 2)).max(1)
}

/// Refuses a head whose query and sums in pairs of floats, and `own` bytes more a pair, do not fit into workgroup memory
/// beside a score, a weight and a cell for each key of a tile, and two parts of each thread.
fn workgroup_bytes(op: &'static str, threads: u32, head_dim: u32, own: u32) -> Result<(), ShapeError> {
    let bytes =
        head_dim / 2 * (8 + 8 * groups(threads, head_dim) + own) + 12 * TILE.max(threads) + 8 * threads;
    in_range(op, "bytes of workgroup memory", bytes.into(), 0, MAX_WORKGROUP_BYTES)
}
