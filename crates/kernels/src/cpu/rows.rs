//! Rows of floats and halves for the twins of the layer kernels.

use std::cell::Cell;

use half::f16;

use super::words::read;
use crate::step::{Header, ROWS_OFFSET, Row};

/// Rows that a dispatch over `grid_rows` of them serves.
pub(super) fn n_rows(step: &[Cell<u32>], grid_rows: u32) -> usize {
    read::<Header>(step, 0).n_rows.min(grid_rows) as usize
}

/// Row `index` of the step.
pub(super) fn row(step: &[Cell<u32>], index: usize) -> Row {
    read(step, ROWS_OFFSET as usize / 4 + index * (size_of::<Row>() / 4))
}

/// `n` floats from word `at`.
pub(super) fn load(words: &[Cell<u32>], at: usize, n: usize) -> Vec<f32> {
    words[at..at + n].iter().map(|w| f32::from_bits(w.get())).collect()
}

/// Stores floats from word `at`.
pub(super) fn store(words: &[Cell<u32>], at: usize, values: &[f32]) {
    for (word, v) in words[at..].iter().zip(values) {
        word.set(v.to_bits());
    }
}

/// The two halves of each of `n` words from word `at`.
pub(super) fn load_halves(words: &[Cell<u32>], at: usize, n: usize) -> Vec<f32> {
    words[at..at + n].iter().flat_map(|w| unpack(w.get())).collect()
}

/// Stores floats as pairs of halves from word `at`.
pub(super) fn store_halves(words: &[Cell<u32>], at: usize, values: &[f32]) {
    for (word, [low, high]) in words[at..].iter().zip(values.as_chunks::<2>().0) {
        word.set(pack(*low, *high));
    }
}

/// The two halves of a word.
pub(super) fn unpack(word: u32) -> [f32; 2] {
    [half(word & 0xffff), half(word >> 16)]
}

/// Exact for every finite half, subnormal ones too, and plain enough to be vectorised: the cache holds no others, because
/// [`pack`] bounds what it stores.
fn half(h: u32) -> f32 {
    const TWO_TO_112: f32 = f32::from_bits(0x7780_0000);
    let magnitude = f32::from_bits((h & 0x7fff) << 13) * TWO_TO_112;
    f32::from_bits(magnitude.to_bits() | (h & 0x8000) << 16)
}

/// Two floats as halves, bounded by the largest one.
pub(super) fn pack(low: f32, high: f32) -> u32 {
    let [low, high] = [low, high].map(|v| u32::from(f16::from_f32(v.clamp(-65504.0, 65504.0)).to_bits()));
    high << 16 | low
}

/// Scalar product in sixteen partial sums.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    let mut sums = [0.0f32; 16];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// `1 / sqrt(mean(x²) + eps)`
pub(super) fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    let sum: f64 = x.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
    (1.0 / (sum / x.len() as f64 + f64::from(eps)).sqrt()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_exactly() {
        for bits in (0..=u16::MAX).filter(|h| f16::from_bits(*h).is_finite()) {
            assert_eq!(half(bits.into()).to_bits(), f16::from_bits(bits).to_f32().to_bits(), "{bits:#x}");
        }
        assert_eq!(unpack(pack(1e9, -1e9)), [65504.0, -65504.0]);
    }
}
