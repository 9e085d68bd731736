//! Norm and rotation of queries and keys, and the write into the cache.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range, row_bytes, row_shape, step_rows};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;

/// Parameters of `rope_kv`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_head: u32,
    pub(crate) n_head_kv: u32,
    pub(crate) head_dim: u32,
    pub(crate) n_rot: u32,
    pub(crate) n_cells: u32,
    pub(crate) n_pos: u32,
    pub(crate) q_span: u32,
    pub(crate) stride: u32,
    pub(crate) eps: f32,
    pub(crate) reserved: [u32; 3],
}

/// Sizes of an attention layer and its cache.
///
/// The cache of a layer is one buffer: per cell the keys of all heads, then the values as halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadShape {
    /// Query heads; a multiple of `n_head_kv`.
    pub n_head: u32,
    /// Key and value heads.
    pub n_head_kv: u32,
    /// Elements of a head; even, at most 1,024.
    pub head_dim: u32,
    /// Cells of the cache.
    pub n_cells: u32,
    /// How keys are stored.
    pub keys: KeyType,
}

/// How a cache holds keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// As halves, at most ±65,504.
    F16,
    /// As floats: for keys far from zero, where halves are coarse.
    F32,
}

/// Which elements of a head RoPE turns together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// `2j` and `2j + 1`.
    Adjacent,
    /// `j` and `j + n_rot / 2`.
    Neox,
}

/// A rotation table, cos and sin as f32 pairs `[n_pos][n_rot / 2]`.
#[derive(Debug)]
pub struct Rope<'a, B> {
    /// The table.
    pub table: &'a Slice<B>,
    /// Positions in it; later ones read the last.
    pub n_pos: u32,
    /// Leading elements of a head that turn; even, at most `head_dim`.
    pub n_rot: u32,
    /// Which elements turn together.
    pub pairing: Pairing,
}

/// RMSNorm of queries and keys before the rotation.
#[derive(Debug)]
pub enum QkNorm<'a, B> {
    /// None.
    None,
    /// Each head by itself; weights f32 `[2][head_dim]`, of the queries and of the keys.
    Head {
        /// Weights.
        weight: &'a Slice<B>,
        /// Added to the mean square.
        eps: f32,
    },
    /// All heads together; weights f32 `[(n_head + n_head_kv) · head_dim]`, of the queries and then of the keys.
    All {
        /// Weights.
        weight: &'a Slice<B>,
        /// Added to the mean square.
        eps: f32,
    },
}

impl<'a, B> QkNorm<'a, B> {
    /// Mode of the shaders, weights (or `unused`), how many heads they are for, and eps.
    pub(super) fn parts(&self, shape: HeadShape, unused: &'a Slice<B>) -> (u32, &'a Slice<B>, u32, f32) {
        match *self {
            Self::None => (0, unused, 0, 0.0),
            Self::Head { weight, eps } => (1, weight, 2, eps),
            Self::All { weight, eps } => (2, weight, shape.n_head + shape.n_head_kv, eps),
        }
    }
}

/// What [`rope_kv`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct RopeKvArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[rows][stride]`: query, key and value heads; the query heads change in place.
    pub qkv: &'a Slice<B>,
    /// Norm of queries and keys.
    pub norm: QkNorm<'a, B>,
    /// Rotation; none for models with learned positions.
    pub rope: Option<Rope<'a, B>>,
    /// The layer's cache.
    pub kv: &'a Slice<B>,
    /// Sizes.
    pub shape: HeadShape,
    /// Rows of the step.
    pub n_rows: u32,
    /// Elements from one row of `qkv` to the next.
    pub stride: u32,
}

// References copy whatever the handle behind them does; a derive would ask for `B: Copy`.
impl<B> Clone for Rope<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Rope<'_, B> {}

impl<B> Clone for QkNorm<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for QkNorm<'_, B> {}

impl HeadShape {
    /// Bytes of the layer's cache.
    #[must_use]
    pub const fn kv_bytes(&self) -> u64 {
        self.n_cells as u64 * self.n_head_kv as u64 * self.keys.cell_bytes(self.head_dim)
    }

    /// Elements of a row of query, key and value heads.
    #[must_use]
    pub const fn qkv_width(&self) -> u32 {
        (self.n_head + 2 * self.n_head_kv) * self.head_dim
    }

