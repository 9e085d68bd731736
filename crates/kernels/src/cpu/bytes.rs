//! Activations in signed bytes, every chunk of 32 by a step of its own: what [`crate::profile::Activations::Int8`] and
//! [`crate::profile::TileForm::Dot`] lose.

/// Least and first too large exponent of a chunk that is quantised: the step and its reciprocal are normal numbers.
const EXPONENTS: std::ops::Range<u32> = 16..245;

/// The bits of the largest magnitude; those of a NaN come last.
pub(super) fn largest(v: &[f32; 32]) -> u32 {
    v.iter().map(|v| v.to_bits() & 0x7fff_ffff).max().unwrap_or(0)
}

/// The reciprocal of the step and the step, by the largest magnitude; none if its exponent is out of range. Whole numbers are
/// divided, so that every device finds the same.
pub(super) fn step(most: u32) -> Option<(f32, f32)> {
    let exponent = most >> 23;
    let steps = (127u32 << 16) / ((most >> 16 & 0x7f) + 129);
    EXPONENTS.contains(&exponent).then(|| {
        let inverse = steps as f32 * f32::from_bits((245 - exponent) << 23);
        (inverse, 1.0 / inverse)
    })
}

/// The same for products that have no other form: too small a chunk is zeros, too large a one makes them not a number.
#[inline(always)]
pub(super) fn step_or_nan(most: u32) -> (f32, f32) {
    let out_of_range = if most >> 23 < EXPONENTS.start { 0.0 } else { f32::NAN };
    step(most).unwrap_or((0.0, out_of_range))
}

/// The chunk as whole numbers of steps, and the step.
#[inline(always)]
pub(super) fn quantise(v: &[f32; 32]) -> ([i8; 32], f32) {
    let mut most = 0;
    for v in v {
        most = most.max(v.to_bits() & 0x7fff_ffff);
    }
    let (inverse, step) = step_or_nan(most);
    let mut quants = [0; 32];
    for e in 0..32 {
        quants[e] = (v[e] * inverse).round_ties_even() as i8;
    }
    (quants, step)
}

/// The values that bytes leave of chunks.
#[inline(always)]
pub(super) fn round(values: &mut [f32]) {
    for chunk in values.as_chunks_mut::<32>().0 {
        let (quants, step) = quantise(chunk);
        for (v, q) in chunk.iter_mut().zip(quants) {
            *v = f32::from(q) * step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_errs_by_half_a_step_of_its_chunk() {
        for magnitude in [1e-30f32, 3e-5, 0.99, 1.0, 127.0, 6e4, 1e30] {
            let v: [f32; 32] = std::array::from_fn(|i| magnitude * (i as f32 / 31.0 - 0.3) / 0.7);
            let (quants, step) = quantise(&v);
            assert!(quants.iter().any(|q| q.unsigned_abs() >= 125), "{magnitude}");
            let mut rounded = v;
            round(&mut rounded);
            for (v, rounded) in v.iter().zip(rounded) {
                assert!((v - rounded).abs() <= 0.5001 * step, "{magnitude}");
            }
        }
    }

    #[test]
    fn what_is_no_number_or_too_large_does_not_become_one() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
            let mut v = [1.0; 32];
            v[9] = bad;
            round(&mut v);
            assert!(v.iter().all(|v| v.is_nan()), "{bad}");
        }
        let mut tiny = [1e-36; 32];
        round(&mut tiny);
        assert_eq!(tiny, [0.0; 32]);
    }
}
