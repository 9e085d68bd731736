//! Activations as whole numbers: every chunk of 32 in two limbs of 16 bits that share a power of two. Products with
//! weights of up to 8 bits are then sums of 16-bit products, of which processors do twice to four times as many as of
//! floats. A value errs by at most 2^-29 of the largest of its chunk, which is less than f32 loses when it adds.

use crate::cpu::bytes::quantise;

/// Largest exponent field that keeps the power of two and its reciprocal normal; values below 2^-96 lose digits.
const LEAST_EXPONENT: u32 = 31;
/// 1.5 · 2^23: adding it leaves a number rounded to a whole one, in the low bits.
const ROUND: f32 = 12_582_912.0;

/// The elements of a chunk in the order of [`Order::Quants`], four vectors of eight.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(super) struct Limbs {
    /// `(high + low · 2^-15) · scale_high`, in −2^14..=2^14 each.
    pub(super) high: [[i16; 8]; 4],
    pub(super) low: [[i16; 8]; 4],
    pub(super) scale_high: f32,
    /// 2^-15 of the other.
    pub(super) scale_low: f32,
    /// Sums of the two halves of the chunk.
    pub(super) halves: [f32; 2],
}

impl Limbs {
    /// The limbs of a chunk; what is not finite makes all products with it not a number.
    #[inline(always)]
    pub(super) fn of(x: &[f32; 32]) -> Self {
        let mut largest = 0;
        for v in x {
            largest = largest.max(v.to_bits() & 0x7fff_ffff);
        }
        let exponent = (largest >> 23).max(LEAST_EXPONENT);
        // |x| < 2^(exponent − 126), so that |x| · up < 2^14.
        let up = f32::from_bits((267 - exponent.min(254)) << 23);
        let scale_high = if exponent == 255 { f32::NAN } else { f32::from_bits((exponent - 13) << 23) };
        let (mut high, mut low) = ([0i16; 32], [0i16; 32]);
        for e in 0..32 {
            let v = x[e] * up;
            let rounded = v + ROUND;
            high[e] = rounded.to_bits() as i16;
            low[e] = ((v - (rounded - ROUND)) * 32768.0 + ROUND).to_bits() as i16;
        }
        Self {
            high: in_order(&high),
            low: in_order(&low),
            scale_high,
            scale_low: scale_high * (1.0 / 32768.0),
            halves: halves(x),
        }
    }

    /// The chunk in bytes: one limb, whose unit is a step of the chunk.
    #[inline(always)]
    pub(super) fn of_bytes(x: &[f32; 32]) -> Self {
        let (quants, step) = quantise(x);
        let (mut high, mut sums) = ([0i16; 32], [0i32; 2]);
        for e in 0..32 {
            high[e] = i16::from(quants[e]);
            sums[e / 16] += i32::from(quants[e]);
        }
        let halves = [step * sums[0] as f32, step * sums[1] as f32];
        Self { high: in_order(&high), low: [[0; 8]; 4], scale_high: step, scale_low: 0.0, halves }
    }
}

/// Sums of the two halves of a chunk.
#[inline(always)]
pub(super) fn halves(x: &[f32; 32]) -> [f32; 2] {
    let mut sums = [0.0; 2];
    for (sum, half) in sums.iter_mut().zip(x.as_chunks::<16>().0) {
        let mut four = [0.0f32; 4];
        for x in half.as_chunks::<4>().0 {
            for l in 0..4 {
                four[l] += x[l];
            }
        }
        *sum = (four[0] + four[2]) + (four[1] + four[3]);
    }
    sums
}

/// The even elements of the first half, of the second half, then the odd ones.
#[inline(always)]
fn in_order(x: &[i16; 32]) -> [[i16; 8]; 4] {
    let mut out = [[0; 8]; 4];
    for j in 0..8 {
        out[0][j] = x[2 * j];
        out[1][j] = x[16 + 2 * j];
        out[2][j] = x[2 * j + 1];
        out[3][j] = x[17 + 2 * j];
    }
    out
}

/// The order in which the vectors of a format's unpacked chunk hold its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As they are numbered: F32.
    Plain,
    /// Of every eight the even, then the odd ones: the pairs of F16 and BF16.
    Pairs,
    /// As the limbs: all formats of quants.
    Quants,
}

impl Order {
    /// The chunk in this order.
    #[inline(always)]
    pub(super) fn of(self, x: &[f32; 32]) -> [f32; 32] {
        let mut out = *x;
        match self {
            Self::Plain => {}
            Self::Pairs => {
                for (out, x) in out.as_chunks_mut::<8>().0.iter_mut().zip(x.as_chunks::<8>().0) {
                    *out = [x[0], x[2], x[4], x[6], x[1], x[3], x[5], x[7]];
                }
            }
            Self::Quants => {
                for j in 0..8 {
                    out[j] = x[2 * j];
                    out[8 + j] = x[16 + 2 * j];
                    out[16 + j] = x[2 * j + 1];
                    out[24 + j] = x[17 + 2 * j];
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Limbs, Order};

    fn value(limbs: &Limbs, e: usize) -> f64 {
        let (v, l) = (e / 8, e % 8);
        f64::from(limbs.high[v][l]) * f64::from(limbs.scale_high)
            + f64::from(limbs.low[v][l]) * f64::from(limbs.scale_low)
    }

    #[test]
    fn values_err_by_less_than_2_to_minus_29_of_the_largest() {
        for largest in [3e38, 1e10, 65504.0, 1.0, 0.999, 1e-9, 1e-28] {
            let x: [f32; 32] = std::array::from_fn(|e| {
                let v = largest * (((e * 7 + 3) % 32) as f32 / 31.0);
                if e % 3 == 0 { -v } else { v }
            });
            let limbs = Limbs::of(&x);
            for (e, x) in Order::Quants.of(&x).into_iter().enumerate() {
                let error = (value(&limbs, e) - f64::from(x)).abs();
                assert!(error <= f64::from(largest) * 2f64.powi(-29), "{x:e}: {error:e}");
            }
        }
    }

    #[test]
    fn zeros_are_exact_and_what_is_not_finite_is_seen() {
        let limbs = Limbs::of(&[0.0; 32]);
        assert!((0..32).all(|e| value(&limbs, e) == 0.0));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = [1.0; 32];
            x[17] = bad;
            assert!(value(&Limbs::of(&x), 0).is_nan());
        }
    }

    #[test]
    fn small_values_keep_their_size() {
        let limbs = Limbs::of(&[-1e-33; 32]);
        assert!((value(&limbs, 5) + 1e-33).abs() < 1e-37);
    }
}
