//! The best 256 logits of wanted rows, sorted.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, logits_shape};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;
use crate::sampling::CANDIDATES;
use crate::step::STEP_BYTES;

/// Logits that one workgroup of the first stage sorts.
pub(crate) const BLOCK: u32 = 1024;
/// Lists that one workgroup of a merge stage reads.
pub(crate) const FAN_IN: u32 = 4;
/// Bytes of one list of (id, logit).
const LIST_BYTES: u64 = CANDIDATES as u64 * 8;

/// Parameters of `topk`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n_vocab: u32,
    pub(crate) n_list_in: u32,
    pub(crate) n_list_out: u32,
    pub(crate) reserved: u32,
}

/// Parameters of `topk_scan`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct ScanParams {
    pub(crate) n_vocab: u32,
    pub(crate) reserved: [u32; 3],
}

/// What [`topk`] and [`topk_with`] run on.
#[derive(Clone, Copy, Debug)]
pub struct TopkArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[n_want][n_vocab]`.
    pub logits: &'a Slice<B>,
    /// Two buffers of [`topk_scratch_bytes`]; a scan leaves them alone.
    pub scratch: [&'a Slice<B>; 2],
    /// (token id, logit as f32 bits) `[n_want][256]`, written; see [`crate::sampling::NO_ID`].
    pub best: &'a Slice<B>,
    /// Length of a row.
    pub n_vocab: u32,
    /// Most wanted rows of a step.
    pub n_want: u32,
}

/// The best 256 logits of each wanted row in the form that the profile asks for; the result is the same.
///
/// # Errors
/// As [`topk`].
pub fn topk_with<B: Clone>(
    args: &TopkArgs<'_, B>,
    profile: &Profile,
) -> Result<Vec<Dispatch<B>>, ShapeError> {
    if profile.scan_topk { topk_scan(args).map(|dispatch| vec![dispatch]) } else { topk(args) }
}

/// Bytes of the two scratch buffers of [`topk`].
#[must_use]
pub const fn topk_scratch_bytes(n_vocab: u32, n_want: u32) -> [u64; 2] {
    let first = n_vocab.div_ceil(BLOCK);
    let bytes = n_want as u64 * LIST_BYTES;
    [first as u64 * bytes, first.div_ceil(FAN_IN) as u64 * bytes]
}

/// Bytes of the result of [`topk`].
#[must_use]
pub const fn topk_bytes(n_want: u32) -> u64 {
    n_want as u64 * LIST_BYTES
}

/// Dispatches that sort the best 256 logits of each wanted row: logit descending, id ascending, exact.
/// A logit that is not finite counts as [`crate::sampling::BANNED`].
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn topk<B: Clone>(args: &TopkArgs<'_, B>) -> Result<Vec<Dispatch<B>>, ShapeError> {
    let op = "topk";
    let &TopkArgs { step, logits, scratch, best, n_vocab, n_want } = args;
    logits_shape(op, n_vocab, n_want)?;
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "logits", logits, u64::from(n_vocab) * u64::from(n_want) * 4)?;
    holds(op, "best", best, topk_bytes(n_want))?;
    let mut stages = Vec::new();
    let (mut source, mut n_list_in, mut n_list_out) = (logits, 0, n_vocab.div_ceil(BLOCK));
    for (shader, target) in
        [id::TOPK_FIRST].into_iter().chain(std::iter::repeat(id::TOPK_MERGE)).zip(scratch.iter().cycle())
    {
        let target = if n_list_out == 1 { best } else { target };
        holds(op, "scratch", target, topk_bytes(n_want) * u64::from(n_list_out))?;
        let params = Params { n_vocab, n_list_in, n_list_out, reserved: 0 };
        stages.push(Dispatch {
            shader,
            overrides: Vec::new(),
            bindings: vec![step.clone(), source.clone(), target.clone()],
            uniform: bytemuck::cast_slice(&[params]).to_vec(),
            grid: [n_list_out, n_want, 1],
        });
        if n_list_out == 1 {
            break;
        }
        (source, n_list_in, n_list_out) = (target, n_list_out, n_list_out.div_ceil(FAN_IN));
    }
    Ok(stages)
}

fn topk_scan<B: Clone>(args: &TopkArgs<'_, B>) -> Result<Dispatch<B>, ShapeError> {
    let op = "topk_scan";
    let &TopkArgs { step, logits, best, n_vocab, n_want, .. } = args;
    logits_shape(op, n_vocab, n_want)?;
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "logits", logits, u64::from(n_vocab) * u64::from(n_want) * 4)?;
    holds(op, "best", best, topk_bytes(n_want))?;
    Ok(Dispatch {
        shader: id::TOPK_SCAN,
        overrides: Vec::new(),
        bindings: vec![step.clone(), logits.clone(), best.clone()],
        uniform: bytemuck::cast_slice(&[ScanParams { n_vocab, reserved: [0; 3] }]).to_vec(),
        grid: [n_want, 1, 1],
    })
}
