//! Contrastive search: a likely token whose hidden row is not too like any row before it.
//!
//! Su and Collier, "Contrastive Search Is What You Need For Neural Text Generation", 2022. The candidates run as siblings at
//! one position, of which one column of the cache is kept; its row is already there, so a step costs one pass.

use goldcrest_engine::batch::{BEST, Wants};

use super::Strategy;
use crate::{Args, DecodeError, Job, Lm, Row};

/// Rows of the prompt that run in one pass, between which the caller may abort.
const PROMPT_ROWS: usize = 64;

/// Likelihood against likeness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContrastiveSearch {
    /// Weight of the likeness; 0 is greedy.
    pub alpha: f32,
    /// Candidates of a step.
    pub k: usize,
}

impl ContrastiveSearch {
    /// The index of the candidate to take, of (probability, unit hidden row) in order of probability.
    fn pick(&self, seen: &[Vec<f32>], candidates: &[(f32, Vec<f32>)]) -> usize {
        let mut best = (0, f32::NEG_INFINITY);
        for (i, (p, hidden)) in candidates.iter().enumerate() {
            let score = self.score(seen, *p, hidden);
            if score > best.1 {
                best = (i, score);
            }
        }
        best.0
    }

    fn score(&self, seen: &[Vec<f32>], p: f32, hidden: &[f32]) -> f32 {
        let likeness = seen.iter().map(|row| row.iter().zip(hidden).map(|(a, b)| a * b).sum::<f32>());
        (1.0 - self.alpha) * p - self.alpha * likeness.fold(-1.0, f32::max)
    }
}

impl Strategy for ContrastiveSearch {
    const NAME: &'static str = "contrastive_search";
    const SUMMARY: &'static str = "likely tokens whose hidden rows are unlike those before";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self { alpha: args.number("alpha", 0.6, 0.0..=1.0)?, k: args.count("k", 4, 1..=16)? })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, hidden: true, ..Wants::default() };
        let prompt = job.prompt.clone();
        let seq = job.model.prefilled(&[]).await?;
        let (mut seen, mut row) = (Vec::new(), Row::default());
        for part in prompt.chunks(PROMPT_ROWS) {
            let rows = job.model.extend(seq, part, &wants).await?;
            seen.extend(rows.iter().map(|row| unit(row.hidden())));
            row = rows.into_iter().next_back().unwrap_or_default();
        }
        loop {
            let best = row.top(self.k);
            let tokens: Vec<u32> = best.iter().map(|(token, _)| *token).collect();
            let mut rows = job.model.siblings(seq, &tokens, &wants).await?;
            let mut candidates: Vec<(f32, Vec<f32>)> =
                best.iter().zip(&rows).map(|((_, ln_p), row)| (ln_p.exp(), unit(row.hidden()))).collect();
            let winner = self.pick(&seen, &candidates);
            job.model.keep_sibling(seq, tokens.len(), winner)?;
            seen.push(candidates.swap_remove(winner).1);
            row = rows.swap_remove(winner);
            if !job.out.push(tokens[winner], best[winner].1).await {
                break;
            }
        }
        let held = prompt.iter().chain(job.out.tokens()).copied().collect();
        job.keep(seq, held);
        Ok(())
    }
}

/// The row at length 1; a row of zeros stays, and is like none.
fn unit(row: &[f32]) -> Vec<f32> {
    let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 { row.iter().map(|x| x / norm).collect() } else { row.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_numbers_hold() {
        let seen = [[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]].map(|row| unit(&row));
        let candidates = [(0.5, [0.8, 0.6]), (0.3, [-0.6, 0.8]), (0.2, [1.0, -1.0])];
        let candidates = candidates.map(|(p, row)| (p, unit(&row)));
        let scores = |alpha| {
            let method = ContrastiveSearch { alpha, k: 3 };
            (candidates.clone().map(|(p, row)| method.score(&seen, p, &row)), method.pick(&seen, &candidates))
        };
        let close = |got: [f32; 3], want: [f32; 3]| got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6);
        let (strong, weak) = (scores(0.6), scores(0.2));
        assert!(close(strong.0, [-0.4, -0.36, -0.344_264]), "{strong:?}");
        assert!(close(weak.0, [0.2, 0.08, 0.018_579]), "{weak:?}");
        assert_eq!((strong.1, weak.1), (2, 0));
    }
}
