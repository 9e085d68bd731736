//! Routing: the small model begins the answer; if it is not sure of it, the large one answers instead.
//!
//! Akbari et al., "E-LANG: energy-based joint inferencing of super and swift language models", 2022. Their signal is the
//! free energy of a classifier; the logits of a generative model have a level that training leaves free, so the
//! default is the probability of the best token.

use goldcrest_engine::batch::{BEST, Wants};

use super::{Strategy, continue_plainly};
use crate::confidence::Sure;
use crate::probe::probe;
use crate::{Args, DecodeError, Job, Lm};

/// One of two models of one vocabulary answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyRouting {
    /// What counts as sure.
    pub sure: Sure,
    /// Tokens of the small model that are looked at; 0 is the whole answer.
    pub probe: usize,
}

impl Strategy for EnergyRouting {
    const NAME: &'static str = "energy_routing";
    const SUMMARY: &'static str =
        "the other, smaller model answers if its first tokens are sure, else the main one (E-LANG)";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self { sure: Sure::read(args)?, probe: args.count("probe", 16, 0..=100_000)? })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        if job.others.is_empty() {
            return Err(DecodeError::MissingResource { method: Self::NAME, what: "another, smaller model" });
        }
        let (ours, small) = (0, 1);
        let begun = probe(job, small, self.probe, &self.sure).await?;
        let sure = self.sure.enough(&begun.signals);
        job.report.insert("sure".into(), sure.into());
        job.report.insert("signal".into(), begun.mean().into());
        if sure {
            return begun.go_on(job, small).await;
        }
        let wants = Wants { stats: true, top: BEST, row: true, ..Wants::default() };
        let (seq, row) = job.open(&wants).await?;
        let chain = job.chain(0)?;
        continue_plainly(job, ours, seq, row, chain).await
    }
}
