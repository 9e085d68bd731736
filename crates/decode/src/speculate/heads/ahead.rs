//! Heads that are rows of the pass itself: behind a guess stand rows that say what follows the token after it, so that the
//! next guesses are there when it is accepted.
//!
//! - `ppd`: trained embeddings, the i-th behind a node guessing i tokens further (Chen et al., arXiv 2405.18628);
//! - `hidden_transfer`: rows that join at a layer, made of the node's row there (Wu et al., arXiv 2404.12022).
//!
//! Rows are shared out between guesses and the rows behind them by what both are expected to bring.

use std::rc::Rc;

use super::super::drafter::{Drafter, Turn};
use super::super::features::{Features, Reads, Transfer};
use super::super::line::{Line, Round};
use super::super::rates::Rates;
use super::super::tree::{Extra, Input, Tree};
use super::error::HeadError;
use super::file::Reader;
use super::{Kind, Reach, class, grow};
use crate::{DecodeError, Lm};

/// How often the likeliest guess of each depth is supposed to come true.
const SUPPOSED: [f32; 3] = [0.35, 0.25, 0.2];

/// The drafter.
#[derive(Debug)]
pub(crate) struct Ahead {
    inputs: Vec<Input>,
    transfers: Vec<Transfer>,
    reach: Reach,
    /// Per depth: what the rows behind the last accepted node said.
    likely: Vec<Vec<(u32, f32)>>,
    /// Tokens that there were then.
    at: usize,
}

impl Ahead {
    /// Reads `prompt_emb`, or `transfer.K.weight` with the setting `layers`.
    pub(crate) fn read(reader: &Reader<'_>, reach: Reach) -> Result<Self, HeadError> {
        let n = reader.width();
        let (mut inputs, mut transfers) = (Vec::new(), Vec::new());
        if reader.file.kind() == Kind::Ppd {
            let rows = reader.matrix("prompt_emb", reader.length("prompt_emb")?, n)?;
            inputs.extend((0..rows.rows()).map(|i| Input::Row(Rc::from(rows.row(i)))));
        } else {
            let count = reader.count("transfer.", ".weight")?;
            for (k, layer) in reader.layers("layers", count)?.into_iter().enumerate() {
                let weight = Rc::new(reader.matrix(&format!("transfer.{k}.weight"), n, n)?);
                transfers.push(Transfer { layer, weight });
                inputs.push(Input::Transferred(k));
            }
        }
        Ok(Self { inputs, transfers, reach, likely: Vec::new(), at: 0 })
    }

    fn take(&mut self, line: &Line, tree: Option<&Tree>, round: &Round) {
        self.at = line.tokens.len();
        let last = round.path.nodes.last().copied().unwrap_or(0);
        let n = tree.map_or(1, |tree| tree.nodes().len());
        let behind = tree.into_iter().flat_map(Tree::extras).enumerate().filter(|(_, x)| x.behind == last);
        self.likely = behind
            .map(|(i, _)| round.rows[n + i].top(self.reach.width))
            .map(|top| top.into_iter().map(|(token, logprob)| (token, logprob.exp())).collect())
            .collect();
    }
}

impl<L: Lm> Drafter<L> for Ahead {
    fn reads_rows(&self) -> Option<u32> {
        Some(self.reach.width as u32)
    }

    fn reads(&self) -> Reads {
        Reads { transfers: self.transfers.clone(), ..Reads::default() }
    }

    fn begin(&mut self, line: &mut Line, _: Features, first: &Round) {
        self.take(line, None, first);
    }

