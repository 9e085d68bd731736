//! Activations as bytes: every chunk of 32 in three signed digits of base 256 that share a power of two. Products of
//! unsigned bytes with signed ones are exact sums of four on processors that have them, so that three digits cost less than
//! two limbs of 16 bits ([`super::limbs`]). A value errs by at most 2^-23 of the largest of its chunk.

use std::cell::Cell;

thread_local! {
    /// Room of the last product for the next: memory of this size is else asked of the system, and cleared, every time.
    static ROOM: Cell<Vec<Digits>> = const { Cell::new(Vec::new()) };
}

/// Largest exponent field that keeps the power of two and its reciprocal normal; values below 2^-90 lose digits.
const LEAST_EXPONENT: u32 = 37;
/// Digits are −128..=127, so that the largest number is 127·(1 + 256 + 65536): 65,793 units of a mantissa below the power of two.
const HEADROOM: u32 = 66_000;

/// The elements of a chunk, four of each digit to a word.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Digits {
    /// `(high · 2^16 + middle · 2^8 + low) · scale_low`; where one digit is all there is, `high · scale_high`, and only the
    /// first 64 bytes are read.
    pub(super) high: [[i8; 4]; 8],
    /// 256 times the other: of `high · 2^8 + middle`.
    pub(super) scale_high: f32,
    pub(super) scale_low: f32,
    /// Sums of the two halves of the chunk as its digits have it, and of both.
    pub(super) sums: [f32; 3],
    pub(super) middle: [[i8; 4]; 8],
    pub(super) low: [[i8; 4]; 8],
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

/// An empty list, with the room of the last one that was given back.
pub(super) fn room() -> Vec<Digits> {
    let mut room = ROOM.take();
    room.clear();
    room
}

/// Leaves a list's room for the next.
pub(super) fn give_back(digits: Vec<Digits>) {
    ROOM.set(digits);
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
