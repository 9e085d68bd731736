//! The path through a tree of guesses.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, logits_shape};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::sampling::{Picked, RowStats};
use crate::step::STEP_BYTES;
use crate::walking::{TREE_BYTES, WALKED_BYTES};

/// Parameters of `walk`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_vocab: u32,
    pub(crate) n_want: u32,
    pub(crate) reserved: [u32; 2],
}

/// What [`walk`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct WalkArgs<'a, B> {
    /// The step buffer: tokens of the rows, and which of them are wanted.
    pub step: &'a Slice<B>,
    /// [`RowStats`] `[n_want]`.
    pub stats: &'a Slice<B>,
    /// [`Picked`] `[n_want]`; any contents do where the likeliest tokens come.
    pub picked: &'a Slice<B>,
    /// A [`crate::walking::Tree`].
    pub tree: &'a Slice<B>,
    /// A [`crate::walking::Walked`] with its path, written.
    pub walked: &'a Slice<B>,
    /// Tokens of the vocabulary.
    pub n_vocab: u32,
    /// Most wanted rows of a step.
    pub n_want: u32,
}

/// Follows a tree of guesses along what its rows say, as far as rows are wanted.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn walk<B: Clone>(args: &WalkArgs<'_, B>) -> Result<Dispatch<B>, ShapeError> {
    let op = "walk";
    let &WalkArgs { step, stats, picked, tree, walked, n_vocab, n_want } = args;
    logits_shape(op, n_vocab, n_want)?;
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "stats", stats, u64::from(n_want) * size_of::<RowStats>() as u64)?;
    holds(op, "picked", picked, u64::from(n_want) * size_of::<Picked>() as u64)?;
    holds(op, "tree", tree, TREE_BYTES)?;
    holds(op, "walked", walked, WALKED_BYTES)?;
    let params = Params { n_vocab, n_want, reserved: [0; 2] };
    Ok(Dispatch {
        shader: id::WALK,
        overrides: Vec::new(),
        bindings: vec![step.clone(), stats.clone(), picked.clone(), tree.clone(), walked.clone()],
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [1, 1, 1],
    })
}
