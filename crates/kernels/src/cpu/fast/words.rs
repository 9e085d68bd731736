//! Words of the planes, and what every kind of vector needs of them.

use std::cell::Cell;

use crate::cpu::dequant::Planes;

/// The IQ4 code book and twice the E2M1 values; see [`crate::Format`].
pub(super) const IQ4_CODES: [i8; 16] =
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
pub(super) const E2M1_CODES: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// `N` words of a plane.
#[inline(always)]
pub(super) fn cells<const N: usize>(plane: &[Cell<u32>], at: usize) -> [u32; N] {
    let words = &plane[at..at + N];
    let mut out = [0; N];
    for i in 0..N {
        out[i] = words[i].get();
    }
    out
}

/// A scale word of the eight rows of group `g`.
#[inline(always)]
pub(super) fn scales(planes: &Planes<'_>, g: usize, unit: usize, word: usize) -> [u32; 8] {
    let n_word = planes.layout.format.scale_words() as usize;
    let first = ((g * planes.layout.n_unit as usize + unit) * n_word + word) * 8;
    cells(planes.ws, first)
}

/// The two bytes of a chunk in a block of 256, low and high, of the eight rows.
#[inline(always)]
pub(super) fn byte_pairs(planes: &Planes<'_>, g: usize, c: usize) -> [u32; 8] {
    let mut words = scales(planes, g, c / 8, 1 + c % 8 / 2);
    for word in &mut words {
        *word = (*word >> (16 * (c % 2))) & 0xffff;
    }
    words
}

#[inline(always)]
pub(super) fn shifted(words: [u32; 8], by: u32) -> [u32; 8] {
    let mut out = words;
    for word in &mut out {
        *word >>= by;
    }
    out
}

/// A half from its bits without a branch: the exponent is moved by a multiplication, which also raises subnormals.
#[inline(always)]
pub(super) fn half(h: u32) -> f32 {
    let moved = f32::from_bits((h & 0x7fff) << 13) * f32::from_bits(0x7780_0000);
    let endless = if h & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(moved.to_bits() | endless | (h & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn every_half_is_read_exactly() {
        for bits in 0..=u16::MAX {
            let (found, expected) = (half(bits.into()), half::f16::from_bits(bits).to_f32());
            assert!(
                found.to_bits() == expected.to_bits() || expected.is_nan() && found.is_nan(),
                "{bits:#06x}"
            );
        }
    }
}
