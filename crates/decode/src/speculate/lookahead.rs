//! Lookahead decoding: runs of tokens are read off parallel guesses and tried when their first token comes.
//!
//! Fu et al., arXiv 2402.02057. Beside the tree of runs to try, each pass carries a window of W columns and up to N - 1
//! levels; a row of level l sees the first level up to its column, and its own column above it:
//!
//! ```text
//! level 0   a0 a1 a2      column 1 of level 2 sees the root, a0 a1, b1, c1;
//! level 1   b0 b1 b2      what the model says behind c1 makes the run a1 b1 c1 d1,
//! level 2   c0 c1 c2      which is remembered under a1
//! ```

use std::collections::{BTreeMap, VecDeque};

use super::drafter::{Limit, Lookup};
use super::line::{Line, Round};
use super::rates::Rates;
use super::tree::{Extra, Input, Tree};

/// Class of this drafter's guesses.
const CLASS: usize = 19;
/// How often a guess is supposed to come true.
const SUPPOSED: f32 = 0.4;

/// The drafter.
#[derive(Clone, Debug)]
pub(crate) struct Lookahead {
    /// Columns.
    pub(crate) window: usize,
    /// Tokens of a run, its first included.
    pub(crate) ngram: usize,
    /// Runs remembered of each first token.
    pub(crate) guesses: usize,
    pub(crate) levels: Vec<Vec<u32>>,
    pub(crate) pool: Pool,
}

/// Runs by their first token, the most recent last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pool {
    runs: BTreeMap<u32, VecDeque<Vec<u32>>>,
}

impl Pool {
    /// Remembers what followed a token, in place of the oldest of `most`.
    fn remember(&mut self, first: u32, tail: Vec<u32>, most: usize) {
        let runs = self.runs.entry(first).or_default();
        runs.retain(|run| *run != tail);
        runs.push_back(tail);
        while runs.len() > most {
            runs.pop_front();
        }
    }

    /// What followed a token, most recent first.
    fn behind(&self, first: u32) -> impl Iterator<Item = &Vec<u32>> {
        self.runs.get(&first).into_iter().flat_map(|runs| runs.iter().rev())
    }
}

impl Lookup for Lookahead {
    fn reads_rows(&self) -> Option<u32> {
        Some(0)
    }

    fn propose(&mut self, tokens: &[u32], rates: &Rates, limit: Limit) -> Tree {
        let mut tree = Tree::new(tokens.last().copied().unwrap_or(0));
        if self.levels.is_empty() {
            // The window begins with tokens of the text, spread over it.
            let spread = |column: usize| tokens[(column * 7919 + 1) % tokens.len().max(1)];
            self.levels.push((0..self.window).map(spread).collect());
        }
        let held = self.levels.iter().map(Vec::len).min().unwrap_or(0);
        let columns = held.min(limit.rows.saturating_sub(2) / self.levels.len());
        let deepest = self.levels.len() + columns;
        if deepest > limit.depth {
            return tree;
        }
        for (level, row) in self.levels.iter().enumerate() {
            for (column, token) in row.iter().enumerate().take(columns) {
                let first = 0..=column;
                let own = (1..=level).map(|above| above * columns + column);
                let sees = first.chain(own).collect();
                let input = Input::Token(*token);
                tree.add_extra(Extra { input, behind: 0, depth: 1 + column + level, sees });
            }
        }
        let root = tree.nodes()[0].token;
        for run in self.pool.behind(root).take(self.guesses) {
            let mut at = 0;
            for token in run {
                if tree.rows() >= limit.rows || tree.nodes()[at].depth >= limit.depth {
                    break;
                }
                at = tree.add(at, *token, CLASS, rates.rate(CLASS, SUPPOSED));
            }
        }
        tree
    }

    fn observe(&mut self, _: &mut Line, tree: &Tree, round: &Round) {
        let (nodes, levels) = (tree.nodes().len(), self.levels.len());
        let columns = (round.rows.len() - nodes) / levels.max(1);
        if columns == 0 {
            return;
        }
        let last = nodes + (levels - 1) * columns;
        let fresh: Vec<u32> = round.rows[last..last + columns].iter().map(crate::Row::argmax).collect();
        if levels + 1 < self.ngram {
            self.levels.push(fresh);
            return;
        }
        for (column, end) in fresh.iter().enumerate() {
            let tail = self.levels.iter().skip(1).map(|row| row[column]).chain([*end]).collect();
            self.pool.remember(self.levels[0][column], tail, self.guesses);
        }
        self.levels.remove(0);
        self.levels.push(fresh);
        for row in &mut self.levels {
            // One column to the left, as the answer has grown; the last column stands twice.
            row.remove(0);
            let stand_in = row.last().copied().unwrap_or(0);
            row.resize(self.window, stand_in);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_forgets_the_oldest_run() {
        let mut pool = Pool::default();
        for tail in [[1, 2], [3, 4], [1, 2], [5, 6]] {
            pool.remember(9, tail.to_vec(), 2);
        }
        assert_eq!(pool.behind(9).cloned().collect::<Vec<_>>(), [vec![5, 6], vec![1, 2]]);
        assert_eq!(pool.behind(1).count(), 0);
    }

    #[test]
    fn a_row_sees_the_first_level_up_to_its_column_and_its_own_column() {
        let levels = vec![vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]];
        let pool = Pool::default();
        let mut drafter = Lookahead { window: 3, ngram: 4, guesses: 2, levels, pool };
        let tree = drafter.propose(&[0, 1], &Rates::default(), Limit { rows: 20, depth: 9 });
        let rows = tree.layout();
        // Column 1 of level 2 is extra row 7, item 8 behind the root.
        let row = rows.order.iter().position(|item| *item == 8).unwrap_or(0);
        let seen = (0..10).filter(|bit| rows.sees[row] >> bit & 1 == 1).map(|bit| rows.order[bit]);
        let mut seen: Vec<usize> = seen.collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 5, 8]);
        assert_eq!(rows.depths[row], 4);
    }
}
