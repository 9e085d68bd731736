//! Twin of `row_stats.wgsl`.

use std::cell::Cell;

use super::Args;
use super::words::{n_want, order_key, order_logit, write};
use crate::ops::row_stats::{TILE, TileParams};
use crate::sampling::{NO_ID, RowPartial};

const WORDS: usize = size_of::<RowPartial>() / 4;

pub(super) fn row_stats(args: &Args<'_>) {
    let [step, logits, partials] = args.bindings else { return };
    let p: TileParams = args.params();
    let (n_vocab, n_tile) = (p.n_vocab as usize, p.n_tile as usize);
    for w in 0..n_want(step, args.grid[1]) {
        let row = &logits[w * n_vocab..][..n_vocab];
        for (tile, part) in row.chunks(TILE as usize).enumerate() {
            write(partials, (w * n_tile + tile) * WORDS, partial(part, tile as u32 * TILE));
        }
    }
}

fn partial(tile: &[Cell<u32>], first_id: u32) -> RowPartial {
    let mut r = RowPartial { key: 0, argmax: NO_ID, second: 0, bad: 0, sum: 0.0, dot: 0.0, reserved: [0; 2] };
    let mut finite = Vec::with_capacity(tile.len());
    for (id, cell) in (first_id..).zip(tile) {
        let bits = cell.get();
        let logit = f32::from_bits(bits);
        if !logit.is_finite() {
            r.bad = if r.bad == 0 { id + 1 } else { r.bad };
            continue;
        }
        finite.push(logit);
        let key = order_key(bits);
        r.second = r.second.max(key.min(r.key));
        if key > r.key {
            (r.key, r.argmax) = (key, id);
        }
    }
    let top = order_logit(r.key);
    let (mut sum, mut dot) = (0.0f64, 0.0f64);
    for logit in finite {
        let d = (logit - top).max(-100.0);
        let weight = d.exp();
        sum += f64::from(weight);
        dot += f64::from(d * weight);
    }
    (r.sum, r.dot) = (sum as f32, dot as f32);
    r
}
