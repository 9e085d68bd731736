//! Plan-then-write reranking: one answer per plan, the best by log-probability over a power of the length.
//!
//! Adams et al., "Generating EDU Extracts for Plan-Guided Summary Re-Ranking", 2023, with the ranking of Liu et al., "BRIO:
//! Bringing Order to Abstractive Summarization", 2022. The plans are prompts, such as the document with other sentences
//! marked, given as references; all answers are written as one batch.

use goldcrest_engine::batch::{BEST, Wants};
use serde_json::{Value, json};

use super::Strategy;
use crate::greedy::{Draft, finish};
use crate::{Args, DecodeError, Job, Lm};

/// One answer per plan, reranked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanThenWrite {
    /// Exponent of the length that divides the sum of log-probabilities.
    pub length_penalty: f32,
    /// Length of n-grams that an answer may not repeat; 0 allows all.
    pub no_repeat_ngram: usize,
}

impl PlanThenWrite {
    fn score(&self, logprobs: &[f32]) -> f32 {
        logprobs.iter().sum::<f32>() / (logprobs.len().max(1) as f32).powf(self.length_penalty)
    }
}

impl Strategy for PlanThenWrite {
    const NAME: &'static str = "plan_then_write";
    const SUMMARY: &'static str = "one answer per planned prompt, the best by length-normalised likelihood";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            length_penalty: args.number("length_penalty", 2.0, 0.0..=4.0)?,
            no_repeat_ngram: args.count("no_repeat_ngram", 3, 0..=64)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, ..Wants::default() };
        let mut plans = std::mem::take(&mut job.resources.references);
        if plans.is_empty() {
            plans.push(job.prompt.clone());
        }
        let mut drafts = Vec::with_capacity(plans.len());
        for plan in &plans {
            let (seq, row) = job.model.open(plan, &wants).await?;
            drafts.push(Draft::new(seq, row));
        }
        finish(job, &mut drafts, self.no_repeat_ngram).await?;
        let mut best = 0;
        for i in 0..drafts.len() {
            if self.score(&drafts[i].logprobs) > self.score(&drafts[best].logprobs) {
                best = i;
            }
        }
        let told = |draft: &Draft| {
            let score = self.score(&draft.logprobs);
            json!({ "tokens": draft.tokens, "text": job.text(&draft.tokens).0, "score": score })
        };
        let list: Vec<Value> = drafts.iter().map(told).collect();
        job.report.insert("answers".into(), list.into());
        job.report.insert("plan".into(), best.into());
        job.write(&drafts[best].tokens, &drafts[best].logprobs).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_numbers_hold() {
        let lists = [(-24.0, 40), (-30.0, 60), (-18.0, 22)].map(|(sum, n)| vec![sum / n as f32; n]);
        let scores = |length_penalty| {
            let method = PlanThenWrite { length_penalty, no_repeat_ngram: 3 };
            [0, 1, 2].map(|i| method.score(&lists[i]))
        };
        for (got, want) in
            [(scores(2.0), [-0.015, -0.008_333, -0.037_190]), (scores(1.0), [-0.6, -0.5, -0.818_182])]
        {
            assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?}");
        }
    }
}
