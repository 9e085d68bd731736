//! Token Recycling: what the model thought likely behind each token, the last time that token came, as a tree.
//!
//! Luo et al., arXiv 2408.08696. The rows that a pass verified say what is likely behind *every* drafted token, accepted
//! or not; that is remembered and drafted from. The tree is grown best first by how often each rank came true, so that
//! it fits any number of rows; branches behind tokens that never came are not grown.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::drafter::{Limit, Lookup};
use super::line::{Line, Round};
use super::memory::{SUCCESSORS, SharedMemory};
use super::rates::Rates;
use super::tree::Tree;

/// First class of this drafter's guesses; one per rank.
const CLASS: usize = 0;
/// How often each rank is supposed to come true where the ranks' own rates decide the shape of the tree.
const SUPPOSED: [f32; SUCCESSORS] = [0.45, 0.15, 0.09, 0.06, 0.04, 0.03, 0.025, 0.02];
/// Deepest guess.
const DEEPEST: usize = 6;

/// The drafter.
#[derive(Clone, Debug)]
pub(crate) struct Recycling {
    /// What is likely behind each token.
    pub(crate) memory: SharedMemory,
    /// Whether the tree's shape follows the rates seen, or stays as supposed.
    pub(crate) adapt: bool,
}

impl Lookup for Recycling {
    fn reads_top(&self) -> bool {
        true
    }

    fn propose(&mut self, tokens: &[u32], rates: &Rates, limit: Limit) -> Tree {
        let memory = self.memory.borrow();
        let mut tree = Tree::new(tokens.last().copied().unwrap_or(0));
        let rate = |rank: usize| match self.adapt {
            true => rates.rate(CLASS + rank, SUPPOSED[rank]),
            false => SUPPOSED[rank],
        };
        let mut open = BinaryHeap::new();
        let grow = |tree: &Tree, node: usize, open: &mut BinaryHeap<Slot>| {
            let parent = tree.nodes()[node];
            if parent.depth < limit.depth.min(DEEPEST) {
                for (rank, token) in memory.successors(parent.token).iter().enumerate() {
                    let value = parent.value * rate(rank);
                    open.push(Slot {
                        value: value.to_bits(),
                        node: Reverse(node),
                        rank: Reverse(rank),
                        token: *token,
                    });
                }
            }
        };
        grow(&tree, 0, &mut open);
        while tree.rows() < limit.rows {
            let Some(slot) = open.pop() else { break };
            let Reverse(rank) = slot.rank;
            let node = tree.add(slot.node.0, slot.token, CLASS + rank, rate(rank));
            grow(&tree, node, &mut open);
        }
        tree
    }

    fn observe(&mut self, _line: &mut Line, tree: &Tree, round: &Round) {
        let mut memory = self.memory.borrow_mut();
        for (node, row) in tree.nodes().iter().zip(&round.rows) {
            memory.remember(node.token, row.top(SUCCESSORS).into_iter().map(|(token, _)| token));
        }
    }
}

/// A guess that may be added, best first; among equals the earlier node and the better rank.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    /// Bits of a number between 0 and 1, which are in its order.
    value: u32,
    node: Reverse<usize>,
    rank: Reverse<usize>,
    token: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_grown_best_first_and_not_behind_unseen_tokens() {
        let memory = SharedMemory::default();
        memory.borrow_mut().remember(1, [2, 3]);
        memory.borrow_mut().remember(2, [4, 5]);
        let mut drafter = Recycling { memory, adapt: false };
        let tree = Lookup::propose(&mut drafter, &[9, 1], &Rates::default(), Limit { rows: 12, depth: 8 });
        let found: Vec<_> = tree.nodes().iter().map(|n| (n.token, n.parent)).collect();
        assert_eq!(found, [(1, 0), (2, 0), (4, 1), (3, 0), (5, 1)]);
        let none = Lookup::propose(&mut drafter, &[7], &Rates::default(), Limit { rows: 12, depth: 8 });
        assert_eq!(none.rows(), 1);
    }
}
