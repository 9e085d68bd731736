//! Prompt amplification: the longer the answer, the more the prompt is made to count.
//!
//! The rule of M3ID (Favero et al., "Multi-modal hallucination control by visual information grounding", 2024) with a part of the
//! prompt in the image's place: `row + w(t) * (row - reference)`, `w(t) = (1 - g) / g`, `g = exp(-lambda * t)`.

use super::Strategy;
use crate::lockstep::{self, Feeds, Rows};
use crate::mix::mix;
use crate::{Args, DecodeError, Job, Lm, Row};

/// A contrast that grows with the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PromptAmplification {
    /// How fast the prompt's hold is taken to fade, per token.
    pub lambda: f32,
    /// Least share of the best token's probability that a token must have at the prompt.
    pub beta: f32,
    /// Most weight of the contrast: without it token 200 would have 53.
    pub max_weight: f32,
}

impl Strategy for PromptAmplification {
    const NAME: &'static str = "prompt_amplification";
    const SUMMARY: &'static str =
        "the prompt counts the more the longer the answer (M3ID's rule; needs a reference)";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            lambda: args.number("lambda", 0.02, 0.0..=1.0)?,
            beta: args.number("beta", 0.1, 0.0..=1.0)?,
            max_weight: args.number("max_weight", 10.0, 0.0..=1000.0)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let references: Vec<_> = job.resources.references.iter().take(1).cloned().collect();
        if references.is_empty() {
            return Err(DecodeError::MissingResource { method: Self::NAME, what: "a reference prompt" });
        }
        let feeds = Feeds { references, ..Feeds::default() };
        let mixed = |t, rows: &Rows| {
            let reference = rows.references.first().map(Row::logits).unwrap_or_default();
            self.mixed(t, rows.base.logits(), reference)
        };
        lockstep::run(job, feeds, mixed).await
    }
}

impl PromptAmplification {
    fn mixed(&self, t: usize, base: &[f32], reference: &[f32]) -> Vec<f32> {
        let weight = ((self.lambda * t as f32).exp() - 1.0).min(self.max_weight);
        mix(base, &[(1.0 + weight, base), (-weight, reference)], self.beta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::log_softmax;

    #[test]
    fn the_worked_rows() {
        let method = PromptAmplification { lambda: 0.02, beta: 0.1, max_weight: 10.0 };
        for (t, expected) in [
            (0, [0.553_816, 0.371_234, 0.074_951, 0.0]),
            (10, [0.452_712, 0.472_511, 0.074_778, 0.0]),
            (50, [0.044_506, 0.927_216, 0.028_278, 0.0]),
        ] {
            let row = method.mixed(t, &[3.0, 2.6, 1.0, -1.0], &[3.4, 1.0, 0.5, -3.0]);
            for (got, expected) in log_softmax(&row, 1.0).iter().zip(expected) {
                assert!((got.exp() - expected).abs() < 2e-6, "{t}: {}, {expected}", got.exp());
            }
        }
    }

    #[test]
    fn the_weight_is_bounded() {
        let method = PromptAmplification { lambda: 0.02, beta: 0.0, max_weight: 10.0 };
        assert_eq!(method.mixed(4000, &[1.0, 0.0], &[0.0, 0.0]), [11.0, 0.0]);
    }
}
