//! Contrasts of one model at two prompts: `(1 + alpha) * row - alpha * reference`, gated.
//!
//! * [`ContextAware`]: Shi et al., "Trusting your evidence: hallucinate less with context-aware decoding", 2024.
//! * [`DebiasSampling`]: Zhang et al., "Debiasing multimodal large language models", 2024, with prompts without the document in
//!   the place of missing and meaningless images.
//! * [`LeadingQuery`]: leading-query contrastive decoding: a neutral question against one that suggests its answer.

use super::Strategy;
use crate::lockstep::{self, Feeds, Rows};
use crate::mix::{mean, mix};
use crate::{Args, DecodeError, Job, Lm, Row};

/// One model at two prompts.
macro_rules! against_prompts {
    ($(#[$doc:meta])* $Name:ident, $name:literal, $summary:literal, alpha $alpha:literal, beta $beta:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $Name {
            /// How far the answer moves from the reference.
            pub alpha: f32,
            /// Least share of the best token's probability that a token must have at the prompt; 0 is no gate.
            pub beta: f32,
        }

        impl Strategy for $Name {
            const NAME: &'static str = $name;
            const SUMMARY: &'static str = $summary;

            fn read(args: &mut Args) -> Result<Self, DecodeError> {
                let alpha = args.number("alpha", $alpha, 0.0..=10.0)?;
                Ok(Self { alpha, beta: args.number("beta", $beta, 0.0..=1.0)? })
            }

            async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
                contrast(job, Self::NAME, self.alpha, self.beta).await
            }
        }
    };
}

against_prompts!(
    /// Holds to the prompt's document against what the model remembers; the reference is the question alone.
    ContextAware,
    "context_aware",
    "the document against the memory (CAD; needs the question without its document as a reference)",
    alpha 0.5,
    beta 0.0
);
against_prompts!(
    /// Takes away what the model would say without the document; several references count by their mean.
    DebiasSampling,
    "debias_sampling",
    "less of what the model would say anyway (VDD; needs references without the document)",
    alpha 1.0,
    beta 0.1
);
against_prompts!(
    /// Takes away what a suggestive question brings in; the reference is the question that leads.
    LeadingQuery,
    "leading_query",
    "a neutral question against a leading one (LQCD; needs the leading question as a reference)",
    alpha 1.0,
    beta 0.1
);

async fn contrast<L: Lm>(
    job: &mut Job<'_, L>,
    method: &'static str,
    alpha: f32,
    beta: f32,
) -> Result<(), DecodeError> {
    let references = job.resources.references.clone();
    if references.is_empty() {
        return Err(DecodeError::MissingResource { method, what: "a reference prompt" });
    }
    let feeds = Feeds { references, ..Feeds::default() };
    let mixed = |_, rows: &Rows| {
        let others: Vec<&[f32]> = rows.references.iter().map(Row::logits).collect();
        let reference = mean(&others);
        let base = rows.base.logits();
        mix(base, &[(1.0 + alpha, base), (-alpha, &reference)], beta)
    };
    lockstep::run(job, feeds, mixed).await
}
