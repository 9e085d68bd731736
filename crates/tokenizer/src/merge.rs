//! The merging itself, the same for both families: of all neighbours that may merge the best pair does, until none may.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Longest text merged in one go, in bytes, to keep 32-bit places.
pub(crate) const MAX_TEXT: usize = 1 << 30;

/// No token, no neighbour, no merge.
const NONE: u32 = u32::MAX;

/// What two neighbours become.
#[derive(Clone, Copy)]
pub(crate) struct Join {
    /// The lowest merges first; of equals the leftmost.
    pub(crate) rank: u32,
    /// The token that stands for both.
    pub(crate) result: u32,
}

/// A stretch of the text.
#[derive(Clone, Copy)]
pub(crate) struct Symbol {
    start: u32,
    len: u32,
    id: u32,
    prev: u32,
    next: u32,
    /// How this one merges with the next.
    rank: u32,
    result: u32,
}

impl Symbol {
    /// Its token, if it is one.
    pub(crate) fn id(&self) -> Option<u32> {
        (self.id != NONE).then_some(self.id)
    }

    /// Its bytes, and those of the symbol `right` after it.
    pub(crate) fn text_with<'t>(&self, right: &Self, text: &'t [u8]) -> &'t [u8] {
        slice(text, self.start, self.len + right.len)
    }

    pub(crate) fn text<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        slice(text, self.start, self.len)
    }
}

fn slice(text: &[u8], start: u32, len: u32) -> &[u8] {
    let start = start as usize;
    text.get(start..start + len as usize).unwrap_or_default()
}

/// Buffers that outlive a word.
#[derive(Default)]
pub(crate) struct Merger {
    symbols: Vec<Symbol>,
    /// Rank and place of every pair that may merge, packed to halve the traffic; stale entries are told by their rank.
    heap: BinaryHeap<Reverse<u64>>,
    #[cfg(test)]
    pub(crate) steps: usize,
}

impl Merger {
    /// Merges the symbols given as length in bytes and token, of at most [`MAX_TEXT`] bytes in all, and returns what they
    /// become, in order.
    pub(crate) fn merge(
        &mut self,
        symbols: impl Iterator<Item = (usize, Option<u32>)>,
        join: impl Fn(&Symbol, &Symbol) -> Option<Join>,
    ) -> impl Iterator<Item = &Symbol> {
        self.symbols.clear();
        let mut start = 0;
        for (at, (len, id)) in (0u32..).zip(symbols) {
            let (len, id) = (len as u32, id.unwrap_or(NONE));
            let prev = at.checked_sub(1).unwrap_or(NONE);
            self.symbols.push(Symbol { start, len, id, prev, next: at + 1, rank: NONE, result: NONE });
            start += len;
        }
        if let Some(last) = self.symbols.last_mut() {
            last.next = NONE;
        }
        let mut keys = std::mem::take(&mut self.heap).into_vec();
        keys.clear();
        keys.extend((0..self.symbols.len() as u32).filter_map(|at| self.consider(at, &join)));
        // All at once is linear; one by one is not.
        self.heap = keys.into();
        while let Some(Reverse(key)) = self.heap.pop() {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            self.apply(key, &join);
        }
        let first = self.symbols.first();
        std::iter::successors(first, |symbol| self.symbols.get(symbol.next as usize))
    }

    fn apply(&mut self, key: u64, join: impl Fn(&Symbol, &Symbol) -> Option<Join>) {
        let (rank, at) = ((key >> 32) as u32, key as u32);
        let Some(left) = self.symbols.get(at as usize).copied().filter(|left| left.rank == rank) else {
            return;
        };
        let Some(right) = self.symbols.get_mut(left.next as usize) else { return };
        right.rank = NONE;
        let right = *right;
        if let Some(merged) = self.symbols.get_mut(at as usize) {
            (merged.id, merged.len, merged.next) = (left.result, left.len + right.len, right.next);
        }
        if let Some(after) = self.symbols.get_mut(right.next as usize) {
            after.prev = at;
        }
        for at in [left.prev, at] {
            let key = self.consider(at, &join);
            self.heap.extend(key);
        }
    }

    /// Notes how the symbol at `at` merges with the next; the heap entry if it does.
    fn consider(&mut self, at: u32, join: impl Fn(&Symbol, &Symbol) -> Option<Join>) -> Option<Reverse<u64>> {
        let left = self.symbols.get(at as usize)?;
        let found = self.symbols.get(left.next as usize).and_then(|right| join(left, right));
        let Join { rank, result } = found.unwrap_or(Join { rank: NONE, result: NONE });
        if let Some(left) = self.symbols.get_mut(at as usize) {
            (left.rank, left.result) = (rank, result);
        }
        found.map(|_| Reverse(u64::from(rank) << 32 | u64::from(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Join, Merger};

    #[test]
    fn work_grows_with_the_length_only() {
        // Any two neighbours of equal length merge: a run of n becomes one symbol in n - 1 merges.
        for n in [1000, 10_000, 100_000] {
            let mut merger = Merger::default();
            let symbols = std::iter::repeat_n((1, Some(1)), n);
            let join = |left: &super::Symbol, right: &super::Symbol| {
                (left.len == right.len).then_some(Join { rank: left.len, result: 1 })
            };
            let len: usize = merger.merge(symbols, join).map(|symbol| symbol.len as usize).sum();
            assert_eq!(len, n);
            assert!(merger.steps < 3 * n, "{} heap steps for {n} symbols", merger.steps);
        }
    }

    #[test]
    fn the_best_rank_merges_first_and_of_equals_the_leftmost() {
        // "aab" with a rule for both pairs: the lower rank decides.
        let merge = |aa, ab| {
            let mut merger = Merger::default();
            let join = |left: &super::Symbol, right: &super::Symbol| match (left.id()?, right.id()?) {
                (0, 0) => Some(Join { rank: aa, result: 2 }),
                (0, 1) => Some(Join { rank: ab, result: 3 }),
                _ => None,
            };
            let ids = [0, 0, 1].map(|id| (1, Some(id)));
            merger.merge(ids.into_iter(), join).filter_map(super::Symbol::id).collect::<Vec<_>>()
        };
        assert_eq!((merge(1, 2), merge(2, 1), merge(1, 1)), (vec![2, 1], vec![0, 3], vec![2, 1]));
    }
}
