//! Exponentials and what is made of them, without calls and branches, so that loops over them become vector code.

/// `exp` up to 88; 0 below -87, where results are subnormal. Cephes' polynomial of degree 6 on ±ln 2 / 2, whose error is
/// below 2e-7 of the result.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5 · 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let bounded = x.clamp(-87.0, 88.0);
    let n = (bounded * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts: the first has few enough bits for an exact product.
    let r = (bounded - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let mut y = 1.987_569_2e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        y = y * r + c;
    }
    let y = y * r * r + r + 1.0;
    let two_to_n = f32::from_bits(((n + ROUND).to_bits() << 23).wrapping_add(127 << 23));
    if x < -87.0 { 0.0 } else { y * two_to_n }
}

#[inline(always)]
pub(super) fn silu(v: f32) -> f32 {
    v / (1.0 + exp((-v).clamp(-80.0, 80.0)))
}

/// As `v · sigmoid(2u)`, which is `0.5 v (1 + tanh u)`.
#[inline(always)]
pub(super) fn gelu_tanh(v: f32) -> f32 {
    let u = 0.797_884_6 * (v + 0.044_715 * v * v * v);
    v / (1.0 + exp((-2.0 * u).clamp(-80.0, 80.0)))
}

#[cfg(test)]
mod tests {
    use super::{exp, gelu_tanh, silu};

    #[test]
    fn exponentials_err_by_less_than_their_bound() {
        for i in -880_000..=870_000 {
            let x = i as f32 * -1e-4;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) - exact).abs() < 2e-7 * exact, "{x}");
        }
        assert_eq!([0.0, -88.0, -1e30].map(exp), [1.0, 0.0, 0.0]);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn activations_are_those_of_the_twins() {
        for i in -20_000..20_000 {
            let v = i as f32 * 1e-3;
            for (found, twin) in [
                (silu(v), crate::cpu::activation::silu(v)),
                (gelu_tanh(v), crate::cpu::activation::gelu_tanh(v)),
            ] {
                assert!((found - twin).abs() <= 5e-7 * v.abs().max(1e-3), "{v}: {found} {twin}");
            }
        }
    }
}
