//! AdaDec: greedy, but an uncertain step pauses and looks ahead.
//!
//! He et al., "AdaDec: Uncertainty-Guided Adaptive Decoding for LLM-based Code Generation", 2025. The paper learns a threshold
//! of the entropy per model; small models are uncertain so often that a share of their steps says more, so the default is
//! a quantile of the entropies met so far.

use goldcrest_engine::batch::{BEST, Wants};

use super::Strategy;
use crate::lookahead::{Path, ahead, settle};
use crate::{Args, DecodeError, Job, Lm};

/// Entropies after which a quantile of them means something.
const WARM_UP: usize = 16;

/// Greedy with pauses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaDec {
    /// Entropy in nats above which a step pauses, where there is no quantile.
    pub threshold: f32,
    /// Quantile of the entropies so far above which a step pauses; 0 goes by the threshold.
    pub quantile: f32,
    /// Tokens compared at a pause.
    pub candidates: usize,
    /// Greedy tokens behind each.
    pub lookahead: usize,
}

impl AdaDec {
    fn pauses(&self, before: &[f32], entropy: f32) -> bool {
        if self.quantile == 0.0 || before.len() < WARM_UP {
            return entropy > self.threshold;
        }
        let mut sorted = before.to_vec();
        sorted.sort_by(f32::total_cmp);
        entropy > sorted[((sorted.len() - 1) as f32 * self.quantile) as usize]
    }
}

impl Strategy for AdaDec {
    const NAME: &'static str = "adadec";
    const SUMMARY: &'static str = "greedy with a look ahead where the model is uncertain";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            threshold: args.number("threshold", 1.321, 0.0..=20.0)?,
            quantile: args.number("quantile", 0.9, 0.0..=1.0)?,
            candidates: args.count("candidates", 3, 1..=16)?,
            lookahead: args.count("lookahead", 5, 0..=64)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, ..Wants::default() };
        let (mut seq, mut row) = job.open(&wants).await?;
        let (mut entropies, mut pauses, mut changed) = (Vec::new(), 0, 0);
        loop {
            let entropy = row.stats().entropy;
            let paused = self.candidates > 1 && self.pauses(&entropies, entropy);
            entropies.push(entropy);
            if paused {
                let heads = row.top(self.candidates);
                let depth = self.lookahead.min(job.out.room().saturating_sub(1));
                let ends = job.ender();
                let paths = ahead(&mut job.model, seq, &heads, depth, ends).await?;
                let winner = likeliest(&paths);
                seq = settle(&mut job.model, seq, &paths, winner)?;
                pauses += 1;
                changed += usize::from(winner > 0);
                row = paths[winner].row.clone();
                if !job.out.push(heads[winner].0, heads[winner].1).await {
                    break;
                }
            } else {
                let (token, logprob) = row.top(1)[0];
                if !job.out.push(token, logprob).await {
                    break;
                }
                row = job.model.step(&[(seq, token)], &wants).await?.pop().unwrap_or_default();
            }
        }
        job.report.insert("pauses".into(), pauses.into());
        job.report.insert("changed".into(), changed.into());
        let tokens = job.prompt.iter().chain(job.out.tokens());
        let held = tokens.copied().take(job.model.len(seq)?).collect();
        job.keep(seq, held);
        Ok(())
    }
}

/// The first of the paths with the highest mean log-probability.
fn likeliest(paths: &[Path]) -> usize {
    (0..paths.len()).fold(0, |best, i| if paths[i].mean() > paths[best].mean() { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Row;

    #[test]
    fn the_worked_numbers_hold() {
        let path = |list: &[f32]| Path {
            seq: None,
            row: Row::default(),
            tokens: vec![0; list.len()],
            logprobs: list.iter().map(|p| p.ln()).collect(),
        };
        let paths = [path(&[0.42, 0.5, 0.4]), path(&[0.38, 0.9, 0.95]), path(&[0.2, 0.6])];
        for (path, want) in paths.iter().zip([-0.825_646, -0.374_746, -1.060_132]) {
            assert!((path.mean() - want).abs() < 1e-6, "{}", path.mean());
        }
        assert_eq!(likeliest(&paths), 1);
        // The same step pauses under one model's threshold and not under another's.
        let method = |threshold| AdaDec { threshold, quantile: 0.0, candidates: 3, lookahead: 5 };
        assert!(!method(1.321_288).pauses(&[], 1.053_92) && method(0.615_292).pauses(&[], 1.053_92));
    }

    #[test]
    fn a_quantile_pauses_at_its_share() {
        let method = AdaDec { threshold: 20.0, quantile: 0.9, candidates: 3, lookahead: 5 };
        let before: Vec<f32> = (0..100).map(|i| i as f32 / 100.0).collect();
        assert!(method.pauses(&before, 0.90) && !method.pauses(&before, 0.89));
        assert!(!method.pauses(&before[..WARM_UP - 1], 5.0));
    }
}
