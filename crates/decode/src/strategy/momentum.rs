//! Momentum decoding: greedy, but a step back onto the path already taken meets resistance.
//!
//! Lan et al., "Momentum Decoding: Open-ended Text Generation as Graph Exploration", 2022; the resistance table is that of
//! the release of December 2022.

use goldcrest_engine::batch::{BEST, Wants};

use super::Strategy;
use crate::suffix::repeated;
use crate::{Args, DecodeError, Job, Lm};

/// Resistance by the length of the n-gram that a token would repeat.
const RESISTANCE: [f32; 6] = [0.0, 1.0, 3.0, 4.0, 5.0, 5.0];

/// Greedy with resistance to repetition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Momentum {
    /// Weight of the resistance.
    pub alpha: f32,
    /// Candidates that are compared where the likeliest token has stood before.
    pub k: usize,
}

impl Momentum {
    /// The index of the candidate to take, of (token, probability) in order of probability.
    fn pick(&self, history: &[u32], candidates: &[(u32, f32)]) -> usize {
        let longest = RESISTANCE.len() - 1;
        let score = |&(token, p): &(u32, f32)| p - self.alpha * RESISTANCE[repeated(history, token, longest)];
        let mut best = 0;
        for (i, candidate) in candidates.iter().enumerate() {
            if score(candidate) > score(&candidates[best]) {
                best = i;
            }
        }
        best
    }
}

impl Strategy for Momentum {
    const NAME: &'static str = "momentum";
    const SUMMARY: &'static str = "greedy with resistance to what has been said";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self { alpha: args.number("alpha", 0.2, 0.0..=10.0)?, k: args.count("k", 5, 1..=256)? })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, ..Wants::default() };
        let (seq, mut row) = job.open(&wants).await?;
        let mut history = job.prompt.clone();
        loop {
            let best = row.top(self.k);
            let candidates: Vec<(u32, f32)> = best.iter().map(|(token, ln_p)| (*token, ln_p.exp())).collect();
            let (token, logprob) = best[self.pick(&history, &candidates)];
            history.push(token);
            if !job.out.push(token, logprob).await {
                break;
            }
            row = job.model.step(&[(seq, token)], &wants).await?.pop().unwrap_or_default();
        }
        history.truncate(job.model.len(seq)?);
        job.keep(seq, history);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_number_holds() {
        let candidates = [(7, 0.70), (9, 0.12), (2, 0.08), (3, 0.06), (5, 0.04)];
        let method = Momentum { alpha: 0.2, k: 5 };
        assert_eq!(method.pick(&[1, 2, 3, 7, 8, 1, 2, 3], &candidates), 1);
        // Without resistance, or without a history, the likeliest wins.
        assert_eq!(Momentum { alpha: 0.0, k: 5 }.pick(&[1, 2, 3, 7, 8, 1, 2, 3], &candidates), 0);
        assert_eq!(method.pick(&[], &candidates), 0);
    }
}
