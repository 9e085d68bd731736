//! Twin of `topk_scan.wgsl`.

use super::Args;
use super::topk::{LIST, best_of, rank, write_list};
use super::words::n_want;
use crate::ops::topk::ScanParams;

pub(super) fn topk_scan(args: &Args<'_>) {
    let [step, logits, best] = args.bindings else { return };
    let n_vocab = args.params::<ScanParams>().n_vocab as usize;
    for w in 0..n_want(step, args.grid[0]) {
        let row = &logits[w * n_vocab..][..n_vocab];
        let ranks: Vec<u64> = (0..).zip(row).map(|(id, cell)| rank(id, cell.get())).collect();
        write_list(&best[w * LIST * 2..][..LIST * 2], &best_of(&ranks));
    }
}
