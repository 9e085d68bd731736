//! One row of the table, ready to run.

use goldcrest_gpu::{Buffer, Dispatch, Slice};
use goldcrest_kernels::{Profile, ShapeError};

use super::compare::Compare;

/// Contents of a float that has to be written; a NaN, so that a read of it shows.
pub const POISON_F32: u32 = 0x7fc0_0000;
/// Contents of an integer that has to be written; as an index it is beyond every end.
pub const POISON_U32: u32 = u32::MAX;

/// Makes the dispatches from the slices of [`Case::bound`], in their order.
pub type Build = Box<dyn Fn(&[Slice<Buffer>], &Profile) -> Result<Vec<Dispatch<Buffer>>, ShapeError>>;

/// Buffers, dispatches and expectations.
pub struct Case {
    /// The buffers that dispatches bind.
    pub bound: Vec<Bound>,
    /// The dispatches.
    pub build: Build,
    /// Values by the formula, from nothing of the kernels' code: index into `bound`, and one value per element, where NaN
    /// means that the element keeps its initial bits. Elements of [`Compare::Exact`] are words.
    pub expected: Vec<(usize, Vec<f64>)>,
}

/// A buffer of a case.
pub struct Bound {
    /// For messages.
    pub name: &'static str,
    /// Contents before the dispatches.
    pub words: Vec<u32>,
    /// How it is compared afterwards; none if it must not change.
    pub output: Option<Compare>,
}

impl Bound {
    /// A buffer that is only read.
    #[must_use]
    pub fn input(name: &'static str, words: Vec<u32>) -> Self {
        Self { name, words, output: None }
    }

    /// Floats that are only read.
    #[must_use]
    pub fn floats(name: &'static str, values: &[f32]) -> Self {
        Self::input(name, bits(values))
    }

    /// A buffer that changes in place.
    #[must_use]
    pub fn changed(name: &'static str, words: Vec<u32>, compare: Compare) -> Self {
        Self { name, words, output: Some(compare) }
    }

    /// `n` words to be written, poisoned.
    #[must_use]
    pub fn written(name: &'static str, n: usize, compare: Compare) -> Self {
        let poison = if compare == Compare::Exact { POISON_U32 } else { POISON_F32 };
        Self::changed(name, vec![poison; n], compare)
    }
}

/// Floats as words.
#[must_use]
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
