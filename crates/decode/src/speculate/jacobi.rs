//! Jacobi decoding: the model's own answers to the last pass are the guesses of the next.
//!
//! Greedily that is Santilli et al., arXiv 2305.10427. Where tokens are drawn it is Speculative Jacobi Decoding (Teng et
//! al., arXiv 2410.01699): a guess is drawn from what a row said one pass ago, and judged against what it says now.

use super::dist::Dist;
use super::drafter::{Drafter, Turn};
use super::line::{Line, Round};
use super::tree::Tree;
use crate::{DecodeError, Lm};

/// Class of this drafter's guesses.
const CLASS: usize = 18;
/// How often a guess is supposed to come true.
const SUPPOSED: f32 = 0.3;

/// The drafter, with its guesses and what they were drawn from.
#[derive(Clone, Debug)]
pub(crate) struct Jacobi {
    /// Guesses a pass.
    pub(crate) window: usize,
    pub(crate) guesses: Vec<(u32, Option<Dist>)>,
}

impl<L: Lm> Drafter<L> for Jacobi {
    fn reads_rows(&self) -> Option<u32> {
        Some(0)
    }

    async fn propose(&mut self, turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError> {
        let root = turn.line.root();
        let mut tree = Tree::new(root);
        let mut at = 0;
        // Beyond the model's own answers the newest token stands in, for lack of a better one.
        let standing = std::iter::repeat_with(|| (root, Dist::of_weights([(root, 1.0)])));
        let guesses = self.guesses.drain(..).chain(standing);
        for (token, dist) in guesses.take(self.window.min(turn.limit.depth).min(turn.limit.rows - 1)) {
            if let Some(dist) = dist {
                turn.line.drawn_from(&mut tree, at, dist);
            }
            at = tree.add(at, token, CLASS, turn.rates.rate(CLASS, SUPPOSED));
        }
        Ok(tree)
    }

    fn observe(&mut self, line: &mut Line, tree: &Tree, round: &Round) {
        // The row behind the last accepted guess has spoken; those behind it answered to guesses that were wrong.
        let first = round.path.nodes.len();
        let mut chain = line.chain.fork(0);
        for (node, row) in tree.nodes().iter().zip(&round.rows).skip(first) {
            let dist = match line.by_ratio {
                true => Dist::behind(&chain, row, chain.history().len() as u32).ok(),
                false => None,
            };
            let token = dist.as_ref().map_or_else(|| row.argmax(), |dist| dist.draw(line.dice.roll()));
            let sure = || Dist::of_weights([(token, 1.0)]);
            self.guesses.push((token, dist.or_else(sure)));
            chain.accept(node.token);
        }
    }
}
