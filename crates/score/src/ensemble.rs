//! One distribution of several: the same question asked with several prompts or sets of examples.

use crate::error::{ScoreError, rows};
use crate::labels::{argmax, normalise};
use crate::recalibrate::marginal;

/// The mean of the members' distributions.
///
/// # Errors
/// [`ScoreError`] for rows that are empty, of unequal length, or no probabilities.
pub fn mean_probability(members: &[Vec<f64>]) -> Result<Vec<f64>, ScoreError> {
    marginal(members)
}

/// For each label the highest probability that a member gives it, normalised.
///
/// # Errors
/// As [`mean_probability`].
pub fn max_probability(members: &[Vec<f64>]) -> Result<Vec<f64>, ScoreError> {
    let n = rows("distributions", members)?;
    let highest = |label: usize| members.iter().filter_map(|row| row.get(label)).copied().fold(0.0, f64::max);
    Ok(normalise(&(0..n).map(highest).collect::<Vec<_>>()))
}

/// The label that most members choose, and how many do; the lower label of equals.
///
/// # Errors
/// As [`mean_probability`].
pub fn majority(members: &[Vec<f64>]) -> Result<(usize, usize), ScoreError> {
    let n = rows("distributions", members)?;
    let votes = |label: usize| members.iter().filter(|row| argmax(row) == Some(label)).count();
    let counts: Vec<usize> = (0..n).map(votes).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let label = counts.iter().position(|count| *count == most);
    label.map(|label| (label, most)).ok_or(ScoreError::Empty { what: "labels" })
}
