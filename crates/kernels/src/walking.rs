//! Records that `walk` and the host share; the WGSL twin is in `shaders/walk.wgsl`.

use bytemuck::{Pod, Zeroable};

use crate::sampling::CANDIDATES;
use crate::step::MAX_WANT;

/// Most rows of a tree: one ancestor bit each in a step's row.
pub const TREE_ROWS: usize = 64;
/// Words of a tree before the parents of its rows.
pub const TREE_HEADER: usize = 8;
/// Words before the word at which the list of each row begins, and the word where the last one ends.
pub const TREE_LISTS: usize = TREE_HEADER + TREE_ROWS;
/// Words before the lists.
pub const TREE_PAIRS: usize = TREE_LISTS + TREE_ROWS + 1;
/// [`Walked::next`] where the path has ended, and the parent of the row that follows none.
pub const NO_ROW: u32 = u32::MAX;

/// What [`Tree`] says of a row: which token comes behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Rule {
    /// The likeliest.
    Argmax = 0,
    /// The one that `sample` drew.
    Drawn = 1,
}

/// A tree of guesses: what the step does not say of its rows.
#[derive(Clone, Debug)]
pub struct Tree<'a> {
    /// The row at which the path begins.
    pub at: u32,
    /// Random numbers that were thrown before.
    pub thrown: u32,
    /// How the rows' tokens are chosen.
    pub rule: Rule,
    /// Per row of the step the row that it follows, which stands before it; at most [`TREE_ROWS`].
    pub parents: &'a [u32],
    /// Per row what the guesses that follow it were drawn from, one after another without replacement in the order of their rows:
    /// at most [`CANDIDATES`] tokens, ascending, with probabilities; nothing where they were not drawn. `walk` without judging
    /// takes no notice.
    pub lists: &'a [&'a [(u32, f32)]],
    /// A guess behind the last row that has no row, to be judged by that one.
    pub expected: Option<u32>,
    /// Stream of the random numbers for judging.
    pub stream: u32,
}

impl Tree<'_> {
    /// As the kernel reads it.
    #[must_use]
    pub fn words(&self) -> Vec<u32> {
        let expected = self.expected.unwrap_or(NO_ROW);
        let mut words = vec![self.at, self.thrown, self.rule as u32, expected, self.stream, 0, 0, 0];
        words.extend(self.parents.iter().take(TREE_ROWS));
        words.resize(TREE_LISTS, NO_ROW);
        let mut end = TREE_PAIRS;
        words.push(end as u32);
        for row in 0..TREE_ROWS {
            end += 2 * self.lists.get(row).map_or(0, |list| list.len());
            words.push(end as u32);
        }
        let pairs = self.lists.iter().take(TREE_ROWS).copied().flatten();
        words.extend(pairs.flat_map(|(token, p)| [*token, p.to_bits()]));
        words
    }
}

/// Bytes of a [`Tree`] in which as many rows have a list as can be wanted.
pub const TREE_BYTES: u64 = ((TREE_PAIRS + MAX_WANT * CANDIDATES as usize * 2) * 4) as u64;

/// A row of the path.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Trodden {
    /// Index in the step.
    pub row: u32,
    /// The token behind it.
    pub token: u32,
    /// Log-probability of the token under the full distribution.
    pub logprob: f32,
}

/// What the kernel found; the path follows, of which the first `n` rows are written.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Walked {
    /// Rows of the path.
    pub n: u32,
    /// The row to which it leads on, which was not wanted; [`NO_ROW`] where it has ended.
    pub next: u32,
    /// Random numbers thrown so far.
    pub thrown: u32,
    /// 1 + the lowest id of a logit that is NaN or infinite, in the first wanted row with one; `u32::MAX` if a row of the path has no token; else 0.
    pub bad: u32,
}

/// Bytes of a [`Walked`] with a path of `n` rows.
#[must_use]
pub const fn walked_bytes(n: usize) -> u64 {
    (size_of::<Walked>() + n * size_of::<Trodden>()) as u64
}

/// Bytes of the longest result.
pub const WALKED_BYTES: u64 = walked_bytes(MAX_WANT);
