//! Twin of `common/judge.wgsl`.

use std::cell::Cell;

use super::sample::{Candidate, sum, truncate, uniform, weight};
use crate::sampling::{CANDIDATES, RowStats, SampleParams};
use crate::walking::NO_ROW;

const PURPOSE_POLICY: u32 = 3;

/// Random numbers, each used once.
pub(super) struct Dice {
    pub(super) seed: [u32; 2],
    pub(super) stream: u32,
    pub(super) thrown: u32,
}

impl Dice {
    fn throw(&mut self) -> f32 {
        self.thrown = self.thrown.wrapping_add(1);
        uniform(self.thrown, self.stream, PURPOSE_POLICY, self.seed)
    }
}

/// The token behind a row: one of `guesses`, which were drawn one after another without replacement from `list`, or another
/// one, so that it is distributed as what the cuts leave of `best`.
pub(super) fn judge(
    best: &[Candidate],
    (s, row, n_vocab): (&SampleParams, &RowStats, u32),
    list: &[Cell<u32>],
    guesses: impl Iterator<Item = u32>,
    dice: &mut Dice,
) -> u32 {
    let first = best.first().map_or(0.0, |c| c.logit);
    let kept = truncate(best, s, n_vocab <= CANDIDATES, (row.log_sum_exp - first).exp());
    let mut left = best[..kept.map_or(0, |kept| kept.n)].to_vec();
    let heat = |c: &Candidate| weight(c.logit * s.inv_temperature - first * s.inv_temperature);
    let hot: Vec<f32> = left.iter().map(heat).collect();
    let total = sum(&hot);
    // From here on shares in the place of logits.
    left.iter_mut().zip(hot).for_each(|(c, hot)| c.logit = hot / total);
    let mut q: Vec<(u32, f32)> =
        list.chunks_exact(2).map(|pair| (pair[0].get(), f32::from_bits(pair[1].get()))).collect();
    let mut sum_q = 1.0;
    for token in guesses {
        let listed = q.binary_search_by_key(&token, |pair| pair.0).ok();
        let guessed = listed.map_or(0.0, |j| q[j].1 / sum_q);
        let ours = left.iter().find(|c| c.id == token).map_or(0.0, |c| c.logit);
        if dice.throw() * guessed < ours {
            return token;
        }
        subtract(&mut left, &q, sum_q);
        if let Some(j) = listed {
            q[j].1 = 0.0;
        }
        sum_q = q.iter().fold(0.0, |sum, pair| sum + pair.1);
        if sum_q <= 0.0 {
            break;
        }
    }
    left.sort_by_key(|c| c.id);
    let u = dice.throw();
    let mut mass = 0.0;
    let passed = left.iter().find(|c| {
        mass += c.logit;
        mass > u
    });
    let last = left.iter().rev().find(|c| c.logit > 0.0);
    passed.or(last).map_or(NO_ROW, |c| c.id)
}

/// Takes `q` from what is left, unless by rounding nothing would be.
fn subtract(left: &mut [Candidate], q: &[(u32, f32)], sum_q: f32) {
    let rest = |c: &Candidate| match q.binary_search_by_key(&c.id, |pair| pair.0) {
        Ok(j) => (c.logit - q[j].1 / sum_q).max(0.0),
        Err(_) => c.logit,
    };
    let rests: Vec<f32> = left.iter().map(rest).collect();
    let total = sum(&rests);
    if total > 0.0 {
        left.iter_mut().zip(rests).for_each(|(c, rest)| c.logit = rest / total);
    }
}
