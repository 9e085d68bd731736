//! Twin of `moe_route`: a sort.

use std::cmp::Ordering;

use super::Args;
use super::rows::{load, n_rows, store};
use crate::ops::moe_route::Params;

pub(super) fn moe_route(args: &Args<'_>) {
    let &[logits, selected, weights, step] = args.bindings else { return };
    let p: Params = args.params();
    let n_expert = args.override_value("N_EXPERT") as usize;
    let n_used = args.override_value("N_USED") as usize;
    for row in 0..n_rows(step, args.grid[0]) {
        let mut logits = load(logits, row * p.stride as usize, n_expert);
        logits.iter_mut().for_each(|v| *v = if v.is_finite() { v.max(-1e30) } else { -1e30 });
        let mut order: Vec<usize> = (0..n_expert).collect();
        order.sort_by(|a, b| logits[*b].partial_cmp(&logits[*a]).unwrap_or(Ordering::Equal));
        let top = logits[order[0]];
        let share = |e: &usize| f64::from(logits[*e] - top).exp();
        let counted = if p.mode == 1 || p.norm_topk == 1 { &order[..n_used] } else { &order[..] };
        let sum: f64 = counted.iter().map(share).sum();
        let chosen: Vec<f32> = order[..n_used].iter().map(|e| (share(e) / sum) as f32).collect();
        store(weights, row * n_used, &chosen);
        for (word, e) in selected[row * n_used..].iter().zip(&order[..n_used]) {
            word.set(*e as u32);
        }
    }
}
