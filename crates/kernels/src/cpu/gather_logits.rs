//! Twin of `gather_logits.wgsl`.

use super::Args;
use crate::ops::gather_logits::Params;
use crate::sampling::LIST_HEADER;

pub(super) fn gather_logits(args: &Args<'_>) {
    let [list, logits, out] = args.bindings else { return };
    let p: Params = args.params();
    let n = list[0].get().min(p.capacity) as usize;
    for (pair, out) in list[LIST_HEADER..].chunks_exact(2).zip(*out).take(n) {
        let row = pair[0].get().min(p.n_row - 1) as usize;
        let id = pair[1].get().min(p.n_vocab - 1) as usize;
        out.set(logits[row * p.n_vocab as usize + id].get());
    }
}
