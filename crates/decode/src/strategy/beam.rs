//! Beam search: the likeliest of several answers that are grown side by side.
//!
//! Semantics of the transformers library (`generation/utils.py`), with early stopping `true`, `false` and `never`.

use super::Strategy;
use crate::beams::{Plan, Stopping, answer, search};
use crate::{Args, DecodeError, Job, Lm};

/// Plain beam search.
#[derive(Clone, Debug, PartialEq)]
pub struct Beam {
    plan: Plan,
}

impl Strategy for Beam {
    const NAME: &'static str = "beam";
    const SUMMARY: &'static str = "the likeliest of several answers grown side by side";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        let plan = Plan {
            beams: args.count("beams", 4, 1..=16)?,
            groups: 1,
            diversity: 0.0,
            length_penalty: args.number("length_penalty", 1.0, -4.0..=4.0)?,
            stopping: Stopping::read(args)?,
            attribute: None,
        };
        Ok(Self { plan })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let ended = search(job, &self.plan).await?;
        answer(job, &ended).await;
        Ok(())
    }
}
