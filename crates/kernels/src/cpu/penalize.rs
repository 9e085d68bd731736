//! Twin of `penalize.wgsl`.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::Args;
use super::words::{n_want, nth};
use crate::ops::penalize::Params;
use crate::sampling::{BANNED, HISTORY_HEADER, LIST_HEADER, SampleParams};

pub(super) fn penalize(args: &Args<'_>) {
    let [step, params, bias, history, logits] = args.bindings else { return };
    let p: Params = args.params();
    let (n_vocab, bias_words, history_words) =
        (p.n_vocab as usize, p.bias_words as usize, p.history_words as usize);
    for w in 0..n_want(step, args.grid[0]) {
        let set = w.min(p.n_set as usize - 1);
        let row = &logits[w * n_vocab..][..n_vocab];
        add_biases(row, &bias[set * bias_words..][..bias_words]);
        let ring = &history[set * history_words..][..history_words];
        apply_penalties(row, &nth(params, set), ring);
    }
}

fn add_biases(row: &[Cell<u32>], list: &[Cell<u32>]) {
    for pair in list[LIST_HEADER..].chunks_exact(2).take(list[0].get() as usize) {
        if let Some(logit) = row.get(pair[0].get() as usize) {
            let add = f32::from_bits(pair[1].get());
            let sum = if add == f32::NEG_INFINITY { BANNED } else { f32::from_bits(logit.get()) + add };
            logit.set(sum.to_bits());
        }
    }
}

fn apply_penalties(row: &[Cell<u32>], s: &SampleParams, ring: &[Cell<u32>]) {
    if s.repeat == 1.0 && s.frequency == 0.0 && s.presence == 0.0 {
        return;
    }
    let (n, capacity) = (ring[0].get(), ring[1].get().min((ring.len() - HISTORY_HEADER) as u32));
    let mut counts = BTreeMap::<u32, u32>::new();
    for back in 0..s.last_n.min(n).min(capacity) {
        let token = ring[HISTORY_HEADER + ((n - 1 - back) % capacity) as usize].get();
        *counts.entry(token).or_default() += 1;
    }
    for (token, count) in counts {
        if let Some(cell) = row.get(token as usize) {
            let logit = f32::from_bits(cell.get());
            let scaled = if logit <= 0.0 { logit * s.repeat } else { logit / s.repeat };
            cell.set((scaled - count as f32 * s.frequency - s.presence).to_bits());
        }
    }
}
