//! Entropy-adaptive decoding: the small model writes while it is sure, the large one where it is not.
//!
//! "Entropy adaptive decoding: dynamic model switching for efficient inference", 2025: the rolling mean of the active model's
//! entropy decides who is active; the one that comes in first reads what it missed, in one batch.

use std::collections::VecDeque;

use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;

use super::Strategy;
use crate::job::choose;
use crate::{Args, DecodeError, Job, Lm, Row, Sequences};

/// Two models of one vocabulary take turns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntropyAdaptive {
    /// Mean entropy in bits above which the large model is wanted.
    pub tau: f32,
    /// Tokens over which the mean goes.
    pub window: usize,
    /// Least tokens between two switches.
    pub min_stay: usize,
}

impl Strategy for EntropyAdaptive {
    const NAME: &'static str = "entropy_adaptive";
    const SUMMARY: &'static str =
        "the other, smaller model writes while it is sure, the main one where it is not (EAD)";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            tau: args.number("tau", 1.0, -1.0..=20.0)?,
            window: args.count("window", 5, 1..=1000)?,
            min_stay: args.count("min_stay", 3, 0..=1000)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let Some(small) = job.others.first_mut() else {
            return Err(DecodeError::MissingResource { method: Self::NAME, what: "another, smaller model" });
        };
        let wants = Wants { stats: true, top: BEST, row: true, ..Wants::default() };
        let mut text = job.prompt.clone();
        let before = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
        let (ours, theirs) = (job.model.prefilled(before).await?, small.prefilled(before).await?);
        let mut chain = job.chain(0)?;
        let mut turns = Turns::new(*self);
        let (mut large_tokens, mut switches) = (0_u64, 0_u64);
        loop {
            let active = turns.large;
            let mut row = self.behind(job, (ours, theirs), active, &text, &wants).await?;
            let bits = row.stats().entropy / std::f32::consts::LN_2;
            if turns.next(bits) != active {
                switches += 1;
                row = self.behind(job, (ours, theirs), turns.large, &text, &wants).await?;
            }
            let (choice, logprob) = choose(&chain, &row, text.len() as u32)?;
            chain.commit(&choice);
            let token = choice.id;
            text.push(token);
            large_tokens += u64::from(turns.large);
            if !job.out.push(token, logprob).await {
                break;
            }
        }
        job.report.insert("large_tokens".into(), large_tokens.into());
        job.report.insert("switches".into(), switches.into());
        Ok(())
    }
}

impl EntropyAdaptive {
    /// The row of one of the models behind `text`, of which it reads what it has not seen.
    async fn behind<L: Lm>(
        &self,
        job: &mut Job<'_, L>,
        (ours, theirs): (SeqId, SeqId),
        large: bool,
        text: &[u32],
        wants: &Wants,
    ) -> Result<Row, DecodeError> {
        match (large, job.others.first_mut()) {
            (false, Some(small)) => catch_up(small, theirs, text, wants).await,
            _ => catch_up(&mut job.model, ours, text, wants).await,
        }
    }
}

async fn catch_up<L: Lm>(
    model: &mut Sequences<'_, L>,
    seq: SeqId,
    text: &[u32],
    wants: &Wants,
) -> Result<Row, DecodeError> {
    let Some((last, before)) = text.split_last() else { return Ok(Row::default()) };
    let missed = before.get(model.len(seq)?..).unwrap_or_default();
    if !missed.is_empty() {
        model.extend(seq, missed, &Wants::default()).await?;
    }
    Ok(model.step(&[(seq, *last)], wants).await?.pop().unwrap_or_default())
}

/// Whose turn it is.
struct Turns {
    rule: EntropyAdaptive,
    seen: VecDeque<f32>,
    large: bool,
    stayed: usize,
}

impl Turns {
    const fn new(rule: EntropyAdaptive) -> Self {
        Self { rule, seen: VecDeque::new(), large: false, stayed: 0 }
    }

    /// Takes the active model's entropy in bits; gives whether the large one writes the next token.
    fn next(&mut self, bits: f32) -> bool {
        if self.seen.len() == self.rule.window {
            self.seen.pop_front();
        }
        self.seen.push_back(bits);
        let mean = self.seen.iter().sum::<f32>() / self.seen.len() as f32;
        let wanted = mean > self.rule.tau;
        if wanted != self.large && self.stayed >= self.rule.min_stay {
            (self.large, self.stayed) = (wanted, 0);
        }
        self.stayed += 1;
        self.large
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_turns() {
        let mut turns = Turns::new(EntropyAdaptive { tau: 1.0, window: 5, min_stay: 3 });
        let bits = [0.2, 0.3, 2.8, 3.1, 3.0, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1];
        let large = bits.map(|bits| if turns.next(bits) { 'L' } else { 'S' });
        assert_eq!(large.iter().collect::<String>(), "SSSLLLLLSSSS");
    }
}
