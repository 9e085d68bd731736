//! One answer of several samples: votes, weights, length-normalised ranks.

use std::collections::BTreeMap;

use crate::error::{ScoreError, some};

/// One sampled text, reduced to its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled<'a> {
    /// The answer, in a form in which equal answers are equal.
    pub answer: &'a str,
    /// Log-probability of the text.
    pub logprob: f64,
    /// What a scorer says of it.
    pub reward: f64,
}

/// Self-consistency (Wang et al., 2022): the most frequent answer, and how often it came. Among equals the one whose texts
/// have the higher summed log-probability, then the one seen first.
///
/// # Errors
/// [`ScoreError::Empty`].
pub fn vote<'a>(samples: &[Sampled<'a>]) -> Result<(&'a str, usize), ScoreError> {
    let best = leader(samples, |_| 1.0)?;
    Ok((best, samples.iter().filter(|sample| sample.answer == best).count()))
}

/// The answer with the highest sum of rewards, and that sum; ties as in [`vote`].
///
/// # Errors
/// [`ScoreError::Empty`], [`ScoreError::Range`] for a reward that is not finite.
pub fn weighted_vote<'a>(samples: &[Sampled<'a>]) -> Result<(&'a str, f64), ScoreError> {
    if let Some(bad) = samples.iter().find(|sample| !sample.reward.is_finite()) {
        return Err(ScoreError::range("reward", bad.reward, "finite"));
    }
    let best = leader(samples, |sample| sample.reward)?;
    let rewards = samples.iter().filter(|sample| sample.answer == best).map(|sample| sample.reward);
    Ok((best, rewards.sum()))
}

/// Best of n: the index of the highest score, the first among equals.
///
/// # Errors
/// [`ScoreError::Empty`].
pub fn best_of(scores: &[f64]) -> Result<usize, ScoreError> {
    crate::labels::argmax(scores).ok_or(ScoreError::Empty { what: "scores" })
}

/// `Σ ln p / length^alpha`: 1 is the mean, 2 what BRIO ranks summaries by, which favours long ones.
///
/// # Errors
/// [`ScoreError::Empty`] for a text of no tokens.
pub fn length_normalised(logprob: f64, length: usize, alpha: f64) -> Result<f64, ScoreError> {
    match length {
        0 => Err(ScoreError::Empty { what: "tokens" }),
        n => Ok(logprob / (n as f64).powf(alpha)),
    }
}

/// Ethicist's confidence in distinct sampled texts: how often each came times its likelihood, `count · exp(−length · loss)`,
/// normalised. `texts` are (mean loss per token, count), all of `length` tokens.
///
/// # Errors
/// [`ScoreError::Empty`], [`ScoreError::Range`] for a loss that is negative or not finite.
pub fn text_weights(texts: &[(f64, usize)], length: usize) -> Result<Vec<f64>, ScoreError> {
    some("texts", texts)?;
    if let Some((loss, _)) = texts.iter().find(|(loss, _)| !loss.is_finite() || *loss < 0.0) {
        return Err(ScoreError::range("loss", loss, "finite, 0 and up"));
    }
    let logs = texts.iter().map(|(loss, count)| (*count as f64).ln() - length as f64 * loss);
    Ok(crate::labels::softmax(&logs.collect::<Vec<_>>()))
}

/// The answer whose samples weigh most.
fn leader<'a>(samples: &[Sampled<'a>], weight: fn(&Sampled<'a>) -> f64) -> Result<&'a str, ScoreError> {
    some("samples", samples)?;
    // Weight, log-probability and first place of each answer.
    let mut answers: BTreeMap<&str, (f64, f64, usize)> = BTreeMap::new();
    for (place, sample) in samples.iter().enumerate() {
        let entry = answers.entry(sample.answer).or_insert((0.0, 0.0, place));
        entry.0 += weight(sample);
        entry.1 += sample.logprob;
    }
    // Sums of the same rewards in another order may part in their last bits.
    let tied = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
    let best = answers.into_iter().max_by(|(_, a), (_, b)| {
        let by_weight = if tied(a.0, b.0) { std::cmp::Ordering::Equal } else { a.0.total_cmp(&b.0) };
        by_weight.then(a.1.total_cmp(&b.1)).then(b.2.cmp(&a.2))
    });
    best.map(|(answer, _)| answer).ok_or(ScoreError::Empty { what: "samples" })
}
