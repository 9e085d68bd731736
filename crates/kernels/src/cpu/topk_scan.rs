//! Twin of `topk_scan.wgsl`.

use std::cell::Cell;

use super::Args;
use super::topk::{LIST, best_of, rank, write_list};
use super::words::{n_want, order_logit};
use crate::ops::topk::ScanParams;

/// Entries that are kept before the worst of them are dropped.
const KEPT: usize = 4 * LIST;
/// Logits that are looked at together: most runs have none of the best.
const RUN: usize = 32;

pub(super) fn topk_scan(args: &Args<'_>) {
    let [step, logits, best] = args.bindings else { return };
    let n_vocab = args.params::<ScanParams>().n_vocab as usize;
    for w in 0..n_want(step, args.grid[0]) {
        let row = &logits[w * n_vocab..][..n_vocab];
        write_list(&best[w * LIST * 2..][..LIST * 2], &best_of_row(row));
    }
}

fn best_of_row(row: &[Cell<u32>]) -> Vec<u64> {
    let mut kept = Vec::with_capacity(KEPT + RUN);
    // What is below it is not among the best; nothing is below what is not a number.
    let mut least = f32::NAN;
    for (i, run) in row.chunks(RUN).enumerate() {
        let below = |cell: &Cell<u32>| f32::from_bits(cell.get()) < least;
        if run.iter().fold(true, |all, cell| all & below(cell)) {
            continue;
        }
        kept.extend((i * RUN..).zip(run).map(|(id, cell)| rank(id as u32, cell.get())));
        if kept.len() >= KEPT {
            kept = best_of(&kept);
            least = order_logit(!((kept[LIST - 1] >> 32) as u32));
        }
    }
    best_of(&kept)
}
