//! Twin of `row_stats_merge.wgsl`.

use super::Args;
use super::words::{n_want, nth, order_logit, write};
use crate::ops::row_stats::MergeParams;
use crate::sampling::{BANNED, RowPartial, RowStats};

const WORDS: usize = size_of::<RowStats>() / 4;

pub(super) fn row_stats_merge(args: &Args<'_>) {
    let [step, partials, stats] = args.bindings else { return };
    let n_tile = args.params::<MergeParams>().n_tile as usize;
    for w in 0..n_want(step, args.grid[0]) {
        let parts: Vec<RowPartial> = (0..n_tile).map(|i| nth(partials, w * n_tile + i)).collect();
        write(stats, w * WORDS, merged(&parts));
    }
}

fn merged(parts: &[RowPartial]) -> RowStats {
    let bad = parts.iter().map(|part| part.bad).find(|bad| *bad > 0).unwrap_or(0);
    let none = RowStats {
        argmax: 0,
        max: BANNED,
        log_sum_exp: BANNED,
        entropy: 0.0,
        max_p: 0.0,
        top2_gap: 0.0,
        bad,
        reserved: 0,
    };
    let finite = || parts.iter().filter(|part| part.key > 0);
    let Some(best) = finite().min_by_key(|part| (!part.key, part.argmax)) else { return none };
    let mut keys: Vec<u32> = finite().flat_map(|part| [part.key, part.second]).collect();
    keys.sort_unstable();
    let second = keys[keys.len() - 2];
    let max = order_logit(best.key);
    let (mut sum, mut dot) = (0.0f64, 0.0f64);
    for part in finite() {
        let d = f64::from((order_logit(part.key) - max).max(-100.0));
        let weight = d.exp();
        sum += f64::from(part.sum) * weight;
        dot += (f64::from(part.dot) + d * f64::from(part.sum)) * weight;
    }
    RowStats {
        argmax: best.argmax,
        max,
        log_sum_exp: (f64::from(max) + sum.ln()) as f32,
        entropy: (sum.ln() - dot / sum).max(0.0) as f32,
        max_p: (1.0 / sum) as f32,
        top2_gap: if second == 0 { -BANNED } else { max - order_logit(second) },
        ..none
    }
}
