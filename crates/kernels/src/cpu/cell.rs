//! Cells of the cache, as `shaders/common/cell.wgsl` has them.

use std::cell::Cell;

use super::Args;
use super::rows::{load, load_halves, store, store_halves};

/// Where the heads of a cell lie.
pub(super) struct CellLayout {
    pub(super) n_head_kv: usize,
    pub(super) head_dim: usize,
    /// Words of two elements of a key.
    key_words: usize,
}

impl CellLayout {
    /// The layout of a dispatch with the override KEY_WORDS.
    pub(super) fn of(args: &Args<'_>, n_head_kv: usize, head_dim: usize) -> Self {
        Self { n_head_kv, head_dim, key_words: args.override_value("KEY_WORDS") as usize }
    }

    /// Words of a cell.
    pub(super) const fn words(&self) -> usize {
        self.n_head_kv * self.head_dim / 2 * (self.key_words + 1)
    }

    /// First word of a cell.
    pub(super) const fn at(&self, cell: usize) -> usize {
        cell * self.words()
    }

    /// First word of the key of a head, from the cell's first.
    pub(super) const fn key(&self, head: usize) -> usize {
        head * self.head_dim / 2 * self.key_words
    }

    /// First word of the value of a head, from the cell's first.
    pub(super) const fn value(&self, head: usize) -> usize {
        self.key(self.n_head_kv) + head * self.head_dim / 2
    }

    /// The `n` elements of keys from word `at` on.
    pub(super) fn load_keys(&self, kv: &[Cell<u32>], at: usize, n: usize) -> Vec<f32> {
        if self.key_words == 2 { load(kv, at, n) } else { load_halves(kv, at, n / 2) }
    }

    /// Stores elements of keys from word `at` on.
    pub(super) fn store_keys(&self, kv: &[Cell<u32>], at: usize, values: &[f32]) {
        if self.key_words == 2 { store(kv, at, values) } else { store_halves(kv, at, values) }
    }
}
