//! Diverse beam search: groups of beams, each of which avoids the tokens that earlier groups took at the same step.
//!
//! Vijayakumar et al., "Diverse Beam Search: Decoding Diverse Solutions from Neural Sequence Models", 2016, with Hamming
//! diversity. The penalty guides the search; the answer is chosen by what the model itself thinks of the beams.

use super::Strategy;
use crate::beams::{Plan, Stopping, answer, search};
use crate::{Args, DecodeError, Job, Lm};

/// Beam search in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct DiverseBeam {
    plan: Plan,
}

impl Strategy for DiverseBeam {
    const NAME: &'static str = "diverse_beam";
    const SUMMARY: &'static str = "beam search in groups that avoid each other's tokens";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        let (beams, groups) = (args.count("beams", 10, 1..=16)?, args.count("groups", 5, 1..=16)?);
        if beams % groups != 0 {
            return Err(args.invalid("groups", groups, &format!("a divisor of beams, which is {beams}")));
        }
        let plan = Plan {
            beams,
            groups,
            diversity: args.number("diversity", 0.5, 0.0..=100.0)?,
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
