//! Dividing by a reference: contextual calibration, calibration by marginalisation, PMI and post-hoc debiasing are one
//! formula with different references.
//!
//! | method | reference |
//! |---|---|
//! | contextual calibration (Zhao et al., 2021) | the label distribution of a prompt without content, such as "N/A" |
//! | calibration by marginalisation (CBM) | the mean label distribution of the inputs at hand: [`marginal`] |
//! | PMI | the label distribution of the prompt without its input, with [`Mode::Log`] |
//! | post-hoc debiasing | the answers' distribution without the evidence, with [`Mode::Diag`] or [`Mode::Identity`] |

use crate::error::{ScoreError, as_many, probabilities, rows};
use crate::labels::{normalise, softmax};

/// Least probability of a reference, so that a label it never gives stays finite.
const FLOOR: f64 = 1e-6;

/// What is made of a distribution and its reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// `p / ref`, normalised: the affine map with `W = diag(1 / ref)`, `b = 0`.
    #[default]
    Diag,
    /// `p / ref` as it is.
    Ratio,
    /// The softmax of `p / ref`.
    Softmax,
    /// `p − ref`: the affine map with `W = 1`, `b = −ref`. For ranking; values may be negative.
    Identity,
    /// `ln p − ln ref`: pointwise mutual information.
    Log,
}

/// `p` seen against `reference`.
///
/// # Errors
/// [`ScoreError`] for lists that are empty, of unequal length, or no probabilities.
pub fn recalibrate(p: &[f64], reference: &[f64], mode: Mode) -> Result<Vec<f64>, ScoreError> {
    probabilities("probability", p)?;
    probabilities("reference probability", reference)?;
    as_many("reference probabilities", reference.len(), p.len())?;
    let pairs = || p.iter().zip(reference).map(|(p, reference)| (*p, reference.max(FLOOR)));
    let ratios: Vec<f64> = pairs().map(|(p, reference)| p / reference).collect();
    Ok(match mode {
        Mode::Diag => normalise(&ratios),
        Mode::Ratio => ratios,
        Mode::Softmax => softmax(&ratios),
        Mode::Identity => p.iter().zip(reference).map(|(p, reference)| p - reference).collect(),
        Mode::Log => pairs().map(|(p, reference)| p.max(FLOOR).ln() - reference.ln()).collect(),
    })
}

/// The mean of label distributions.
///
/// # Errors
/// As [`recalibrate`].
pub fn marginal(inputs: &[Vec<f64>]) -> Result<Vec<f64>, ScoreError> {
    let n = rows("label distributions", inputs)?;
    let sum = |label: usize| inputs.iter().filter_map(|row| row.get(label)).sum::<f64>();
    Ok((0..n).map(|label| sum(label) / inputs.len() as f64).collect())
}

/// Calibration by marginalisation: every distribution against the mean of all. It takes the labels to be about as
/// frequent as each other, and wants ten inputs or more.
///
/// # Errors
/// As [`recalibrate`].
pub fn calibrate_by_marginal(inputs: &[Vec<f64>], mode: Mode) -> Result<Vec<Vec<f64>>, ScoreError> {
    let reference = marginal(inputs)?;
    inputs.iter().map(|p| recalibrate(p, &reference, mode)).collect()
}
