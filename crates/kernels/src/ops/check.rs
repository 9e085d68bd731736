//! Shape checks that operations share.

use crate::dispatch::Slice;
use crate::error::ShapeError;
use crate::step::MAX_WANT;

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
