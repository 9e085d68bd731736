//! What a step with several rows costs beside a step with one: what speculation and search pay for looking ahead.

use std::time::Duration;

use web_time::Instant;

use crate::batch::{Batch, BatchRow, Place, Source, Visible, Wants};
use crate::kv::SeqId;
use crate::{EngineError, Runtime};

/// What [`cost_curve`] measures.
#[derive(Clone, Debug)]
pub struct CostOptions {
    /// Rows of the steps, 1..=32 each. A single row is measured in any case.
    pub rows: Vec<usize>,
    /// Tokens in the cache before them.
    pub depth: usize,
    /// Measured repetitions; one more runs before them.
    pub reps: usize,
}

impl Default for CostOptions {
    fn default() -> Self {
        Self { rows: vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32], depth: 0, reps: 5 }
    }
}

/// What a step of some rows costs when each of them is asked for its most likely token.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCost {
    /// Rows of the step.
    pub rows: usize,
    /// Every repetition, with the rows one behind the other.
    pub chain: Vec<Duration>,
    /// Every repetition, with the rows as a binary tree: each sees its ancestors.
    pub tree: Vec<Duration>,
}

impl StepCost {
    /// The middle repetition of the chain.
    #[must_use]
    pub fn chain_median(&self) -> Duration {
        median(&self.chain)
    }

    /// The middle repetition of the tree.
    #[must_use]
    pub fn tree_median(&self) -> Duration {
        median(&self.tree)
    }
}

/// Measures the costs of steps with `options.rows` rows, smallest first. The repetitions run in rounds over all sizes, so that
/// whatever else the machine does reaches them alike. Nothing stays in the cache.
///
/// # Errors
/// [`EngineError::BadBatch`] for other numbers of rows, [`EngineError::PromptTooLong`] where depth and rows leave the context,
/// and whatever a step can fail with.
pub async fn cost_curve(runtime: &mut Runtime, options: &CostOptions) -> Result<Vec<StepCost>, EngineError> {
    let mut rows = options.rows.clone();
    rows.push(1);
    rows.sort_unstable();
    rows.dedup();
    if rows.first() == Some(&0) || rows.last() > Some(&32) {
        return Err(EngineError::BadBatch { reason: "costs are measured for 1 to 32 rows" });
    }
    let seq = runtime.pool_mut().create();
    let measured = measure(runtime, seq, &rows, options).await;
    runtime.pool_mut().free(seq)?;
    measured
}

async fn measure(
    runtime: &mut Runtime,
    seq: SeqId,
    rows: &[usize],
    options: &CostOptions,
) -> Result<Vec<StepCost>, EngineError> {
    let n_vocab = runtime.config().n_vocab;
    let prompt: Vec<u32> = (0..options.depth as u32).map(|i| token(i, n_vocab)).collect();
    runtime.prefill(seq, &prompt, &mut |_| true).await?;
    let none = |rows: &usize| StepCost { rows: *rows, chain: Vec::new(), tree: Vec::new() };
    let mut costs: Vec<StepCost> = rows.iter().map(none).collect();
    for rep in 0..=options.reps {
        for cost in &mut costs {
            let chain = time(runtime, seq, &step(cost.rows, false, options.depth, seq, n_vocab)).await?;
            let tree = time(runtime, seq, &step(cost.rows, true, options.depth, seq, n_vocab)).await?;
            // The first round compiles.
            if rep > 0 {
                cost.chain.push(chain);
                cost.tree.push(tree);
            }
        }
    }
    Ok(costs)
}

/// Runs a batch and takes its rows out of the cache again.
async fn time(runtime: &mut Runtime, seq: SeqId, batch: &Batch) -> Result<Duration, EngineError> {
    let before = runtime.pool().sequence(seq)?.len();
    let started = Instant::now();
    runtime.forward(batch).await?;
    let took = started.elapsed();
    runtime.pool_mut().truncate(seq, before)?;
    Ok(took)
}

fn step(n: usize, tree: bool, depth: usize, seq: SeqId, n_vocab: u32) -> Batch {
    // Row i hangs below row (i - 1) / 2.
    let parent = |i: usize| i.checked_sub(1).map(|below| below / 2);
    let path = |i: usize| std::iter::successors(Some(i), move |at| parent(*at));
    let row = |i: usize| {
        let (level, visible) = match tree {
            true => {
                let ancestors = path(i).fold(0, |bits: u64, row| bits | 1 << row);
                (path(i).count() - 1, Visible::Tree { ancestors })
            }
            // A range stays in one chunk, whatever size the prefill has at the moment.
            false => (i, Visible::Range { lo: 0, hi: (depth + i + 1) as u32 }),
        };
        let wants = Wants { stats: true, ..Wants::default() };
        let (source, pos) = (Source::Token(token(i as u32, n_vocab)), (depth + level) as u32);
        BatchRow { source, pos, seq, place: Place::Append, visible, wants }
    };
    Batch { rows: (0..n).map(row).collect(), ..Batch::default() }
}

/// Tokens that differ, so that experts are chosen as in text.
const fn token(i: u32, n_vocab: u32) -> u32 {
    i.wrapping_mul(7919).wrapping_add(17) % n_vocab
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    (at(sorted.len().saturating_sub(1) / 2) + at(sorted.len() / 2)) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_s_rows_see_their_ancestors_and_stand_at_their_level() {
        let batch = step(6, true, 10, SeqId(0), 100);
        let rows: Vec<_> = batch.rows.iter().map(|row| (row.pos, row.visible)).collect();
        let tree = |ancestors| Visible::Tree { ancestors };
        assert_eq!(
            rows,
            [
                (10, tree(0b1)),
                (11, tree(0b11)),
                (11, tree(0b101)),
                (12, tree(0b1011)),
                (12, tree(0b10011)),
                (12, tree(0b100101)),
            ]
        );
        let chain: Vec<_> = step(3, false, 10, SeqId(0), 100).rows.iter().map(|row| row.pos).collect();
        assert_eq!(chain, [10, 11, 12]);
    }

    #[test]
    fn the_median_is_the_middle() {
        let ms = |list: &[u64]| median(&list.iter().map(|n| Duration::from_millis(*n)).collect::<Vec<_>>());
        assert_eq!([ms(&[9, 1, 2]), ms(&[4, 1, 9, 2])], [2, 3].map(Duration::from_millis));
        assert_eq!(ms(&[]), Duration::ZERO);
    }
}
