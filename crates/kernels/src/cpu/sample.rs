//! Twin of `sample.wgsl`.

use std::cell::Cell;

use super::Args;
use super::words::{n_want, nth, read, wanted_row, write};
use crate::ops::sample::Params;
use crate::sampling::{BANNED, CANDIDATES, Picked, RowStats, SampleParams};
use crate::step::Header;

/// What a draw is for; `goldcrest-sample` numbers the other streams.
const PURPOSE_DRAW: u32 = 0;

#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) id: u32,
    pub(super) logit: f32,
}

/// The first `n` candidates; `whole` if nothing outside of them has any probability.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    pub(super) n: usize,
    whole: bool,
}

pub(super) fn sample(args: &Args<'_>) {
    let [step, params, stats, best, picked] = args.bindings else { return };
    let p: Params = args.params();
    for w in 0..n_want(step, args.grid[0]) {
        let s: SampleParams = nth(params, w.min(p.n_set as usize - 1));
        let list = &best[w * CANDIDATES as usize * 2..][..CANDIDATES as usize * 2];
        write(picked, w * size_of::<Picked>() / 4, choose(step, w, &s, &nth(stats, w), list, p.n_vocab));
    }
}

/// The choice for wanted row `w` from its candidates, pairs of id and logit.
pub(super) fn choose(
    step: &[Cell<u32>],
    w: usize,
    s: &SampleParams,
    row: &RowStats,
    list: &[Cell<u32>],
    n_vocab: u32,
) -> Picked {
    let last = n_vocab - 1;
    let best = |flags| Picked {
        token: row.argmax.min(last),
        flags,
        logprob: row.max - row.log_sum_exp,
        reserved: 0,
    };
    if row.bad != 0 {
        return best(Picked::BAD);
    }
    if row.max <= BANNED {
        return best(Picked::NONE);
    }
    if s.greedy != 0 {
        return best(0);
    }
    let mut candidates = candidates(list, n_vocab);
    let row_total = (row.log_sum_exp - candidates[0].logit).exp();
    let Some(kept) = truncate(&candidates, s, n_vocab <= CANDIDATES, row_total) else {
        return best(Picked::OVERFLOW);
    };
    candidates.truncate(kept.n);
    // Logits that temperature made equal are ordered by id again.
    let heated = |c: &Candidate| c.logit * s.inv_temperature;
    candidates.sort_by(|a, b| heated(b).total_cmp(&heated(a)).then(a.id.cmp(&b.id)));
    let header: Header = read(step, 0);
    let source = wanted_row(step, w);
    let u = uniform(source.pos.wrapping_add(1), source.seq, PURPOSE_DRAW, [header.seed_lo, header.seed_hi]);
    let hot: Vec<f32> = candidates.iter().map(|c| weight(heated(c) - heated(&candidates[0]))).collect();
    let total = if kept.whole { sum(&hot) } else { row_total };
    match draw(&candidates, &hot, u * total, kept.whole) {
        Some(Candidate { id, logit }) => {
            Picked { token: id.min(last), flags: 0, logprob: logit - row.log_sum_exp, reserved: 0 }
        }
        None => best(Picked::OVERFLOW),
    }
}

/// The candidates of a row, pairs of id and logit.
pub(super) fn candidates(list: &[Cell<u32>], n_vocab: u32) -> Vec<Candidate> {
    let pairs = list.chunks(2).take(n_vocab.min(CANDIDATES) as usize);
    pairs.map(|e| Candidate { id: e[0].get(), logit: f32::from_bits(e[1].get()) }).collect()
}

/// None if the candidates do not reach as far as a truncation.
pub(super) fn truncate(
    candidates: &[Candidate],
    s: &SampleParams,
    whole: bool,
    row_total: f32,
) -> Option<Kept> {
    let mut kept = Kept { n: candidates.len(), whole };
    let top_k = s.top_k as usize;
    if top_k != 0 && top_k <= kept.n {
        kept = Kept { n: top_k, whole: true };
    } else if top_k != 0 && !whole {
        return None;
    }
    if s.top_p < 1.0 {
        let cold: Vec<f32> =
            candidates[..kept.n].iter().map(|c| weight(c.logit - candidates[0].logit)).collect();
        let target = s.top_p * if kept.whole { sum(&cold) } else { row_total };
        let mut mass = 0.0f32;
        let reached = cold.iter().position(|weight| {
            mass += weight;
            mass >= target
        });
        kept = cut(kept, reached.map(|i| i + 1))?;
    }
    if s.min_p > 0.0 {
        let threshold = candidates[0].logit + s.log_min_p;
        kept = cut(kept, candidates[..kept.n].iter().position(|c| c.logit < threshold))?;
    }
    (kept.whole || s.inv_temperature == 1.0).then_some(kept)
}

fn cut(kept: Kept, at: Option<usize>) -> Option<Kept> {
    match at {
        Some(n) => Some(Kept { n, whole: true }),
        None => kept.whole.then_some(kept),
    }
}

fn draw(candidates: &[Candidate], hot: &[f32], target: f32, whole: bool) -> Option<Candidate> {
    let mut mass = 0.0f32;
    let mut last = None;
    for (candidate, weight) in candidates.iter().zip(hot) {
        mass += weight;
        if mass > target {
            return Some(*candidate);
        }
        if *weight > 0.0 {
            last = Some(*candidate);
        }
    }
    last.filter(|_| whole)
}

pub(super) fn weight(d: f32) -> f32 {
    if d < -104.0 { 0.0 } else { d.exp() }
}

/// Left to right: the order is part of the result.
pub(super) fn sum(weights: &[f32]) -> f32 {
    weights.iter().fold(0.0, |sum, weight| sum + weight)
}

/// Philox4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, SC 2011).
fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let wide = |a: u32, b: u32| {
        let product = u64::from(a) * u64::from(b);
        ((product >> 32) as u32, product as u32)
    };
    let ([mut c0, mut c1, mut c2, mut c3], [mut k0, mut k1]) = (counter, key);
    for _ in 0..10 {
        let (hi0, lo0) = wide(0xd251_1f53, c0);
        let (hi1, lo1) = wide(0xcd9e_8d57, c2);
        (c0, c1, c2, c3) = (hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0);
        (k0, k1) = (k0.wrapping_add(0x9e37_79b9), k1.wrapping_add(0xbb67_ae85));
    }
    [c0, c1, c2, c3]
}

/// Uniform in `[0, 1)`, a multiple of 2^-24.
pub(super) fn uniform(position: u32, sequence: u32, purpose: u32, key: [u32; 2]) -> f32 {
    (philox4x32_10([position, sequence, purpose, 0], key)[0] >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::philox4x32_10;

    /// Published known answers: Random123, `kat_vectors`, lines `philox4x32 10`.
    #[test]
    fn known_answers_of_random123() {
        let cases: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, want) in cases {
            assert_eq!(philox4x32_10(counter, key), want);
        }
    }
}
