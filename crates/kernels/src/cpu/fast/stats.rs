//! Statistics of logits in parts: tiles.

use std::cell::Cell;
use std::ops::Range;

use super::exp::exp;
use crate::cpu::Args;
use crate::cpu::words::{n_want, order_key, order_logit, write};
use crate::ops::row_stats::{TILE, TileParams};
use crate::sampling::{NO_ID, RowPartial};

/// Terms that are added side by side, and in one strand: as many as keep a sum's rounding below the kernels'.
const LANES: usize = 32;

/// A dispatch of `row_stats`.
pub(super) struct Stats<'a> {
    logits: &'a [Cell<u32>],
    partials: &'a [Cell<u32>],
    n_rows: usize,
    n_vocab: usize,
    n_tile: usize,
}

impl<'a> Stats<'a> {
    pub(super) fn of(args: &Args<'a>) -> Option<Self> {
        let &[step, logits, partials] = args.bindings else { return None };
        let p: TileParams = args.params();
        let (n_vocab, n_tile) = (p.n_vocab as usize, p.n_tile as usize);
        Some(Self { logits, partials, n_rows: n_want(step, args.grid[1]), n_vocab, n_tile })
    }

    pub(super) const fn n_tiles(&self) -> usize {
        self.n_rows * self.n_tile
    }

    /// An exponential takes as long as some twenty products.
    pub(super) const fn tile_cost(&self) -> usize {
        20 * TILE as usize
    }

    #[inline(always)]
    pub(super) fn compute(&self, tiles: Range<usize>) {
        let mut logits = Vec::with_capacity(TILE as usize);
        for i in tiles {
            let (row, first) = (i / self.n_tile, i % self.n_tile * TILE as usize);
            let n = (self.n_vocab - first).min(TILE as usize);
            logits.clear();
            logits.extend(self.logits[row * self.n_vocab + first..][..n].iter().map(Cell::get));
            write(self.partials, i * (size_of::<RowPartial>() / 4), partial(&logits, first as u32));
        }
    }
}

#[inline(always)]
fn partial(tile: &[u32], first_id: u32) -> RowPartial {
    let finite = |bits: u32| bits & 0x7f80_0000 != 0x7f80_0000;
    let key_of = |bits: u32| if finite(bits) { order_key(bits) } else { 0 };
    let mut key = 0;
    for bits in tile {
        key = key.max(key_of(*bits));
    }
    let id = |at: Option<usize>| at.map_or(NO_ID, |at| first_id + at as u32);
    let best = if key == 0 { None } else { tile.iter().position(|bits| key_of(*bits) == key) };
    let mut second = 0;
    let (before, behind) = tile.split_at(best.unwrap_or(tile.len()));
    for others in [before, behind.get(1..).unwrap_or_default()] {
        for bits in others {
            second = second.max(key_of(*bits));
        }
    }
    let mut n_bad = 0u32;
    for bits in tile {
        n_bad += u32::from(!finite(*bits));
    }
    let bad = if n_bad == 0 { None } else { tile.iter().position(|bits| !finite(*bits)) };
    let bad = bad.map_or(0, |at| first_id + at as u32 + 1);
    let top = order_logit(key);
    let (mut sum, mut dot) = (0.0f64, 0.0f64);
    for strand in tile.chunks(LANES * LANES) {
        let (mut sums, mut dots) = ([0.0f32; LANES], [0.0f32; LANES]);
        let (whole, rest) = strand.as_chunks::<LANES>();
        // What is left over becomes vector code too: infinities have no weight.
        let mut last = [f32::INFINITY.to_bits(); LANES];
        last[..rest.len()].copy_from_slice(rest);
        for terms in whole.iter().chain([&last]) {
            for l in 0..LANES {
                let bits = terms[l];
                let d = if finite(bits) { (f32::from_bits(bits) - top).max(-100.0) } else { 0.0 };
                let weight = if finite(bits) { exp(d) } else { 0.0 };
                sums[l] += weight;
                dots[l] += d * weight;
            }
        }
        sum += sums.iter().map(|v| f64::from(*v)).sum::<f64>();
        dot += dots.iter().map(|v| f64::from(*v)).sum::<f64>();
    }
    RowPartial { key, argmax: id(best), second, bad, sum: sum as f32, dot: dot as f32, reserved: [0; 2] }
}
