//! Token Recycling: what the model thought likely behind each token, the last time that token came, as a tree.
//!
//! Luo et al., arXiv 2408.08696. The rows that a pass verified say what is likely behind *every* drafted token, accepted
//! or not; that is remembered and drafted from. Branches behind tokens that never came are not grown.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::drafter::{Limit, Lookup};
use super::line::{Line, Round};
use super::memory::{SUCCESSORS, Seen, SharedMemory, step};
use super::rates::Rates;
use super::tree::Tree;

/// First class of guesses by rank.
const RANK: usize = 0;
/// First class of guesses by chance behind a token, and behind a pair.
const CHANCE: [usize; 2] = [32, 40];
/// First class of guesses by habit behind a token that never came, and behind others.
const HABIT: [usize; 2] = [56, 64];
/// How often each rank comes true in the tree of fixed shape, and is supposed to in the other.
const BY_RANK: [f64; SUCCESSORS] = [0.45, 0.15, 0.09, 0.06, 0.04, 0.03, 0.025, 0.02];
/// How often a guess of each chance is supposed to come true, behind a token and behind a pair.
const BY_CHANCE: [[f32; 8]; 2] =
    [[0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.40, 0.55], [0.01, 0.03, 0.06, 0.12, 0.25, 0.42, 0.60, 0.80]];
/// How often a guess by habit, of each estimated chance, is supposed to come true behind a token that never came, and behind
/// others.
const BY_HABIT: [[f32; 8]; 2] =
    [[0.01, 0.03, 0.06, 0.10, 0.15, 0.20, 0.30, 0.40], [0.002, 0.006, 0.012, 0.02, 0.03, 0.04, 0.06, 0.08]];
/// Deepest guess.
const DEEPEST: usize = 6;

/// What decides which branches are grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// One tree of ranks for every pass, as published.
    Fixed,
    /// How often each rank came true.
    Ranks,
    /// How likely the model itself thought the token behind the last two, or behind the last, and how often that came true; and
    /// what usually comes in such a place.
    Chances,
}

/// The drafter.
#[derive(Clone, Debug)]
pub(crate) struct Recycling {
    /// What is likely behind each token.
    pub(crate) memory: SharedMemory,
    /// The shape of the tree.
    pub(crate) growth: Growth,
}

/// A guess that may be added, best first; among equals the earlier node and the better rank.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    /// Bits of a number between 0 and 1, which are in its order.
    value: u32,
    node: Reverse<usize>,
    rank: Reverse<usize>,
    token: u32,
    class: usize,
    rate: u32,
}

impl Recycling {
    /// The successors of a node with their classes and rates.
    fn behind(
        &self,
        tree: &Tree,
        node: usize,
        (before, usual): (u32, &[(u32, f32)]),
        rates: &Rates,
    ) -> Vec<(u32, usize, f32)> {
        let memory = self.memory.borrow();
        let at = tree.nodes()[node];
        let above = if node == 0 { before } else { tree.nodes()[at.parent].token };
        let pair = memory.after_pair((above, at.token));
        match self.growth {
            Growth::Chances => {
                let (known, seen) = if pair.is_empty() { (0, memory.after(at.token)) } else { (1, pair) };
                let guess = |seen: &Seen| {
                    let class = CHANCE[known] + usize::from(seen.chance);
                    (seen.token, class, rates.rate(class, BY_CHANCE[known][usize::from(seen.chance)]))
                };
                let mut guesses: Vec<(u32, usize, f32)> = seen.iter().map(guess).collect();
                let known = usize::from(!memory.after(at.token).is_empty());
                for (token, p) in memory.habits.behind(above, usual) {
                    let chance = usize::from(step(p));
                    let class = HABIT[known] + chance;
                    if guesses.iter().all(|(other, ..)| *other != token) {
                        guesses.push((token, class, rates.rate(class, BY_HABIT[known][chance])));
                    }
                }
                guesses
            }
            Growth::Ranks | Growth::Fixed => {
                let guess = |(rank, seen): (usize, &Seen)| {
                    (seen.token, RANK + rank, rates.rate(RANK + rank, BY_RANK[rank] as f32))
                };
                memory.after(at.token).iter().enumerate().map(guess).collect()
            }
        }
    }

    /// Adds up to `more` guesses to a tree, the best ones first, behind any of its nodes and each other.
    pub(crate) fn grow(&self, tree: &mut Tree, tokens: &[u32], rates: &Rates, (more, depth): (usize, usize)) {
        let before = tokens.len().checked_sub(2).map_or(0, |at| tokens[at]);
        let usual = self.memory.borrow().habits.usual();
        let mut open = BinaryHeap::new();
        let grow = |tree: &Tree, node: usize, open: &mut BinaryHeap<Slot>| {
            let parent = tree.nodes()[node];
            if parent.depth >= depth {
                return;
            }
            for (rank, (token, class, rate)) in
                self.behind(tree, node, (before, &usual), rates).into_iter().enumerate()
            {
                let (value, rate) = ((parent.value * rate).to_bits(), rate.to_bits());
                open.push(Slot { value, node: Reverse(node), rank: Reverse(rank), token, class, rate });
            }
        };
        (0..tree.nodes().len()).for_each(|node| grow(tree, node, &mut open));
        let full = tree.rows() + more;
        while tree.rows() < full {
            let Some(slot) = open.pop() else { break };
            let known = tree.rows();
            let node = tree.add(slot.node.0, slot.token, slot.class, f32::from_bits(slot.rate));
            if tree.rows() > known {
                grow(tree, node, &mut open);
            }
        }
    }

