//! The kernel of every contrast: a weighted sum of rows, and a gate that keeps only what the first row finds plausible.

/// The logit of a token that must not be chosen: finite, so that sums of it stay numbers.
pub(crate) const MASKED: f32 = -1e30;

/// From here down a logit counts as masked; a penalty on top of a mask does not make it less of one.
const NEARLY_MASKED: f32 = -1e29;

/// Sums `shares`, each a weight and a row of logits. A token stays only if `base` gives it at least `gate` times the
/// probability of its best token; 0 lets every token pass that `base` does not mask, whatever the other rows say of it.
#[must_use]
pub fn mix(base: &[f32], shares: &[(f32, &[f32])], gate: f32) -> Vec<f32> {
    let best = base.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let least = if gate > 0.0 { best + gate.ln() } else { f32::NEG_INFINITY };
    let mut sum: Vec<f64> = vec![0.0; base.len()];
    for (weight, row) in shares.iter().filter(|(weight, _)| *weight != 0.0) {
        sum.iter_mut().zip(*row).for_each(|(sum, logit)| *sum += f64::from(*weight) * f64::from(*logit));
    }
    let kept = |logit: f32| logit > NEARLY_MASKED && logit >= least;
    let value = |(logit, sum): (&f32, &f64)| if kept(*logit) { (*sum as f32).max(MASKED) } else { MASKED };
    base.iter().zip(&sum).map(value).collect()
}

/// The mean of several rows.
pub(crate) fn mean(rows: &[&[f32]]) -> Vec<f32> {
    let share = 1.0 / rows.len().max(1) as f32;
    let shares: Vec<(f32, &[f32])> = rows.iter().map(|row| (share, *row)).collect();
    rows.first().map(|first| mix(&vec![0.0; first.len()], &shares, 0.0)).unwrap_or_default()
}

/// Log-probabilities of a row whose logits are divided by `temperature` first.
pub(crate) fn log_softmax(row: &[f32], temperature: f32) -> Vec<f32> {
    let heated = |logit: &f32| f64::from(*logit) / f64::from(temperature);
    let best = row.iter().map(heated).fold(f64::NEG_INFINITY, f64::max);
    let total = row.iter().map(|logit| (heated(logit) - best).exp()).sum::<f64>().ln() + best;
    row.iter().map(|logit| (heated(logit) - total) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: [f32; 4] = [3.0, 2.6, 1.0, -1.0];
    const OTHER: [f32; 4] = [3.4, 1.0, 0.5, -3.0];

    fn close(got: &[f32], expected: &[f32]) {
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5 || (*a == MASKED && *b == MASKED);
        assert!(got.len() == expected.len() && got.iter().zip(expected).all(near), "{got:?}, {expected:?}");
    }

    #[test]
    fn two_prompts_give_the_worked_rows() {
        let no_gate = mix(&GIVEN, &[(1.5, &GIVEN), (-0.5, &OTHER)], 0.0);
        close(&no_gate, &[2.8, 3.4, 1.25, 0.0]);
        let p: Vec<f32> = log_softmax(&no_gate, 1.0).iter().map(|l| l.exp()).collect();
        close(&p, &[0.323_083, 0.588_696, 0.068_574, 0.019_647]);
        let shares: [(f32, &[f32]); 2] = [(2.0, &GIVEN), (-1.0, &OTHER)];
        close(&mix(&GIVEN, &shares, 0.1), &[2.6, 4.2, 1.5, MASKED]);
        close(&mix(&GIVEN, &shares, 0.5), &[2.6, 4.2, MASKED, MASKED]);
    }

    #[test]
    fn an_added_row_gives_the_worked_row() {
        close(&mix(&GIVEN, &[(1.0, &GIVEN), (2.0, &OTHER)], 0.5), &[9.8, 4.6, MASKED, MASKED]);
    }

    #[test]
    fn what_the_first_row_masks_stays_masked() {
        let base = [1.0, MASKED, 0.0];
        for other in [MASKED, 5.0] {
            let row = mix(&base, &[(2.0, &base), (-1.0, &[0.0, other, 0.0])], 0.0);
            close(&row, &[2.0, MASKED, 0.0]);
        }
        // A mask in the other row alone makes a token likely, not impossible.
        let row = mix(&GIVEN, &[(2.0, &GIVEN), (-1.0, &[0.0, MASKED, 0.0, 0.0])], 0.0);
        assert!(row[1] > 1e29 && row.iter().all(|logit| logit.is_finite()));
    }

    #[test]
    fn a_weight_of_nothing_is_no_change() {
        assert_eq!(mix(&GIVEN, &[(1.0, &GIVEN), (0.0, &OTHER)], 0.0), GIVEN);
    }

    #[test]
    fn a_mean_of_rows_is_between_them() {
        close(&mean(&[&GIVEN, &OTHER]), &[3.2, 1.8, 0.75, -2.0]);
    }
}
