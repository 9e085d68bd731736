//! Copies and shifts of cells inside a layer's cache.

use bytemuck::{Pod, Zeroable};

use super::check::{grid, holds, in_range};
use super::rope_kv::{HeadShape, Pairing, Rope, multiple};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;

/// Moves that one workgroup makes when moves share no cell.
const SPAN: u32 = 64;

/// Parameters of `kv_move`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_head_kv: u32,
    pub(crate) head_dim: u32,
    pub(crate) n_rot: u32,
    pub(crate) n_cells: u32,
    pub(crate) n_pos: u32,
    pub(crate) max_moves: u32,
    pub(crate) span: u32,
    pub(crate) reserved: u32,
}

/// One entry of a list of moves; the list starts with four words, of which the first is the number of entries.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Move {
    /// Cell to read.
    pub src: u32,
    /// Cell to write; may be `src`.
    pub dst: u32,
    /// Positions by which the key moves; 0 leaves its bits as they are.
    pub delta: i32,
    /// Unused.
    pub reserved: u32,
}

/// What [`kv_move`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct KvMoveArgs<'a, B> {
    /// The layer's cache.
    pub kv: &'a Slice<B>,
    /// A list of [`Move`]s, see [`move_list`].
    pub moves: &'a Slice<B>,
    /// The layer's rotation; none for models with learned positions, whose keys cannot shift.
    pub rope: Option<Rope<'a, B>>,
    /// Sizes.
    pub shape: HeadShape,
    /// Most moves of a list.
    pub max_moves: u32,
    /// Whether a cell that one move writes is read or written by another: then they run one after the other.
    pub ordered: bool,
}

/// The words of a list of moves.
#[must_use]
pub fn move_list(moves: &[Move]) -> Vec<u32> {
    let n = u32::try_from(moves.len()).unwrap_or(u32::MAX);
    [&[n, 0, 0, 0], bytemuck::cast_slice(moves)].concat()
}

/// Bytes of a list of `max_moves`.
#[must_use]
pub const fn move_list_bytes(max_moves: u32) -> u64 {
    16 + max_moves as u64 * 16
}

/// Copies cells, turning keys by a number of positions on the way. A shift beyond the rotation table turns by its last row.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small, or if NEOX pairs do not fill whole words of the cache.
pub fn kv_move<B: Clone>(args: &KvMoveArgs<'_, B>, profile: &Profile) -> Result<Dispatch<B>, ShapeError> {
    let op = "kv_move";
    let &KvMoveArgs { kv, moves, rope, shape, max_moves, ordered } = args;
    let HeadShape { n_head_kv, head_dim, n_cells, keys, .. } = shape;
    shape.check(op)?;
    in_range(op, "max_moves", max_moves.into(), 1, 1 << 20)?;
    holds(op, "kv", kv, shape.kv_bytes())?;
    holds(op, "moves", moves, move_list_bytes(max_moves))?;
    let neox = rope.is_some_and(|r| r.pairing == Pairing::Neox);
    if let Some(rope) = rope {
        rope.check(op, head_dim)?;
        multiple(op, "n_rot", rope.n_rot, if neox { 4 } else { 2 })?;
    }
    let span = if ordered { max_moves } else { SPAN };
    let threads = profile.norm_threads.min(64);
    let params = Params {
        n_head_kv,
        head_dim,
        n_rot: rope.map_or(0, |r| r.n_rot),
        n_cells,
        n_pos: rope.map_or(1, |r| r.n_pos),
        max_moves,
        span,
        reserved: 0,
    };
    Ok(Dispatch {
        shader: id::KV_MOVE,
        overrides: vec![
            ("T", threads.into()),
            ("ROPE", u8::from(rope.is_some()).into()),
            ("NEOX", u8::from(neox).into()),
            keys.key_words(),
        ],
        bindings: [kv, moves, rope.map_or(moves, |r| r.table)].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [grid(op, (n_head_kv * head_dim).div_ceil(threads))?, max_moves.div_ceil(span), 1],
    })
}
