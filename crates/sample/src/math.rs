//! Elementary functions with the same bits on every platform.

/// `e^x`, within one unit in the last place, for `x <= 88`; 0 for anything below −104 and for −∞.
///
/// `f32::exp` calls the platform's mathematics library, whose last bit differs between a native build and wasm. This
/// one uses only IEEE additions and multiplications in f64, so a seeded draw repeats everywhere.
#[must_use]
pub fn exp_f32(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    if x < -104.0 {
        return 0.0;
    }
    let x = f64::from(x.min(88.5));
    let n = (x * std::f64::consts::LOG2_E + 0.5).floor();
    let r = x - n * std::f64::consts::LN_2;
    // Taylor to the 12th power on |r| <= 0.347: the first term left out is below 2e-16.
    const INVERSE_FACTORIAL: [f64; 12] = [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
    ];
    let poly = INVERSE_FACTORIAL.iter().fold(0.0, |acc, c| acc * r + c);
    // n lies in −151..=128, so the exponent field stays inside 872..=1151.
    let scale = f64::from_bits(((1023 + n as i64) as u64) << 52);
    ((1.0 + poly * r) * scale) as f32
}

#[cfg(test)]
mod tests {
    use super::exp_f32;

    #[test]
    fn agrees_with_the_library_within_one_ulp() {
        let mut x = -103.0f32;
        while x < 88.0 {
            let want = f64::from(x).exp() as f32;
            let got = exp_f32(x);
            let ulps = i64::from(want.to_bits()) - i64::from(got.to_bits());
            assert!(ulps.abs() <= 1, "exp({x}): {got} instead of {want}");
            x += 0.000_977;
        }
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!(exp_f32(0.0), 1.0);
        assert_eq!(exp_f32(f32::NEG_INFINITY), 0.0);
        assert!(exp_f32(f32::NAN).is_nan());
    }
}
