//! Transfer Q*: each of the best next tokens is valued by what an aligned model would make of it.
//!
//! Chakraborty et al., "Transfer Q Star: Principled Decoding for LLM Alignment", 2024. The first further model is the aligned
//! baseline; without one the model itself looks ahead. Where the baseline was aligned to another reward than the one
//! asked for, that reward's scorer makes it the indirect form.

use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;

use super::Strategy;
use crate::lookahead::{ahead, settle};
use crate::{Args, Candidate, DecodeError, Job, Lm};

/// Greedy in likelihood and value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransferQ {
    /// Tokens compared at every step.
    pub candidates: usize,
    /// Greedy tokens of the baseline behind each.
    pub lookahead: usize,
    /// Weight of the value.
    pub weight: f32,
}

impl Strategy for TransferQ {
    const NAME: &'static str = "transfer_q";
    const SUMMARY: &'static str = "next tokens valued by a scorer on what an aligned model makes of them";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            candidates: args.count("candidates", 10, 1..=32)?,
            lookahead: args.count("lookahead", 20, 0..=256)?,
            weight: args.number("weight", 1.0, 0.0..=1000.0)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, ..Wants::default() };
        let (mut seq, mut row) = job.open(&wants).await?;
        let mut baseline: Option<SeqId> = None;
        if let Some(other) = job.others.first_mut() {
            baseline = Some(other.prefilled(&job.prompt).await?);
        }
        loop {
            let heads = row.top(self.candidates);
            let depth = self.lookahead.min(job.out.room().saturating_sub(1));
            let said = job.out.tokens().to_vec();
            let ends = job.ender();
            let paths = match (&mut job.others[..], baseline) {
                ([other, ..], Some(theirs)) => ahead(other, theirs, &heads, depth, ends).await?,
                _ => ahead(&mut job.model, seq, &heads, depth, ends).await?,
            };
            let mut best = (0, f32::NEG_INFINITY);
            for (i, path) in paths.iter().enumerate() {
                let tokens: Vec<u32> = said.iter().chain(&path.tokens).copied().collect();
                let score = heads[i].1 + self.weight * value(job, &tokens).await?;
                if score > best.1 {
                    best = (i, score);
                }
            }
            let (token, logprob) = heads[best.0];
            match (&mut job.others[..], baseline) {
                ([other, ..], Some(theirs)) => baseline = Some(settle(other, theirs, &paths, best.0)?),
                _ => seq = settle(&mut job.model, seq, &paths, best.0)?,
            }
            if !job.out.push(token, logprob).await {
                break;
            }
            row = match baseline {
                Some(_) => job.model.step(&[(seq, token)], &wants).await?.pop().unwrap_or_default(),
                None => paths[best.0].row.clone(),
            };
        }
        Ok(())
    }
}

/// What a rollout is worth: the scorer's word, or with a scorer of the baseline's own reward the target's weighed by how
/// far it stands above that.
async fn value<L: Lm>(job: &mut Job<'_, L>, tokens: &[u32]) -> Result<f32, DecodeError> {
    let target = job.score(TransferQ::NAME, tokens).await?;
    let (text, finish) = job.text(tokens);
    match &mut job.resources.baseline_scorer {
        None => Ok(target),
        Some(scorer) => {
            let candidate = Candidate { tokens, text: &text, finished: finish.is_some() };
            Ok(indirect(scorer.score(candidate).await?, target))
        }
    }
}

/// The value of a rollout of a model that was aligned to another reward.
fn indirect(baseline: f32, target: f32) -> f32 {
    (0.5 * (target - baseline)).exp() * target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_numbers_of_the_indirect_form_hold() {
        assert!((indirect(0.3, 0.1) - 0.090_484).abs() < 1e-6);
        assert!((indirect(0.2, 0.6) - 0.732_842).abs() < 1e-6);
    }
}
