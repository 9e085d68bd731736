//! Logit bias and penalties.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range, logits_shape};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::sampling::{SampleParams, history_bytes, list_bytes};
use crate::step::STEP_BYTES;

/// Most pairs of a bias list and tokens of a history ring: first occurrences are found by comparing all pairs of the window.
const MAX_ENTRIES: u64 = 1 << 16;

/// Parameters of `penalize`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_vocab: u32,
    pub(crate) n_set: u32,
    pub(crate) bias_words: u32,
    pub(crate) history_words: u32,
}

/// What [`penalize`] runs on. Parameters, bias list and history come as one set for all rows, or as one set a row.
#[derive(Clone, Copy, Debug)]
pub struct PenalizeArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// [`SampleParams`] `[n_set]`.
    pub params: &'a Slice<B>,
    /// `[n_set]` lists with room for `bias_capacity` pairs, see [`crate::sampling::bias_list`].
    pub bias: &'a Slice<B>,
    /// `[n_set]` rings of `history_capacity` tokens, see [`crate::sampling::history_ring`].
    pub history: &'a Slice<B>,
    /// f32 `[n_want][n_vocab]`, changed in place.
    pub logits: &'a Slice<B>,
    /// Length of a row.
    pub n_vocab: u32,
    /// Most wanted rows of a step.
    pub n_want: u32,
    /// A set for each wanted row instead of one for all.
    pub per_row: bool,
    /// Pairs that a bias list has room for.
    pub bias_capacity: u32,
    /// Tokens that a history ring has room for.
    pub history_capacity: u32,
}

/// Adds the biases, then applies repetition, frequency and presence penalties over the newest tokens of the history.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn penalize<B: Clone>(args: &PenalizeArgs<'_, B>) -> Result<Dispatch<B>, ShapeError> {
    let op = "penalize";
    let &PenalizeArgs { step, params, bias, history, logits, n_vocab, n_want, .. } = args;
    logits_shape(op, n_vocab, n_want)?;
    in_range(op, "bias_capacity", args.bias_capacity.into(), 0, MAX_ENTRIES)?;
    in_range(op, "history_capacity", args.history_capacity.into(), 0, MAX_ENTRIES)?;
    let n_set = if args.per_row { n_want } else { 1 };
    let (bias_bytes, ring_bytes) = (list_bytes(args.bias_capacity), history_bytes(args.history_capacity));
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "params", params, u64::from(n_set) * size_of::<SampleParams>() as u64)?;
    holds(op, "bias", bias, u64::from(n_set) * bias_bytes)?;
    holds(op, "history", history, u64::from(n_set) * ring_bytes)?;
    holds(op, "logits", logits, u64::from(n_vocab) * u64::from(n_want) * 4)?;
    // Both are at most 4 * (65,536 * 2 + 4) bytes.
    let uniform = Params {
        n_vocab,
        n_set,
        bias_words: (bias_bytes / 4) as u32,
        history_words: (ring_bytes / 4) as u32,
    };
    Ok(Dispatch {
        shader: id::PENALIZE,
        overrides: Vec::new(),
        bindings: vec![step.clone(), params.clone(), bias.clone(), history.clone(), logits.clone()],
        uniform: bytemuck::cast_slice(&[uniform]).to_vec(),
        grid: [n_want, 1, 1],
    })
}