    async fn propose(&mut self, turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError> {
        if self.at != turn.line.tokens.len() {
            // Tokens came without guesses since.
            self.likely.clear();
        }
        let (root, rows) = (turn.line.root(), turn.limit.rows.saturating_sub(1));
        let depth = self.reach.depth.min(turn.limit.depth).min(self.likely.len());
        let tree = grow::grown(root, class, Reach { depth, ..self.reach }, rows, |depth, guesses| {
            vec![self.likely[depth].clone(); guesses.len()]
        });
        Ok(shared_out(&tree, &self.inputs, &gains(turn.rates, self.inputs.len()), rows))
    }

    fn observe(&mut self, line: &mut Line, tree: &Tree, round: &Round) {
        self.take(line, Some(tree), round);
    }
}

/// Tokens that a row for each depth is expected to bring in the pass after: that all guesses down to it come true.
fn gains(rates: &Rates, n: usize) -> Vec<f32> {
    let mut all = 1.0;
    let mut gain = |depth: usize| {
        all *= rates.rate(class(depth), SUPPOSED[depth.min(SUPPOSED.len() - 1)]);
        all
    };
    (0..n).map(&mut gain).collect()
}

/// The tree with as many of its guesses, and as many rows behind each, as together are expected to bring most: `rows` rows
/// beside the root.
fn shared_out(tree: &Tree, inputs: &[Input], gains: &[f32], rows: usize) -> Tree {
    let shares = (0..tree.nodes().len().min(rows + 1)).map(|guesses| {
        let small = tree.pruned(guesses, usize::MAX);
        let levels = levels(&small, gains, rows - guesses);
        let now: f32 = small.nodes().iter().skip(1).map(|node| node.value).sum();
        let later = |(node, n): (usize, &usize)| ends(&small, node) * gains[..*n].iter().sum::<f32>();
        let worth = now + levels.iter().enumerate().map(later).sum::<f32>();
        (small, levels, worth)
    });
    let best = shares.reduce(|best, next| if next.2 > best.2 { next } else { best });
    let Some((mut best, levels, _)) = best else { return tree.clone() };
    for (node, n) in levels.into_iter().enumerate() {
        let first = best.extras().len();
        for (i, input) in inputs.iter().take(n).enumerate() {
            let depth = best.nodes()[node].depth + 1 + i;
            let sees = (first..=first + i).collect();
            best.add_extra(Extra { input: input.clone(), behind: node, depth, sees });
        }
    }
    best
}

/// How many rows stand behind each node: all at first, then the row that brings least goes until they fit.
fn levels(tree: &Tree, gains: &[f32], rows: usize) -> Vec<usize> {
    let mut levels = vec![gains.len(); tree.nodes().len()];
    while levels.iter().sum::<usize>() > rows {
        let loss = |node: &usize| ends(tree, *node) * gains[levels[*node] - 1];
        let some = (0..levels.len()).filter(|node| levels[*node] > 0);
        let Some(least) = some.min_by(|a, b| loss(a).total_cmp(&loss(b))) else { break };
        levels[least] -= 1;
    }
    levels
}

/// How likely the accepted path ends with a node.
fn ends(tree: &Tree, node: usize) -> f32 {
    let onward: f32 = tree.children(node).map(|child| tree.nodes()[child].value).sum();
    (tree.nodes()[node].value - onward).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_where_they_bring_most() {
        let mut tree = Tree::new(1);
        let likely = tree.add(0, 2, 0, 0.8);
        tree.add(0, 3, 0, 0.05);
        tree.add(likely, 4, 0, 0.5);
        // The path ends with the root in 15 of 100 cases, with the guesses in 40, 5 and 40.
        let gains = [0.5, 0.2];
        assert_eq!(levels(&tree, &gains, 8), [2, 2, 2, 2]);
        assert_eq!(levels(&tree, &gains, 5), [1, 2, 0, 2]);
        assert_eq!(levels(&tree, &gains, 2), [0, 1, 0, 1]);
        let inputs = [Input::Token(8), Input::Token(9)];
        let shared = shared_out(&tree, &inputs, &gains, 4);
        assert_eq!((shared.nodes().len(), shared.extras().len()), (3, 2), "{shared:?}");
        assert_eq!(shared.extras().iter().map(|x| x.behind).collect::<Vec<_>>(), [1, 2]);
        // Nothing to put behind: the guesses alone.
        assert_eq!(shared_out(&tree, &[], &[], 3).nodes().len(), 4);
    }
}
