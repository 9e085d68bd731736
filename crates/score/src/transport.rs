//! Multi-prompt decoding: several prompts per sample, combined by calibrated scores and by optimal transport between their
//! hidden states and those of the classes.

use crate::error::{ScoreError, as_many, some};
use crate::recalibrate::{Mode, recalibrate};

/// Rounds of Sinkhorn's iteration; on costs of 0 to 2 and ε = 0.1 it has settled long before.
const ROUNDS: usize = 200;

/// A transport plan with uniform marginals.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How much of row i goes to column j.
    pub flow: Vec<Vec<f64>>,
    /// What it costs.
    pub cost: f64,
}

/// Sinkhorn's plan for `costs`, a matrix of rows, smoothed by `epsilon`.
///
/// # Errors
/// [`ScoreError`] for an empty or ragged matrix, values that are not finite, or an ε below 0.001.
pub fn sinkhorn(costs: &[Vec<f64>], epsilon: f64) -> Result<Plan, ScoreError> {
    some("costs", costs)?;
    let n = costs.first().map_or(0, Vec::len);
    for row in costs {
        some("costs", row)?;
        as_many("costs", row.len(), n)?;
        if let Some(bad) = row.iter().find(|cost| !cost.is_finite()) {
            return Err(ScoreError::range("cost", bad, "finite"));
        }
    }
    if epsilon.is_nan() || epsilon < 1e-3 {
        return Err(ScoreError::range("epsilon", epsilon, "0.001 and up"));
    }
    // Only differences of costs count; the least in the exponent keeps the kernel above 0.
    let least = costs.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let kernel: Vec<Vec<f64>> = costs
        .iter()
        .map(|row| row.iter().map(|c| (-(c - least) / epsilon).exp().max(1e-300)).collect())
        .collect();
    let (row_mass, column_mass) = (1.0 / costs.len() as f64, 1.0 / n as f64);
    let (mut u, mut v) = (vec![1.0; costs.len()], vec![1.0; n]);
    for _ in 0..ROUNDS {
        u = kernel.iter().map(|row| row_mass / dot(row, &v)).collect();
        v = (0..n)
            .map(|j| column_mass / kernel.iter().zip(&u).map(|(row, u)| at(row, j) * u).sum::<f64>())
            .collect();
    }
    let flow: Vec<Vec<f64>> =
        kernel.iter().zip(&u).map(|(row, u)| row.iter().zip(&v).map(|(k, v)| u * k * v).collect()).collect();
    let cost = flow.iter().zip(costs).map(|(flow, cost)| dot(flow, cost)).sum();
    Ok(Plan { flow, cost })
}

/// `1 − cos` between every vector of `a` and every one of `b`; a vector of length 0 is at distance 1 of all.
///
/// # Errors
/// [`ScoreError`] for lists that are empty or vectors of unequal length.
pub fn cosine_costs(a: &[Vec<f64>], b: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, ScoreError> {
    some("vectors", a)?;
    some("vectors", b)?;
    let width = a.first().map_or(0, Vec::len);
    a.iter().chain(b).try_for_each(|vector| as_many("values of a vector", vector.len(), width))?;
    let cosine = |a: &[f64], b: &[f64]| {
        let lengths = (dot(a, a) * dot(b, b)).sqrt();
        if lengths == 0.0 { 0.0 } else { dot(a, b) / lengths }
    };
    Ok(a.iter().map(|a| b.iter().map(|b| 1.0 - cosine(a, b)).collect()).collect())
}

/// Scores of the classes: the mean over prompts of the class probabilities divided by those of the same prompt without
/// content, less the cost of moving the sample's hidden states, one a prompt, onto each class's.
///
/// `scores` and `content_free` are one distribution a prompt; `states` one vector a prompt; `prototypes` for each class the
/// mean hidden states of its examples, one a prompt.
///
/// # Errors
/// [`ScoreError`] for lists that do not fit each other.
pub fn multi_prompt(
    scores: &[Vec<f64>],
    content_free: &[Vec<f64>],
    states: &[Vec<f64>],
    prototypes: &[Vec<Vec<f64>>],
    epsilon: f64,
) -> Result<Vec<f64>, ScoreError> {
    as_many("prompts without content", content_free.len(), scores.len())?;
    let calibrated: Result<Vec<Vec<f64>>, ScoreError> =
        scores.iter().zip(content_free).map(|(p, neutral)| recalibrate(p, neutral, Mode::Diag)).collect();
    let mean = crate::recalibrate::marginal(&calibrated?)?;
    as_many("classes", prototypes.len(), mean.len())?;
    let one = |(p, prototypes): (&f64, &Vec<Vec<f64>>)| {
        Ok(p - sinkhorn(&cosine_costs(states, prototypes)?, epsilon)?.cost)
    };
    mean.iter().zip(prototypes).map(one).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn at(row: &[f64], j: usize) -> f64 {
    row.get(j).copied().unwrap_or(0.0)
}