    pub(super) fn check(&self, op: &'static str) -> Result<(), ShapeError> {
        in_range(op, "n_head_kv", self.n_head_kv.into(), 1, 1024)?;
        in_range(op, "n_head", self.n_head.into(), self.n_head_kv.into(), 1024)?;
        multiple(op, "n_head", self.n_head, self.n_head_kv)?;
        in_range(op, "head_dim", self.head_dim.into(), 2, 1024)?;
        multiple(op, "head_dim", self.head_dim, 2)?;
        in_range(op, "n_cells", self.n_cells.into(), 1, 1 << 30)?;
        // Word indices are 32-bit.
        in_range(op, "bytes of the cache", self.kv_bytes(), 1, u32::MAX.into())
    }
}

impl KeyType {
    /// Bytes that key and value of one head take in a cell.
    #[must_use]
    pub const fn cell_bytes(self, head_dim: u32) -> u64 {
        (2 * self.words() as u64 + 2) * head_dim as u64
    }

    /// Words of two elements: `KEY_WORDS` of the shaders.
    const fn words(self) -> u32 {
        match self {
            Self::F16 => 1,
            Self::F32 => 2,
        }
    }

    pub(super) fn key_words(self) -> (&'static str, f64) {
        ("KEY_WORDS", self.words().into())
    }
}

impl<B> Rope<'_, B> {
    pub(super) fn check(&self, op: &'static str, head_dim: u32) -> Result<(), ShapeError> {
        in_range(op, "n_rot", self.n_rot.into(), 2, head_dim.into())?;
        multiple(op, "n_rot", self.n_rot, 2)?;
        in_range(op, "n_pos", self.n_pos.into(), 1, 1 << 24)?;
        holds(op, "rope", self.table, u64::from(self.n_pos) * u64::from(self.n_rot) * 4)
    }
}

pub(super) fn multiple(op: &'static str, what: &'static str, found: u32, of: u32) -> Result<(), ShapeError> {
    if found.is_multiple_of(of) {
        return Ok(());
    }
    Err(ShapeError::NotAMultiple { op, what, found: found.into(), multiple: of.into() })
}

/// Norms and turns queries (in place) and keys, and stores keys and values in the rows' cells.
/// What lies beyond the range of halves is stored as ±65,504 where it becomes a half.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn rope_kv<B: Clone>(args: &RopeKvArgs<'_, B>, profile: &Profile) -> Result<Dispatch<B>, ShapeError> {
    let op = "rope_kv";
    let &RopeKvArgs { step, qkv, norm, rope, kv, shape, n_rows, stride } = args;
    let HeadShape { n_head, n_head_kv, head_dim, n_cells, keys } = shape;
    shape.check(op)?;
    step_rows(op, step, n_rows)?;
    row_shape(op, "width of qkv", shape.qkv_width(), stride)?;
    holds(op, "qkv", qkv, row_bytes(n_rows, shape.qkv_width(), stride))?;
    holds(op, "kv", kv, shape.kv_bytes())?;
    if let Some(rope) = rope {
        rope.check(op, head_dim)?;
    }
    // What a variant does not read is bound to something that is read anyway.
    let unused = step;
    let (mode, weight, n_normed, eps) = norm.parts(shape, unused);
    holds(op, "qk_norm", weight, u64::from(n_normed * head_dim) * 4)?;
    // The norm over all heads reads what the rotation overwrites: one workgroup owns a row's queries.
    let q_span = if mode == 2 { n_head } else { 1 };
    let params = Params {
        n_head,
        n_head_kv,
        head_dim,
        n_rot: rope.map_or(0, |r| r.n_rot),
        n_cells,
        n_pos: rope.map_or(1, |r| r.n_pos),
        q_span,
        stride,
        eps,
        reserved: [0; 3],
    };
    Ok(Dispatch {
        shader: id::ROPE_KV,
        overrides: vec![
            ("T", profile.norm_threads.min(64).into()),
            ("QK_NORM", mode.into()),
            ("ROPE", u8::from(rope.is_some()).into()),
            ("NEOX", u8::from(rope.is_some_and(|r| r.pairing == Pairing::Neox)).into()),
            keys.key_words(),
        ],
        bindings: [qkv, weight, rope.map_or(unused, |r| r.table), kv, step].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [n_head.div_ceil(q_span) + n_head_kv, n_rows, 1],
    })
}
