//! ADED: a tree search over which token follows which two, learnt from the text so far.
//!
//! Liu et al., arXiv 2407.12021, its half that needs no corpus. Every pass credits the three-token runs of the last 16
//! tokens; 150 walks from the last two tokens then find the branches worth drafting.

use std::collections::HashMap;

use goldcrest_sample::{Purpose, uniform};

use super::drafter::{Limit, Lookup};
use super::rates::Rates;
use super::tree::Tree;

/// Class of this drafter's guesses.
const CLASS: usize = 20;
/// How often a guess is supposed to come true.
const SUPPOSED: f32 = 0.6;
/// Tokens at the end of the text whose runs are credited.
const RECENT: usize = 16;
/// Credit of a run per pass, and the most it may have.
const CREDIT: f32 = 0.04;
const MOST: f32 = 3.0;
/// Walks per pass, and states of each.
const WALKS: usize = 150;
const STATES: usize = 4;
/// Paths that are drafted.
const PATHS: usize = 24;
/// Constants of the walk's choice.
const C1: f32 = 32.0;
const C2: f32 = 8.0;

type Pair = (u32, u32);

/// The drafter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aded {
    /// What follows two tokens, with its weight, in the order in which it was first seen.
    follow: HashMap<Pair, Vec<(u32, f32)>>,
    thrown: u32,
}

/// A state of the walk.
struct State {
    pair: Pair,
    parent: usize,
    children: Vec<usize>,
    weight: f32,
    total: f32,
    visits: f32,
    depth: usize,
}

impl Lookup for Aded {
    fn propose(&mut self, tokens: &[u32], rates: &Rates, limit: Limit) -> Tree {
        let mut tree = Tree::new(tokens.last().copied().unwrap_or(0));
        let [.., a, b] = tokens else { return tree };
        self.credit(&tokens[tokens.len().saturating_sub(RECENT)..]);
        let states = self.search((*a, *b));
        let mut order: Vec<usize> = (1..states.len()).filter(|i| states[*i].visits > 0.0).collect();
        order.sort_by(|a, b| states[*b].visits.total_cmp(&states[*a].visits));
        order.truncate(PATHS);
        let rate = rates.rate(CLASS, SUPPOSED);
        for state in order {
            let mut line: Vec<usize> = std::iter::successors(Some(state), |at| Some(states[*at].parent))
                .take_while(|at| *at > 0)
                .collect();
            line.reverse();
            let guesses = line.iter().map(|at| {
                let above = states[states[*at].parent].visits.max(1.0);
                (states[*at].pair.1, states[*at].visits / above)
            });
            let end = self.likeliest(states[state].pair).map(|token| (token, 0.5));
            let mut at = 0;
            for (token, share) in guesses.chain(end) {
                let full = tree.rows() >= limit.rows && tree.child(at, token).is_none();
                if full || tree.nodes()[at].depth >= limit.depth {
                    break;
                }
                at = tree.add(at, token, CLASS, rate * share);
            }
        }
        tree
    }
}

impl Aded {
    fn credit(&mut self, recent: &[u32]) {
        for run in recent.windows(3) {
            let followers = self.follow.entry((run[0], run[1])).or_default();
            match followers.iter_mut().find(|(token, _)| *token == run[2]) {
                Some((_, weight)) => *weight = (*weight + CREDIT).min(MOST),
                None => followers.push((run[2], CREDIT)),
            }
        }
    }

    fn followers(&self, pair: Pair) -> &[(u32, f32)] {
        self.follow.get(&pair).map_or(&[], Vec::as_slice)
    }

    fn likeliest(&self, pair: Pair) -> Option<u32> {
        self.followers(pair).iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(token, _)| *token)
    }

    fn search(&mut self, start: Pair) -> Vec<State> {
        let state = |pair, parent, weight, depth| State {
            pair,
            parent,
            children: Vec::new(),
            weight,
            total: 0.0,
            visits: 0.0,
            depth,
        };
        let mut states = vec![state(start, 0, 0.0, 1)];
        for _ in 0..WALKS {
            let (mut at, mut along) = (0, 0.0);
            while let Some(next) = best(&states, at) {
                along += states[next].weight;
                at = next;
            }
            if states[at].depth < STATES {
                for (token, weight) in self.followers(states[at].pair) {
                    let child = state((states[at].pair.1, *token), at, *weight, states[at].depth + 1);
                    let index = states.len();
                    states[at].children.push(index);
                    states.push(child);
                }
            }
            if let Some(last) = states[at].children.last() {
                along += states[*last].weight;
                at = *last;
            }
            let value = 1.0 + along + self.roll_out(states[at].pair, states[at].depth);
            loop {
                (states[at].total, states[at].visits) = (states[at].total + value, states[at].visits + 1.0);
                if at == 0 {
                    break;
                }
                at = states[at].parent;
            }
        }
        states
    }

    /// The sum of weights along a random continuation.
    fn roll_out(&mut self, mut pair: Pair, depth: usize) -> f32 {
        let mut sum = 0.0;
        for _ in depth..STATES {
            self.thrown += 1;
            let u = uniform(0, 0, self.thrown, Purpose::Policy);
            let followers = self.followers(pair);
            let mut left = u * followers.iter().map(|(_, weight)| weight).sum::<f32>();
            let drawn = followers.iter().find(|(_, weight)| {
                left -= weight;
                left < 0.0
            });
            let Some((token, weight)) = drawn.or(followers.last()) else { break };
            sum += weight;
            pair = (pair.1, *token);
        }
        sum
    }
}

/// The child that a walk goes to; the last of equals, and of those never visited.
fn best(states: &[State], at: usize) -> Option<usize> {
    let score = |child: &usize| {
        let child = &states[*child];
        puct(child.total, child.visits, child.weight, states[at].visits)
    };
    states[at].children.iter().copied().max_by(|a, b| score(a).total_cmp(&score(b)))
}

/// A child's mean value, and a bonus for a high weight and few visits.
fn puct(total: f32, visits: f32, weight: f32, above: f32) -> f32 {
    if visits == 0.0 {
        return f32::INFINITY;
    }
    total / visits + (C1 + ((above + C2 + 1.0) / C2).ln()) * weight * above.sqrt() / (1.0 + visits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_prefers_weight_and_few_visits() {
        assert!((puct(3.6, 3.0, 0.5, 5.0) - 10.301).abs() < 1e-3);
        assert!((puct(2.2, 2.0, 0.3, 5.0) - 8.381).abs() < 1e-3);
    }

    #[test]
    fn a_run_is_credited_in_every_pass_that_has_it_in_sight() {
        let mut drafter = Aded::default();
        drafter.follow.insert((1, 2), vec![(3, 0.30)]);
        (0..5).for_each(|_| drafter.credit(&[1, 2, 3]));
        assert!((drafter.followers((1, 2))[0].1 - 0.50).abs() < 1e-6);
        (0..100).for_each(|_| drafter.credit(&[1, 2, 3]));
        assert!((drafter.followers((1, 2))[0].1 - MOST).abs() < 1e-6);
    }

    #[test]
    fn what_followed_is_drafted() {
        let mut drafter = Aded::default();
        let text = [1, 2, 3, 4, 5, 1, 2];
        let tree = drafter.propose(&text, &Rates::default(), Limit { rows: 24, depth: 8 });
        assert_eq!(tree.nodes().iter().map(|n| n.token).collect::<Vec<_>>(), [2, 3, 4, 5, 1]);
    }
}
