//! What must hold beyond the worked numbers: edges, refusals, recovered parameters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_score::{
    Isotonic, Length, Mode, Platt, Sampled, ScoreError, Template, distinct_n, entropy, event_gaps,
    fit_temperature, information, label_probabilities, length_normalised, recalibrate, reliability,
    repetition_n, select_template, sinkhorn, text_weights, vote, weighted_vote, wilson,
};

/// Numbers from 0 to 1 that look random: a multiplicative generator modulo 2^31 − 1.
fn noise(n: usize) -> Vec<f64> {
    let mut state = 42u64;
    let mut next = || {
        state = state * 48_271 % 0x7fff_ffff;
        state as f64 / 2_147_483_647.0
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn labels_by_sum_mean_and_first_token() {
    let labels = [vec![-1.0, -0.2], vec![-1.1]];
    let ratio = |length| {
        let p = label_probabilities(&labels, length).unwrap();
        assert!((p[0] + p[1] - 1.0).abs() < 1e-12);
        (p[0] / p[1]).ln()
    };
    for (length, want) in [(Length::Sum, -0.1), (Length::Mean, 0.5), (Length::First, 0.1)] {
        assert!((ratio(length) - want).abs() < 1e-6, "{length:?}");
    }
    assert!(matches!(label_probabilities(&[], Length::Sum), Err(ScoreError::Empty { .. })));
    assert!(matches!(label_probabilities(&[vec![]], Length::Sum), Err(ScoreError::Empty { .. })));
    for bad in [f32::NAN, f32::NEG_INFINITY, 0.5] {
        assert!(
            matches!(label_probabilities(&[vec![bad]], Length::Sum), Err(ScoreError::Range { .. })),
            "{bad}"
        );
    }
    assert!((entropy(&[0.5, 0.5, 0.0]) - 2.0f64.ln()).abs() < 1e-12);
}

/// Outcomes drawn from a known curve give the curve back.
#[test]
fn platt_finds_the_curve_that_made_the_outcomes() {
    let scores: Vec<f64> = noise(20_000).iter().map(|u| 6.0 * u - 3.0).collect();
    let right: Vec<bool> = scores
        .iter()
        .zip(noise(40_000).split_off(20_000))
        .map(|(score, u)| u < 1.0 / (1.0 + (-(1.5 * score - 0.7)).exp()))
        .collect();
    let fit = Platt::fit(&scores, &right).unwrap();
    assert!((fit.slope - 1.5).abs() < 0.08 && (fit.offset + 0.7).abs() < 0.08, "{fit:?}");
    let p: Vec<f64> = scores.iter().map(|score| fit.probability(*score)).collect();
    assert!(reliability(&p, &right, 10).unwrap().ece < 0.015);
    // Scores that part right and wrong still have a finite curve, and outcomes of one kind a flat one near their share.
    let parted = Platt::fit(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true]).unwrap();
    assert!(parted.slope > 0.0 && parted.slope.is_finite() && parted.probability(1.0) < 0.35);
    let sure = Platt::fit(&[1.0, 2.0], &[true, true]).unwrap();
    assert!((sure.probability(1.5) - 0.75).abs() < 0.01, "{sure:?}");
}

#[test]
fn temperature_finds_the_heat_that_was_applied() {
    let cold: Vec<Vec<f64>> =
        noise(12_000).chunks(3).map(|row| row.iter().map(|u| 4.0 * u).collect()).collect();
    let draws = noise(16_000).split_off(12_000);
    let draw = |(row, u): (&Vec<f64>, &f64)| {
        let total: f64 = row.iter().map(|logit| logit.exp()).sum();
        let mut sum = 0.0;
        row.iter()
            .position(|logit| {
                sum += logit.exp() / total;
                sum > *u
            })
            .unwrap_or(2)
    };
    let labels: Vec<usize> = cold.iter().zip(&draws).map(draw).collect();
    let hot: Vec<Vec<f64>> = cold.iter().map(|row| row.iter().map(|logit| 3.0 * logit).collect()).collect();
    let fit = fit_temperature(&hot, &labels).unwrap();
    assert!((fit.temperature - 3.0).abs() < 0.2 && fit.after < fit.before, "{fit:?}");
    // Scores that are right already keep their temperature.
    assert!((fit_temperature(&cold, &labels).unwrap().temperature - 1.0).abs() < 0.07);
    assert!(matches!(fit_temperature(&cold[..1], &[3]), Err(ScoreError::Range { .. })));
    assert!(matches!(fit_temperature(&cold[..2], &[1]), Err(ScoreError::Lengths { .. })));
}

#[test]
fn isotonic_fits_rise_and_keep_the_mean() {
    let confidences = noise(500);
    let outcomes: Vec<f64> = confidences
        .iter()
        .zip(noise(1000).split_off(500))
        .map(|(c, u)| f64::from(u8::from(u < c * c)))
        .collect();
    let fitted = Isotonic::fit(&confidences, &outcomes).unwrap().fitted();
    assert!(fitted.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!((fitted.iter().sum::<f64>() - outcomes.iter().sum::<f64>()).abs() < 1e-9);
    // Equal confidences have one value, whatever the order in which they came.
    for outcomes in [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]] {
        assert_eq!(Isotonic::fit(&[0.5; 3], &outcomes).unwrap().fitted(), [2.0 / 3.0; 3]);
    }
    // What is calibrated already stays as it is.
    assert_eq!(Isotonic::fit(&[0.1, 0.5, 0.9], &[0.1, 0.5, 0.9]).unwrap().fitted(), [0.1, 0.5, 0.9]);
}

#[test]
fn reliability_at_its_edges() {
    let sure = reliability(&[1.0, 0.0], &[true, false], 10).unwrap();
    assert_eq!((sure.bins[9].n, sure.bins[0].n), (1, 1));
    assert!((sure.ece - 0.0).abs() < 1e-12 && (sure.largest_gap - 0.0).abs() < 1e-12);
    let one = reliability(&[0.9, 0.8], &[false, true], 1).unwrap();
    assert!((one.ece - 0.35).abs() < 1e-12 && (one.largest_gap - 0.35).abs() < 1e-12);
    assert!(reliability(&[0.5], &[true], 0).is_err() && reliability(&[], &[], 10).is_err());
    assert!(matches!(reliability(&[1.1], &[true], 10), Err(ScoreError::Range { .. })));
    assert!(event_gaps(&[(0.5, true)], 2).is_err() && event_gaps(&[], 1).is_err());
}

#[test]
fn plans_meet_their_marginals() {
    let costs: Vec<Vec<f64>> = noise(12).chunks(4).map(<[f64]>::to_vec).collect();
    let plan = sinkhorn(&costs, 0.1).unwrap();
    for row in &plan.flow {
        assert!((row.iter().sum::<f64>() - 1.0 / 3.0).abs() < 1e-6);
    }
    for column in 0..4 {
        assert!((plan.flow.iter().map(|row| row[column]).sum::<f64>() - 0.25).abs() < 1e-6);
    }
    assert!(sinkhorn(&[vec![0.0, 1.0], vec![0.0]], 0.1).is_err());
    assert!(sinkhorn(&costs, 0.0).is_err() && sinkhorn(&costs, f64::NAN).is_err());
    // Costs so far apart that the kernel would underflow.
    assert!(sinkhorn(&[vec![0.0, 2.0], vec![2.0, 0.0]], 0.001).unwrap().cost.is_finite());
}

#[test]
fn measures_of_repetition() {
    let tokens = [1, 2, 3, 1, 2, 3, 1];
    assert_eq!([distinct_n(&tokens, 1), distinct_n(&tokens, 2)], [3.0 / 7.0, 0.5]);
    assert_eq!(repetition_n(&tokens, 4), 0.25);
    assert_eq!([repetition_n(&tokens, 0), repetition_n(&tokens, 8), distinct_n(&[], 1)], [0.0; 3]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let lengths = |result: Result<Vec<f64>, ScoreError>| matches!(result, Err(ScoreError::Lengths { .. }));
    assert!(lengths(recalibrate(&[0.5, 0.5], &[1.0], Mode::Diag)));
    assert!(recalibrate(&[], &[], Mode::Diag).is_err());
    assert!(
        recalibrate(&[1.5], &[1.0], Mode::Diag).is_err()
            && recalibrate(&[f64::NAN], &[1.0], Mode::Log).is_err()
    );
    assert!(information(&[vec![0.5, 0.5], vec![1.0]]).is_err() && information(&[]).is_err());
    assert!(select_template(&[], Template::Mi).is_err());
    assert!(vote(&[]).is_err());
    assert!(weighted_vote(&[Sampled { answer: "a", logprob: 0.0, reward: f64::NAN }]).is_err());
    assert!(length_normalised(-1.0, 0, 1.0).is_err());
    assert!(text_weights(&[(-1.0, 1)], 50).is_err() && text_weights(&[], 50).is_err());
    assert!(wilson(1, 0, 1.96).is_err() && wilson(3, 2, 1.96).is_err());
    let message = recalibrate(&[0.5, 0.5], &[1.0], Mode::Diag).unwrap_err().to_string();
    assert_eq!(message, "reference probabilities: 1 values where 2 are expected");
}
