//! Logits of tokens that a mask leaves out.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, logits_shape};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::step::STEP_BYTES;

/// Tokens of one workgroup.
const SPAN: u32 = 256;

/// Parameters of `mask_logits`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_vocab: u32,
    pub(crate) n_word: u32,
    pub(crate) reserved0: u32,
    pub(crate) reserved1: u32,
}

/// What [`mask_logits`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct MaskLogitsArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// A mask for each wanted row, see [`mask_bytes`].
    pub allowed: &'a Slice<B>,
    /// f32 `[n_want][n_vocab]`, changed in place.
    pub logits: &'a Slice<B>,
    /// Length of a row.
    pub n_vocab: u32,
    /// Most wanted rows of a step.
    pub n_want: u32,
}

/// Bytes of the mask of one row: bit `id % 32` of word `id / 32` is set for a token that may be chosen.
#[must_use]
pub const fn mask_bytes(n_vocab: u32) -> u64 {
    n_vocab.div_ceil(32) as u64 * 4
}

/// Makes the logits of tokens whose bit is not set [`crate::sampling::BANNED`].
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn mask_logits<B: Clone>(args: &MaskLogitsArgs<'_, B>) -> Result<Dispatch<B>, ShapeError> {
    let op = "mask_logits";
    let &MaskLogitsArgs { step, allowed, logits, n_vocab, n_want } = args;
    logits_shape(op, n_vocab, n_want)?;
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "allowed", allowed, mask_bytes(n_vocab) * u64::from(n_want))?;
    holds(op, "logits", logits, u64::from(n_vocab) * u64::from(n_want) * 4)?;
    let uniform = Params { n_vocab, n_word: n_vocab.div_ceil(32), reserved0: 0, reserved1: 0 };
    Ok(Dispatch {
        shader: id::MASK_LOGITS,
        overrides: Vec::new(),
        bindings: vec![step.clone(), allowed.clone(), logits.clone()],
        uniform: bytemuck::cast_slice(&[uniform]).to_vec(),
        grid: [n_vocab.div_ceil(SPAN), n_want, 1],
    })
}
