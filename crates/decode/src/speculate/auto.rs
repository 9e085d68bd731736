//! Recycled tokens and copied text in one tree: the drafter to take where nothing is known of the text.

use super::copying::Copying;
use super::drafter::{Limit, Lookup};
use super::line::{Line, Round};
use super::memory::SUCCESSORS;
use super::rates::Rates;
use super::recycling::Recycling;
use super::tree::Tree;

/// Both drafters; equal guesses become one, and the planner keeps the best of all.
#[derive(Clone, Debug)]
pub(crate) struct Auto {
    /// Copies from the text so far.
    pub(crate) copying: Copying,
    /// Draws on what the model thought likely.
    pub(crate) recycling: Recycling,
}

impl Lookup for Auto {
    fn reads_rows(&self) -> Option<u32> {
        Some(SUCCESSORS as u32)
    }

    fn propose(&mut self, tokens: &[u32], rates: &Rates, limit: Limit) -> Tree {
        let mut tree = Lookup::propose(&mut self.copying, tokens, rates, limit);
        // What is recycled stands beside each copied token, too: copies are left at any place.
        self.recycling.grow(&mut tree, tokens, rates, (limit.rows, limit.depth));
        tree
    }

    fn observe(&mut self, line: &mut Line, tree: &Tree, round: &Round) {
        Lookup::observe(&mut self.recycling, line, tree, round);
    }
}
