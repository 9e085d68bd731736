//! From log-probabilities of label texts to a distribution over labels.

use crate::error::{ScoreError, some};

/// What the length of a label does to its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Length {
    /// The log-probability of the label's text: the sum over its tokens.
    #[default]
    Sum,
    /// The mean over its tokens, so that long labels are not at a disadvantage.
    Mean,
    /// The first token alone; right only where labels differ in it.
    First,
}

/// The distribution over labels, from the log-probabilities of each label's tokens behind the same prompt.
///
/// # Errors
/// [`ScoreError::Empty`] for no labels or a label without tokens, [`ScoreError::Range`] for values that are no
/// log-probabilities.
pub fn label_probabilities(labels: &[Vec<f32>], length: Length) -> Result<Vec<f64>, ScoreError> {
    some("labels", labels)?;
    let score = |tokens: &Vec<f32>| {
        some("tokens of a label", tokens)?;
        // Rounding may leave the log-probability of a sure token a little above 0.
        if let Some(bad) = tokens.iter().find(|lp| !lp.is_finite() || **lp > 1e-3) {
            return Err(ScoreError::range("log-probability", bad, "finite, 0 and below"));
        }
        let sum: f64 = tokens.iter().map(|lp| f64::from(*lp)).sum();
        Ok(match length {
            Length::Sum => sum,
            Length::Mean => sum / tokens.len() as f64,
            Length::First => tokens.first().map_or(sum, |lp| f64::from(*lp)),
        })
    };
    let scores: Result<Vec<f64>, ScoreError> = labels.iter().map(score).collect();
    Ok(softmax(&scores?))
}

/// `exp(x − max)` over their sum; empty for nothing.
#[must_use]
pub fn softmax(scores: &[f64]) -> Vec<f64> {
    log_softmax(scores).into_iter().map(f64::exp).collect()
}

/// `x − ln Σ exp x`; empty for nothing.
#[must_use]
pub fn log_softmax(scores: &[f64]) -> Vec<f64> {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|score| (score - max).exp()).sum();
    scores.iter().map(|score| score - max - total.ln()).collect()
}

/// Values over their sum; as they are where the sum is 0.
#[must_use]
pub fn normalise(values: &[f64]) -> Vec<f64> {
    let total: f64 = values.iter().sum();
    values.iter().map(|value| if total == 0.0 { *value } else { value / total }).collect()
}

/// Index of the first maximum.
#[must_use]
pub fn argmax(values: &[f64]) -> Option<usize> {
    let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter().position(|value| *value == best)
}

/// Entropy in nats.
#[must_use]
pub fn entropy(p: &[f64]) -> f64 {
    p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
}
