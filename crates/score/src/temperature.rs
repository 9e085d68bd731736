//! Temperature scaling: one number that makes a classifier as sure as it is right (Guo et al., 2017).

use crate::error::{ScoreError, as_many, some};
use crate::labels::log_softmax;

/// Temperatures that are considered.
const LOW: f64 = 0.05;
const HIGH: f64 = 50.0;
/// Rounds of golden section over `ln T`: 6.9 times 0.618^80 is below 1e-16.
const ROUNDS: usize = 80;

/// A temperature and what it does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TemperatureFit {
    /// The divisor of the logits, 0.05 to 50.
    pub temperature: f64,
    /// Mean negative log-likelihood without it.
    pub before: f64,
    /// Mean negative log-likelihood with it.
    pub after: f64,
}

/// The temperature with the least negative log-likelihood on held-out logits. The choice of labels stays as it is.
///
/// # Errors
/// [`ScoreError`] for lists that are empty or of unequal length, a label that there is not, or logits that are not finite.
pub fn fit_temperature(logits: &[Vec<f64>], labels: &[usize]) -> Result<TemperatureFit, ScoreError> {
    let before = negative_log_likelihood(logits, labels, 1.0)?;
    // In 1 / T the likelihood is concave, so that it has one maximum in ln T, too.
    let ratio = (5.0f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (LOW.ln(), HIGH.ln());
    let at = |ln_t: f64| negative_log_likelihood(logits, labels, ln_t.exp());
    for _ in 0..ROUNDS {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if at(a)? < at(b)? { high = b } else { low = a }
    }
    let temperature = f64::midpoint(low, high).exp();
    Ok(TemperatureFit { temperature, before, after: negative_log_likelihood(logits, labels, temperature)? })
}

/// Mean of `−ln p(label)` with logits divided by `temperature`.
///
/// # Errors
/// As [`fit_temperature`].
pub fn negative_log_likelihood(
    logits: &[Vec<f64>],
    labels: &[usize],
    temperature: f64,
) -> Result<f64, ScoreError> {
    some("logits", logits)?;
    as_many("labels", labels.len(), logits.len())?;
    let mut sum = 0.0;
    for (row, label) in logits.iter().zip(labels) {
        if let Some(bad) = row.iter().find(|logit| !logit.is_finite()) {
            return Err(ScoreError::range("logit", bad, "finite"));
        }
        let heated: Vec<f64> = row.iter().map(|logit| logit / temperature).collect();
        let log_p = log_softmax(&heated);
        sum -= log_p.get(*label).ok_or(ScoreError::range("label", label, "an index of its logits"))?;
    }
    Ok(sum / logits.len() as f64)
}