    /// The paths of the template that lead through tokens with successors.
    fn fixed(&self, tokens: &[u32], limit: Limit) -> Tree {
        let memory = self.memory.borrow();
        let mut tree = Tree::new(tokens.last().copied().unwrap_or(0));
        let mut nodes = std::collections::BTreeMap::from([(Vec::new(), 0)]);
        for path in template(limit.rows - 1) {
            let Some((rank, above)) = path.split_last() else { continue };
            let Some(parent) = nodes.get(above).copied() else { continue };
            let Some(seen) = memory.after(tree.nodes()[parent].token).get(*rank) else { continue };
            if path.len() <= limit.depth {
                let node = tree.add(parent, seen.token, RANK + rank, BY_RANK[*rank] as f32);
                nodes.insert(path, node);
            }
        }
        tree
    }
}

/// The `n` likeliest paths of ranks, shorter ones first.
fn template(n: usize) -> Vec<Vec<usize>> {
    let mut open: Vec<(f64, Vec<usize>)> = (0..SUCCESSORS).map(|rank| (BY_RANK[rank], vec![rank])).collect();
    let mut paths = Vec::with_capacity(n);
    while paths.len() < n && !open.is_empty() {
        let better = |a: &(f64, Vec<usize>), b: &(f64, Vec<usize>)| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1));
        let best = (0..open.len()).max_by(|a, b| better(&open[*a], &open[*b])).unwrap_or(0);
        let (value, path) = open.swap_remove(best);
        if path.len() < DEEPEST {
            let longer = |rank: usize| (value * BY_RANK[rank], [&path[..], &[rank]].concat());
            open.extend((0..SUCCESSORS).map(longer));
        }
        paths.push(path);
    }
    paths.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    paths
}

impl Lookup for Recycling {
    fn reads_rows(&self) -> Option<u32> {
        Some(SUCCESSORS as u32)
    }

    fn propose(&mut self, tokens: &[u32], rates: &Rates, limit: Limit) -> Tree {
        match self.growth {
            Growth::Fixed => self.fixed(tokens, limit),
            Growth::Ranks | Growth::Chances => {
                let mut tree = Tree::new(tokens.last().copied().unwrap_or(0));
                self.grow(&mut tree, tokens, rates, (limit.rows - 1, limit.depth.min(DEEPEST)));
                tree
            }
        }
    }

    fn observe(&mut self, line: &mut Line, tree: &Tree, round: &Round) {
        let mut memory = self.memory.borrow_mut();
        // The root is what stood last before the tokens that came.
        let before = line.tokens.len().checked_sub(round.path.tokens.len() + 2).map(|at| line.tokens[at]);
        for (index, (node, row)) in tree.nodes().iter().zip(&round.rows).enumerate() {
            let likely = row.top(SUCCESSORS).into_iter().map(|(token, logprob)| (token, logprob.exp()));
            let likely: Vec<(u32, f32)> = likely.collect();
            let seen: Vec<Seen> = likely.iter().map(|(token, p)| Seen::new(*token, *p)).collect();
            memory.remember(node.token, &seen);
            let above = if index == 0 { before } else { Some(tree.nodes()[node.parent].token) };
            if self.growth == Growth::Chances {
                memory.habits.learn(above, &likely);
                if let Some(above) = above {
                    memory.remember_pair((above, node.token), &seen);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(tokens: [u32; 2]) -> [Seen; 2] {
        [Seen::new(tokens[0], 0.6), Seen::new(tokens[1], 0.3)]
    }

    fn shape(drafter: &mut Recycling, tokens: &[u32], rows: usize) -> Vec<(u32, usize)> {
        let tree = Lookup::propose(drafter, tokens, &Rates::default(), Limit { rows, depth: 8 });
        tree.nodes().iter().map(|n| (n.token, n.parent)).collect()
    }

    #[test]
    fn the_tree_is_grown_best_first_and_not_behind_unseen_tokens() {
        let memory = SharedMemory::default();
        memory.borrow_mut().remember(1, &seen([2, 3]));
        memory.borrow_mut().remember(2, &seen([4, 5]));
        let mut drafter = Recycling { memory, growth: Growth::Ranks };
        assert_eq!(shape(&mut drafter, &[9, 1], 12), [(1, 0), (2, 0), (4, 1), (3, 0), (5, 1)]);
        assert_eq!(shape(&mut drafter, &[7], 12), [(7, 0)]);
    }

    #[test]
    fn what_stood_behind_both_last_tokens_comes_before_what_stood_behind_one() {
        let memory = SharedMemory::default();
        memory.borrow_mut().remember(1, &seen([2, 3]));
        memory.borrow_mut().remember_pair((9, 1), &seen([4, 5]));
        let mut drafter = Recycling { memory, growth: Growth::Chances };
        assert_eq!(shape(&mut drafter, &[9, 1], 12), [(1, 0), (4, 0), (5, 0)]);
        assert_eq!(shape(&mut drafter, &[8, 1], 12), [(1, 0), (2, 0), (3, 0)]);
    }

    #[test]
    fn the_fixed_tree_has_the_likeliest_paths_and_leaves_out_what_is_not_known() {
        assert_eq!(template(4), [vec![0], vec![1], vec![0, 0], vec![0, 0, 0]]);
        assert_eq!(template(31).len(), 31);
        let memory = SharedMemory::default();
        memory.borrow_mut().remember(1, &seen([2, 3]));
        let mut drafter = Recycling { memory, growth: Growth::Fixed };
        assert_eq!(shape(&mut drafter, &[9, 1], 5), [(1, 0), (2, 0), (3, 0)]);
    }
}
