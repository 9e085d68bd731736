//! The path through a tree of guesses.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, logits_shape};
use super::topk::topk_bytes;
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::sampling::{Picked, RowStats, SampleParams};
use crate::step::STEP_BYTES;
use crate::walking::{TREE_BYTES, WALKED_BYTES};

/// Parameters of `walk`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_vocab: u32,
    pub(crate) n_want: u32,
    pub(crate) n_word: u32,
    pub(crate) reserved: u32,
}

/// What [`walk`] runs on.
#[derive(Clone, Debug)]
pub struct WalkArgs<'a, B> {
    /// The step buffer: tokens of the rows, and which of them are wanted.
    pub step: &'a Slice<B>,
    /// [`RowStats`] `[n_want]`.
    pub stats: &'a Slice<B>,
    /// [`Picked`] `[n_want]`; any contents do where the likeliest tokens come.
    pub picked: &'a Slice<B>,
    /// A [`crate::walking::Tree`].
    pub tree: &'a Slice<B>,
    /// What the judging of drawn guesses needs; without, lists of the tree count for nothing.
    pub judged: Option<Judged<'a, B>>,
    /// A [`crate::walking::Walked`] with its path, written.
    pub walked: &'a Slice<B>,
    /// Tokens of the vocabulary.
    pub n_vocab: u32,
    /// Most wanted rows of a step.
    pub n_want: u32,
}

/// What drawn guesses are judged by: the sampler's cuts of the best candidates.
#[derive(Clone, Debug)]
pub struct Judged<'a, B> {
    /// One [`SampleParams`], by which [`Picked`] were drawn.
    pub params: &'a Slice<B>,
    /// Result of [`super::topk::topk`].
    pub best: &'a Slice<B>,
}

/// Follows a tree of guesses along what its rows say, as far as rows are wanted.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn walk<B: Clone>(args: &WalkArgs<'_, B>) -> Result<Dispatch<B>, ShapeError> {
    let op = "walk";
    let &WalkArgs { step, stats, picked, tree, ref judged, walked, n_vocab, n_want } = args;
    logits_shape(op, n_vocab, n_want)?;
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "stats", stats, u64::from(n_want) * size_of::<RowStats>() as u64)?;
    holds(op, "picked", picked, u64::from(n_want) * size_of::<Picked>() as u64)?;
    holds(op, "tree", tree, TREE_BYTES)?;
    holds(op, "walked", walked, WALKED_BYTES)?;
    let n_word = (tree.size / 4).min(u64::from(u32::MAX)) as u32;
    let params = Params { n_vocab, n_want, n_word, reserved: 0 };
    let mut bindings = vec![step.clone(), stats.clone(), picked.clone(), tree.clone()];
    if let Some(Judged { params, best }) = judged {
        holds(op, "params", params, size_of::<SampleParams>() as u64)?;
        holds(op, "best", best, topk_bytes(n_want))?;
        bindings.extend([(*params).clone(), (*best).clone()]);
    }
    bindings.push(walked.clone());
    Ok(Dispatch {
        shader: if judged.is_some() { id::WALK_JUDGED } else { id::WALK },
        overrides: Vec::new(),
        bindings,
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [1, 1, 1],
    })
}
