//! Activations as bytes: every chunk of 32 in three signed digits of base 256 that share a power of two. Products of
//! unsigned bytes with signed ones are exact sums of four on processors that have them, so that three digits cost less than
//! two limbs of 16 bits ([`super::limbs`]). A value errs by at most 2^-23 of the largest of its chunk.

use std::cell::Cell;

thread_local! {
    /// Of the last product: for its other parts, and as room for the next, because memory of this size is else asked of the
    /// system, and cleared, every time.
    pub(super) static ROOM: Cell<Columns> = const { Cell::new(Columns::NONE) };
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// Largest exponent field that keeps the power of two and its reciprocal normal; values below 2^-90 lose digits.
const LEAST_EXPONENT: u32 = 37;
/// Digits are −128..=127, so that the largest number is 127·(1 + 256 + 65536): 65,793 units of a mantissa below the power of two.
const HEADROOM: u32 = 66_000;

/// The elements of a chunk, four of each digit to a word: the highest digits, and what belongs to the chunk. A line of memory.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Digits {
    /// `(high · 2^16 + middle · 2^8 + low) · scale_low`; where one digit is all there is, `high · scale_high`.
    pub(super) high: [[i8; 4]; 8],
    /// 256 times the other: of `high · 2^8 + middle`.
    pub(super) scale_high: f32,
    pub(super) scale_low: f32,
    /// Sums of the two halves of the chunk as its digits have it, and of both.
    pub(super) sums: [f32; 3],
}

/// The lower digits of a chunk.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Lower {
    pub(super) middle: [[i8; 4]; 8],
    pub(super) low: [[i8; 4]; 8],
}

/// The digits of a product's columns, `[tile][chunk][column]`, so that a tile's are read in the order in which they lie.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) digits: Vec<Digits>,
    /// Of another product where one digit is all there is.
    pub(super) lower: Vec<Lower>,
    /// The product; 0 is none.
    pub(super) of: u64,
}

impl Columns {
    const NONE: Self = Self { digits: Vec::new(), lower: Vec::new(), of: 0 };

    /// Room for `n` chunks at least.
    pub(super) fn make_room(&mut self, n: usize, int8: bool) {
        if self.digits.len() < n {
            self.digits.resize(n, Digits::default());
        }
        if self.lower.len() < n && !int8 {
            self.lower.resize(n, Lower::default());
        }
    }
}

/// A number that no other product made by this thread has: threads that share work take all of it from one.
pub(super) fn new_product() -> u64 {
    LAST.set(LAST.get() + 1);
    LAST.get()
}

/// What the values of a chunk are multiplied by to be whole numbers of three digits, and the scale of the two higher ones:
/// not a number where `largest`, the bits of the largest value without its sign, is not a finite one.
pub(super) const fn powers(largest: u32) -> (f32, f32) {
    let exponent = (largest + HEADROOM) >> 23;
    let exponent = if exponent < LEAST_EXPONENT { LEAST_EXPONENT } else { exponent };
    // |x| < 2^(exponent − 126), so that |x| · up < 2^23.
    if exponent >= 255 {
        return (0.0, f32::NAN);
    }
    (f32::from_bits((276 - exponent) << 23), f32::from_bits((exponent - 14) << 23))
}

#[cfg(test)]
mod tests {
    use super::powers;

    #[test]
    fn the_largest_has_three_digits_and_not_much_less() {
        for largest in [3.3e38, 1e10, 65504.0, 65279.0, 1.0, 0.9999, 0.9961, 0.996, 1e-9, 1e-26f32] {
            let (up, scale_high) = powers(largest.to_bits());
            let whole = (f64::from(largest) * f64::from(up)).round();
            assert!(whole <= 8_355_711.0 && whole >= f64::from(1 << 22) * 0.995, "{largest:e} is {whole}");
            assert_eq!(f64::from(up) * f64::from(scale_high), 256.0, "{largest:e}");
        }
    }

    #[test]
    fn zero_and_what_is_too_small_have_finite_powers() {
        for largest in [0.0, 1e-40, f32::MIN_POSITIVE] {
            let (up, scale_high) = powers(largest.to_bits());
            assert!(up.is_finite() && (scale_high / 256.0).is_normal(), "{largest:e}");
        }
    }

    #[test]
    fn what_is_not_finite_is_seen() {
        for bad in [f32::INFINITY, f32::NAN, f32::MAX] {
            assert!(powers(bad.to_bits()).1.is_nan());
        }
    }
}
