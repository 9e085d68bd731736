//! Platt scaling: a logistic curve from a score to the probability of being right.

use crate::error::{ScoreError, as_many, some};

/// Steps of Newton's method; it settles within ten on scores that do not part the classes.
const STEPS: usize = 100;

/// `σ(slope · score + offset)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Platt {
    /// Factor of the score.
    pub slope: f64,
    /// Addend.
    pub offset: f64,
}

impl Platt {
    /// Fits the curve to scores and outcomes by maximum likelihood, with Platt's targets: `(n₊ + 1) / (n₊ + 2)` for what was
    /// right and `1 / (n₋ + 2)` for what was not, so that scores that part them have a finite curve.
    ///
    /// # Errors
    /// [`ScoreError`] for lists that are empty or of unequal length, or scores that are not finite.
    pub fn fit(scores: &[f64], right: &[bool]) -> Result<Self, ScoreError> {
        some("scores", scores)?;
        as_many("outcomes", right.len(), scores.len())?;
        if let Some(bad) = scores.iter().find(|score| !score.is_finite()) {
            return Err(ScoreError::range("score", bad, "finite"));
        }
        let n_right = right.iter().filter(|right| **right).count() as f64;
        let n_wrong = right.len() as f64 - n_right;
        let target =
            |right: bool| if right { (n_right + 1.0) / (n_right + 2.0) } else { 1.0 / (n_wrong + 2.0) };
        let mut fit = Self { slope: 0.0, offset: ((n_right + 1.0) / (n_wrong + 1.0)).ln() };
        let loss = |fit: &Self| -> f64 {
            let one = |(score, right): (&f64, &bool)| {
                let z = fit.slope * score + fit.offset;
                // ln(1 + e^z) without overflow.
                z.max(0.0) + (-z.abs()).exp().ln_1p() - target(*right) * z
            };
            scores.iter().zip(right).map(one).sum()
        };
        let mut least = loss(&fit);
        for _ in 0..STEPS {
            let (step, size) = fit.newton_step(scores, right, &target);
            let mut share = 1.0;
            let better = std::iter::repeat_with(|| {
                let next = Self { slope: fit.slope - share * step.0, offset: fit.offset - share * step.1 };
                share /= 2.0;
                next
            })
            .take(30)
            .find(|next| loss(next) < least);
            let Some(next) = better else { break };
            (fit, least) = (next, loss(&next));
            if size < 1e-12 {
                break;
            }
        }
        Ok(fit)
    }

    /// The probability of being right at `score`.
    #[must_use]
    pub fn probability(&self, score: f64) -> f64 {
        let z = self.slope * score + self.offset;
        if z >= 0.0 { 1.0 / (1.0 + (-z).exp()) } else { z.exp() / (1.0 + z.exp()) }
    }

    /// Newton's step for slope and offset, and its size.
    fn newton_step(&self, scores: &[f64], right: &[bool], target: &dyn Fn(bool) -> f64) -> ((f64, f64), f64) {
        let (mut g, mut h) = ((0.0, 0.0), (1e-12, 0.0, 1e-12));
        for (score, right) in scores.iter().zip(right) {
            let p = self.probability(*score);
            let (error, weight) = (p - target(*right), p * (1.0 - p));
            g = (g.0 + error * score, g.1 + error);
            h = (h.0 + weight * score * score, h.1 + weight * score, h.2 + weight);
        }
        let determinant = h.0 * h.2 - h.1 * h.1;
        if determinant.abs() < 1e-300 {
            return ((0.0, g.1 / h.2), g.1.abs());
        }
        let step = ((h.2 * g.0 - h.1 * g.1) / determinant, (h.0 * g.1 - h.1 * g.0) / determinant);
        (step, step.0.abs() + step.1.abs())
    }
}
