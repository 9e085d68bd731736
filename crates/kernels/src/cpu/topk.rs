//! Twin of `topk.wgsl`. Both stages keep an exact order, so any sort gives the kernel's result.

use std::cell::Cell;

use super::Args;
use super::words::{n_want, order_key, order_logit};
use crate::generated::id;
use crate::ops::topk::{BLOCK, FAN_IN, Params};
use crate::sampling::{BANNED, CANDIDATES, NO_ID};

pub(super) const LIST: usize = CANDIDATES as usize;

/// Sorts ascending: better entries first, slots without a token last.
pub(super) fn rank(id: u32, bits: u32) -> u64 {
    if id == NO_ID {
        return u64::MAX;
    }
    let bits = if f32::from_bits(bits).is_finite() { bits } else { BANNED.to_bits() };
    u64::from(!order_key(bits)) << 32 | u64::from(id)
}

pub(super) fn topk(args: &Args<'_>) {
    let [step, source, best] = args.bindings else { return };
    let p: Params = args.params();
    let (n_vocab, n_in, n_out) = (p.n_vocab as usize, p.n_list_in as usize, p.n_list_out as usize);
    for w in 0..n_want(step, args.grid[1]) {
        let ranks: Vec<u64> = if args.shader == id::TOPK_FIRST {
            (0..).zip(&source[w * n_vocab..][..n_vocab]).map(|(id, cell)| rank(id, cell.get())).collect()
        } else {
            source[w * n_in * LIST * 2..][..n_in * LIST * 2]
                .chunks(2)
                .map(|e| rank(e[0].get(), e[1].get()))
                .collect()
        };
        let share = if args.shader == id::TOPK_FIRST { BLOCK as usize } else { FAN_IN as usize * LIST };
        for (i, block) in ranks.chunks(share).enumerate() {
            let list = &best[(w * n_out + i) * LIST * 2..][..LIST * 2];
            write_list(list, &best_of(block));
        }
    }
}

/// Writes the entries of `ranks`, then slots without a token.
pub(super) fn write_list(list: &[Cell<u32>], ranks: &[u64]) {
    for (slot, entry) in list.chunks(2).enumerate() {
        let rank = ranks.get(slot).copied().unwrap_or(u64::MAX);
        let logit = if rank == u64::MAX { BANNED } else { order_logit(!((rank >> 32) as u32)) };
        entry[0].set(rank as u32);
        entry[1].set(logit.to_bits());
    }
}

/// The best entries of `block`, sorted.
pub(super) fn best_of(block: &[u64]) -> Vec<u64> {
    let mut block = block.to_vec();
    if block.len() > LIST {
        block.select_nth_unstable(LIST);
        block.truncate(LIST);
    }
    block.sort_unstable();
    block
}
