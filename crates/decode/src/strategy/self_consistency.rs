//! Self-consistency: several samples, their final answers, the vote.
//!
//! Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2022. A rule draws each answer out
//! of its text; with a scorer, answers weigh the sum of their scores. Sampling stops when the leader cannot be caught.

use serde_json::{Value, json};

use super::Strategy;
use super::best_of_n::{Draft, samples};
use crate::vote::{Ballot, Extract, is_decided, tally};
use crate::{Args, DecodeError, Job, Lm};

/// The answer that most samples agree on.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfConsistency {
    /// Samples.
    pub n: usize,
    extract: Extract,
}

impl SelfConsistency {
    fn ballot(&self, draft: &Draft, weight: f32) -> Ballot {
        let answer = self.extract.answer(draft.said(), &draft.text);
        Ballot { answer, weight, logprob: draft.logprobs.iter().sum() }
    }
}

impl Strategy for SelfConsistency {
    const NAME: &'static str = "self_consistency";
    const SUMMARY: &'static str = "several samples in one batch, the answer that most agree on";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self { n: args.count("n", 5, 1..=32)?, extract: Extract::read(args, "last_number")? })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let weighted = job.resources.scorer.is_some();
        let enough = |done: &[Draft]| {
            let ballots: Vec<Ballot> = done.iter().map(|draft| self.ballot(draft, 1.0)).collect();
            !weighted && is_decided(&tally(&ballots), self.n - done.len())
        };
        let done = samples(job, self.n, enough).await?;
        let mut ballots = Vec::with_capacity(done.len());
        for draft in &done {
            let weight = if weighted { job.score(Self::NAME, &draft.tokens).await? } else { 1.0 };
            ballots.push(self.ballot(draft, weight));
        }
        let counted = tally(&ballots);
        let votes: Vec<Value> =
            counted.iter().map(|tally| json!({ "answer": tally.answer, "weight": tally.weight })).collect();
        job.report.insert("votes".into(), votes.into());
        job.report.insert("samples".into(), done.len().into());
        // Where no text has an answer, all of them stand for the same none.
        let winner = counted.first().map(|tally| &tally.answer);
        let agreeing = done.iter().zip(&ballots).filter(|(_, ballot)| ballot.answer.as_ref() == winner);
        let best = agreeing.map(|(draft, _)| draft).reduce(|a, b| if b.mean() > a.mean() { b } else { a });
        if let Some(draft) = best {
            job.write(&draft.tokens, &draft.logprobs).await;
        }
        Ok(())
    }
}
