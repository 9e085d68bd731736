//! Cosines and sines of all positions, computed in f64: WGSL promises `sin` and `cos` only near zero.

use crate::config::{RopeConfig, RopeScaling};

/// Per-frequency divisors that some files carry.
#[derive(Clone, Debug, Default)]
pub(crate) struct RopeFactors {
    /// Llama 3's `rope_freqs`, or `LongRoPE`'s factors up to the original context.
    pub short: Vec<f32>,
    /// `LongRoPE`'s factors beyond the original context.
    pub long: Vec<f32>,
}

/// `[pos][n_rot / 2]` pairs (cos, sin) for positions `0..n_ctx`.
#[must_use]
pub(crate) fn table(rope: &RopeConfig, factors: &RopeFactors, n_ctx: u32) -> Vec<f32> {
    let (frequencies, magnitude) = frequencies(rope, factors, n_ctx);
    let mut table = Vec::with_capacity(n_ctx as usize * rope.n_rot as usize);
    for pos in 0..n_ctx {
        for frequency in &frequencies {
            let (sin, cos) = (f64::from(pos) * frequency).sin_cos();
            table.extend([(cos * magnitude) as f32, (sin * magnitude) as f32]);
        }
    }
    table
}

/// Radians per position of every rotating pair, and what multiplies cosine and sine.
fn frequencies(rope: &RopeConfig, factors: &RopeFactors, n_ctx: u32) -> (Vec<f64>, f64) {
    let n_rot = f64::from(rope.n_rot);
    let base = f64::from(rope.freq_base);
    let pure = (0..rope.n_rot / 2).map(|i| base.powf(-2.0 * f64::from(i) / n_rot));
    let divide = |by: &[f32]| -> Vec<f64> {
        pure.clone().enumerate().map(|(i, f)| f / by.get(i).map_or(1.0, |d| f64::from(*d))).collect()
    };
    match rope.scaling {
        RopeScaling::None => (divide(&factors.short), 1.0),
        RopeScaling::Linear { factor } => {
            (divide(&factors.short).iter().map(|f| f / f64::from(factor)).collect(), 1.0)
        }
        RopeScaling::LongRope { n_ctx_orig, attn_factor } => {
            let by = if n_ctx > n_ctx_orig { &factors.long } else { &factors.short };
            (divide(by), f64::from(attn_factor))
        }
        RopeScaling::Yarn { factor, n_ctx_orig, attn_factor } => {
            let factor = f64::from(factor);
            let kept = yarn_ramp(n_rot, base, f64::from(n_ctx_orig));
            let mixed = divide(&factors.short)
                .into_iter()
                .enumerate()
                .map(|(i, f)| f / factor * (1.0 - kept(i as f64)) + f * kept(i as f64))
                .collect();
            (mixed, f64::from(attn_factor) * (1.0 + 0.1 * factor.ln()))
        }
    }
}

/// How much of the original frequency pair `i` keeps: 1 for the fast ones, 0 for the slow ones (beta 32 and 1 rotations).
fn yarn_ramp(n_rot: f64, base: f64, n_ctx_orig: f64) -> impl Fn(f64) -> f64 {
    let pair_of = |rotations: f64| {
        n_rot * (n_ctx_orig / (rotations * 2.0 * std::f64::consts::PI)).ln() / (2.0 * base.ln())
    };
    let low = pair_of(32.0).floor().max(0.0);
    let high = pair_of(1.0).ceil().min(n_rot - 1.0);
    move |i| 1.0 - ((i - low) / (high - low).max(0.001)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_unit_rotations_by_position() {
        let rope = RopeConfig { n_rot: 4, freq_base: 10_000.0, scaling: RopeScaling::None };
        let table = table(&rope, &RopeFactors::default(), 3);
        assert_eq!(&table[..4], &[1.0, 0.0, 1.0, 0.0]);
        assert!((table[8] - 2f32.cos()).abs() < 1e-7 && (table[9] - 2f32.sin()).abs() < 1e-7);
        assert!((table[11] - 0.02f32.sin()).abs() < 1e-9);
    }

    #[test]
    fn factors_divide_frequencies_and_yarn_keeps_the_fast_ones() {
        let scaling = RopeScaling::Yarn { factor: 4.0, n_ctx_orig: 4096, attn_factor: 1.0 };
        let rope = RopeConfig { n_rot: 64, freq_base: 10_000.0, scaling };
        let (frequencies, magnitude) = frequencies(&rope, &RopeFactors::default(), 8192);
        assert!((frequencies[0] - 1.0).abs() < 1e-12);
        let slowest = 10_000f64.powf(-62.0 / 64.0);
        assert!((frequencies[31] - slowest / 4.0).abs() < 1e-12);
        assert!((magnitude - (1.0 + 0.1 * 4f64.ln())).abs() < 1e-12);
    }
}
