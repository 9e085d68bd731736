//! Contrastive decoding: what the model knows and a weaker one does not.
//!
//! Li et al., "Contrastive decoding: open-ended text generation as optimization", 2023: the log-probabilities of the
//! model less those of an amateur of the same vocabulary, among the tokens that the model finds plausible.

use super::Strategy;
use crate::lockstep::{self, Feeds, Rows};
use crate::mix::{log_softmax, mix};
use crate::{Args, DecodeError, Job, Lm};

/// The model less an amateur.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContrastiveDecoding {
    /// Weight of the amateur.
    pub coef: f32,
    /// Temperature of the amateur's row.
    pub amateur_temperature: f32,
    /// Least share of the best token's probability that a token must have in the model's own row.
    pub beta: f32,
}

impl Strategy for ContrastiveDecoding {
    const NAME: &'static str = "contrastive_decoding";
    const SUMMARY: &'static str = "what the model knows and a weaker one does not (needs another model)";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            coef: args.number("coef", 1.0, 0.0..=10.0)?,
            amateur_temperature: args.number("amateur_temperature", 0.5, 0.01..=10.0)?,
            beta: args.number("beta", 0.1, 0.0..=1.0)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        if job.others.is_empty() {
            return Err(DecodeError::MissingResource { method: Self::NAME, what: "another model" });
        }
        let feeds = Feeds { other: Some(Vec::new()), ..Feeds::default() };
        let mixed = |_, rows: &Rows| {
            let amateur = rows.other.last().map(crate::Row::logits).unwrap_or_default();
            self.mixed(rows.base.logits(), amateur)
        };
        lockstep::run(job, feeds, mixed).await
    }
}

impl ContrastiveDecoding {
    fn mixed(&self, expert: &[f32], amateur: &[f32]) -> Vec<f32> {
        let amateur = log_softmax(amateur, self.amateur_temperature);
        mix(expert, &[(1.0, expert), (-self.coef, &amateur)], self.beta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::MASKED;

    #[test]
    fn the_worked_row() {
        let method = ContrastiveDecoding { coef: 1.0, amateur_temperature: 0.5, beta: 0.1 };
        let expert = log_softmax(&[3.0, 2.6, 1.0, -1.0], 1.0);
        let got = method.mixed(&expert, &[3.4, 1.0, 0.5, -3.0]);
        for (got, expected) in got.iter().zip([-0.589_819, 3.810_181, 3.210_181, MASKED]) {
            assert!((got - expected).abs() <= 1e-5, "{got}, {expected}");
        }
    }
}
