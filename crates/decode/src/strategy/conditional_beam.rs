//! Conditional beam search: the likeliest answer among those that are not degenerate.
//!
//! Yoshida et al., "MAP's not dead yet: Uncovering true language model modes by conditioning away degeneracy", 2023: the
//! unconditional mode is often the empty text. A beam's score is its log-probability plus the logarithm of how likely the
//! attribute looks, judged anew at every step; an ended beam must have it. Rules judge here, and a scorer where there is
//! one.

use super::Strategy;
use crate::attribute::Attribute;
use crate::beams::{Plan, Stopping, answer, search};
use crate::{Args, DecodeError, Job, Lm};

/// Beam search under rules and a scorer.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionalBeam {
    plan: Plan,
}

impl Strategy for ConditionalBeam {
    const NAME: &'static str = "conditional_beam";
    const SUMMARY: &'static str = "beam search among answers that keep rules and please a scorer";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        let attribute = Attribute {
            min_length: args.count("min_length", 1, 0..=65536)?,
            no_repeat_ngram: args.count("no_repeat_ngram", 4, 0..=64)?,
            keyword: args.text("keyword"),
        };
        let plan = Plan {
            beams: args.count("beams", 4, 1..=16)?,
            groups: 1,
            diversity: 0.0,
            length_penalty: args.number("length_penalty", 1.0, -4.0..=4.0)?,
            stopping: Stopping::read(args)?,
            attribute: Some(attribute),
        };
        Ok(Self { plan })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let ended = search(job, &self.plan).await?;
        answer(job, &ended).await;
        Ok(())
    }
}
