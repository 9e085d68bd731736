//! Looking the last tokens up in the text so far, and guessing that what followed them follows again.
//!
//! One search serves three methods: the longest match, most recent first (`suffix`); any match of a fixed length, the
//! first one (CopySpec: Dumitru et al., arXiv 2502.08923); lengths 3 to 1, the first one (prompt lookup: Saxena, 2023).

use std::cmp::Reverse;

use super::drafter::{Limit, Lookup};
use super::rates::Rates;
use super::tree::Tree;

/// First class of this drafter's guesses; one per length of the match, up to [`LENGTHS`].
pub(super) const CLASS: usize = 8;
/// Lengths of match that are told apart.
const LENGTHS: usize = 8;
/// First class of guesses of a branch that is not the first, by length of the match.
const OTHER: usize = 48;
/// How often a guess behind a match of 1, 2, … tokens is supposed to come true.
const SUPPOSED: [f32; LENGTHS] = [0.30, 0.45, 0.55, 0.65, 0.70, 0.75, 0.80, 0.85];

/// How often the first guess of a further branch is supposed to come true.
const OTHERS: [f32; LENGTHS] = [0.08, 0.10, 0.12, 0.12, 0.12, 0.12, 0.12, 0.12];

/// Which of several matches is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first in the text.
    First,
    /// The last in the text.
    Recent,
}

/// The search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copying {
    /// Longest match that is looked for.
    pub longest: usize,
    /// Shortest match that counts.
    pub shortest: usize,
    /// Most tokens guessed.
    pub tokens: usize,
    /// Which of several matches of one length is taken.
    pub which: Which,
    /// Most continuations that are guessed, each beginning with another token.
    pub branches: usize,
}

impl Copying {
    /// What followed the longest match of the last tokens, and the length of that match. Matches may overlap the end,
    /// but do not reach it.
    #[must_use]
    pub fn find<'t>(&self, tokens: &'t [u32]) -> Option<(&'t [u32], usize)> {
        self.find_all(tokens).into_iter().next()
    }

    /// What followed matches, the longest first, as far as the continuations begin with different tokens.
    #[must_use]
    pub fn find_all<'t>(&self, tokens: &'t [u32]) -> Vec<(&'t [u32], usize)> {
        let n = tokens.len();
        // Best match of each next token, as (length, where it ends).
        let mut best: Vec<(usize, usize)> = Vec::new();
        for end in 1..n {
            let common = tokens[..end].iter().rev().zip(tokens.iter().rev()).take(self.longest);
            let len = common.take_while(|(a, b)| a == b).count();
            if len < self.shortest.max(1) {
                continue;
            }
            match best.iter_mut().find(|(_, at)| tokens[*at] == tokens[end]) {
                Some(known) => {
                    if len > known.0 || len == known.0 && self.which == Which::Recent {
                        *known = (len, end);
                    }
                }
                None => best.push((len, end)),
            }
        }
        let recent = |end: usize| if self.which == Which::Recent { n - end } else { end };
        best.sort_by_key(|(len, end)| (Reverse(*len), recent(*end)));
        best.truncate(self.branches);
        best.into_iter().map(|(len, at)| (&tokens[at..n.min(at + self.tokens)], len)).collect()
    }
}

impl Lookup for Copying {
    fn propose(&mut self, tokens: &[u32], rates: &Rates, limit: Limit) -> Tree {
        let mut tree = Tree::new(tokens.last().copied().unwrap_or(0));
        for (branch, (found, len)) in self.find_all(tokens).into_iter().enumerate() {
            let mut at = 0;
            for (i, (token, len)) in found.iter().take(limit.depth.min(limit.rows - 1)).zip(len..).enumerate()
            {
                let length = len.min(LENGTHS) - 1;
                let (class, supposed) = match branch > 0 && i == 0 {
                    true => (OTHER + length, OTHERS[length]),
                    false => (CLASS + length, SUPPOSED[length]),
                };
                at = tree.add(at, *token, class, rates.rate(class, supposed));
            }
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    #[test]
    fn a_window_of_fixed_length_is_copied_from_where_it_first_stood() {
        let search = Copying { longest: 3, shortest: 3, tokens: 4, which: Which::First, branches: 1 };
        assert_eq!(search.find(&[3, 4, 5, 6, 7, 8, 0, 9, 3, 4, 5]).unwrap(), (&[6, 7, 8, 0][..], 3));
        assert_eq!(search.find(&[3, 4, 5, 6, 4, 5]), None);
        assert_eq!(search.find(&[]), None);
    }

    #[test]
    fn the_longest_match_wins_and_short_continuations_are_allowed() {
        let search = Copying { longest: 3, shortest: 1, tokens: 4, which: Which::First, branches: 1 };
        assert_eq!(search.find(&[5, 6, 7, 8, 9, 1, 2, 6, 7]).unwrap(), (&[8, 9, 1, 2][..], 2));
        assert_eq!(search.find(&[1, 2, 3, 1, 2]).unwrap(), (&[3, 1, 2][..], 2));
        let recent = Copying { which: Which::Recent, ..search };
        assert_eq!(recent.find(&[1, 2, 1, 3, 1]).unwrap(), (&[3, 1][..], 1));
    }

    #[test]
    fn further_branches_begin_with_other_tokens() {
        let search = Copying { longest: 8, shortest: 1, tokens: 2, which: Which::Recent, branches: 2 };
        let found = search.find_all(&[1, 2, 3, 9, 2, 4, 9, 2, 3, 1, 2]);
        assert_eq!(found, [(&[3, 9][..], 2), (&[4, 9][..], 1)]);
    }

    #[test]
    fn guesses_grow_surer_along_a_match() {
        let mut search = Copying { longest: 8, shortest: 2, tokens: 10, which: Which::Recent, branches: 1 };
        let tree = search.propose(&[1, 2, 3, 4, 1, 2], &Rates::default(), Limit { rows: 12, depth: 3 });
        assert_eq!(tree.nodes().iter().map(|n| n.token).collect::<Vec<_>>(), [2, 3, 4, 1]);
        assert_eq!(tree.nodes().iter().map(|n| n.class).collect::<Vec<_>>(), [0, 9, 10, 11]);
    }
}
