//! Twin of `mask_logits.wgsl`.

use super::Args;
use super::words::n_want;
use crate::ops::mask_logits::Params;
use crate::sampling::BANNED;

pub(super) fn mask_logits(args: &Args<'_>) {
    let [step, allowed, logits] = args.bindings else { return };
    let p: Params = args.params();
    let (n_vocab, n_word) = (p.n_vocab as usize, p.n_word as usize);
    for w in 0..n_want(step, args.grid[1]) {
        let mask = &allowed[w * n_word..][..n_word];
        for (id, logit) in logits[w * n_vocab..][..n_vocab].iter().enumerate() {
            let set = mask[id / 32].get() >> (id % 32) & 1 == 1;
            if !set && f32::from_bits(logit.get()).is_finite() {
                logit.set(BANNED.to_bits());
            }
        }
    }
}
