//! Shape checks that operations share.

use crate::dispatch::Slice;
use crate::error::ShapeError;
use crate::profile::Profile;
use crate::step::{MAX_ROWS, MAX_WANT, STEP_BYTES};

/// Largest vocabulary: 16 rows of it stay below 2^31 bytes.
const MAX_VOCAB: u64 = 1 << 22;

/// Refuses a binding of fewer than `needed` bytes.
pub(super) fn holds<B>(
    op: &'static str,
    what: &'static str,
    slice: &Slice<B>,
    needed: u64,
) -> Result<(), ShapeError> {
    if slice.size < needed {
        return Err(ShapeError::BufferTooSmall { op, what, found: slice.size, needed });
    }
    Ok(())
}

/// Refuses a size outside `min..=max`.
pub(super) fn in_range(
    op: &'static str,
    what: &'static str,
    found: u64,
    min: u64,
    max: u64,
) -> Result<(), ShapeError> {
    if (min..=max).contains(&found) {
        Ok(())
    } else {
        Err(ShapeError::OutOfRange { op, what, found, min, max })
    }
}

/// Refuses a vocabulary or a number of wanted rows that the sampling kernels do not serve.
pub(super) fn logits_shape(op: &'static str, n_vocab: u32, n_want: u32) -> Result<(), ShapeError> {
    in_range(op, "n_vocab", n_vocab.into(), 1, MAX_VOCAB)?;
    in_range(op, "n_want", n_want.into(), 1, MAX_WANT as u64)
}

/// Longest row of activations, in elements: 128 rows of it, eight experts each, stay below 2^31 words.
const MAX_WIDTH: u64 = 1 << 20;

/// Refuses row widths and strides that leave 32-bit indices or let rows overlap.
pub(super) fn row_shape(op: &'static str, what: &'static str, n: u32, stride: u32) -> Result<(), ShapeError> {
    in_range(op, what, n.into(), 1, MAX_WIDTH)?;
    in_range(op, "stride", stride.into(), n.into(), MAX_WIDTH)
}

/// Bytes of `n_rows` rows of `n` words, `stride` words apart; the last one may end early.
pub(super) fn row_bytes(n_rows: u32, n: u32, stride: u32) -> u64 {
    (u64::from(n_rows.saturating_sub(1)) * u64::from(stride) + u64::from(n)) * 4
}

/// Refuses a number of rows that a step cannot have, and a step buffer that is cut short.
pub(super) fn step_rows<B>(op: &'static str, step: &Slice<B>, n_rows: u32) -> Result<(), ShapeError> {
    in_range(op, "n_rows", n_rows.into(), 1, MAX_ROWS as u64)?;
    holds(op, "step", step, STEP_BYTES)
}

/// Refuses more workgroups in a dimension than WebGPU grants.
pub(super) fn grid(op: &'static str, n: u32) -> Result<u32, ShapeError> {
    if n > 65_535 { Err(ShapeError::GridTooLarge { op, found: n.into() }) } else { Ok(n) }
}

/// How an element-wise kernel cuts a row of `n` columns: its overrides `T` and `SPAN`, and the workgroups in x.
///
/// Software adapters pay per workgroup, GPUs want many.
pub(super) fn columns(profile: &Profile, n: u32) -> (Vec<(&'static str, f64)>, u32) {
    let threads = profile.norm_threads.min(64);
    let span = if threads < 32 { 1024 } else { 4 * threads };
    (vec![("T", threads.into()), ("SPAN", span.into())], n.div_ceil(span))
}
