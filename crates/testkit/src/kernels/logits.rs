//! `row_stats`, `topk`, `gather_logits` and `mask_logits` against sorting and f64 sums.

use goldcrest_kernels::ops::gather_logits::{GatherLogitsArgs, gather_logits};
use goldcrest_kernels::ops::mask_logits::{MaskLogitsArgs, mask_logits};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats, row_stats_scratch_bytes};
use goldcrest_kernels::ops::topk::{TopkArgs, topk_bytes, topk_scratch_bytes, topk_with};
use goldcrest_kernels::sampling::{BANNED, CANDIDATES, NO_ID, RowStats, gather_list};
use serde::Deserialize;

use super::case::{Bound, Case, bits};
use super::compare::Compare::{self, Exact, Floats};
use super::random::Random;
use super::row::{Row, RowError};
use super::step;

/// Kinds of rows of logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Normal, deviation 3.
    Spread,
    /// Multiples of a half.
    Ties,
    /// All equal.
    Flat,
    /// One of 1e4.
    Peak,
    /// Every third is [`BANNED`].
    Banned,
    /// Both zeros, subnormals of both signs, −1.
    Zeros,
    /// Normal, deviation 300.
    Far,
    /// Nine neighbouring floats, some of which a factor of 1.25 makes equal.
    Near,
    /// Ascending: each is better than all before.
    Rising,
    /// Some are NaN or infinite.
    Bad,
}

impl Kind {
    /// All kinds that a model and its host may produce, and that the reference takes.
    pub const FINITE: [Self; 7] =
        [Self::Spread, Self::Ties, Self::Flat, Self::Peak, Self::Zeros, Self::Far, Self::Near];

    /// A row of `n` logits.
    #[must_use]
    pub fn row(self, random: &mut Random, n: usize) -> Vec<f32> {
        let mut row: Vec<f32> = (0..n).map(|_| random.normal() * 3.0).collect();
        match self {
            Self::Spread => {}
            Self::Ties => row.iter_mut().for_each(|l| *l = (*l * 2.0).round() / 2.0),
            Self::Flat => row.fill(random.normal()),
            Self::Peak => row[random.below(n as u32) as usize] = 1e4,
            Self::Banned => row.iter_mut().step_by(3).for_each(|l| *l = BANNED),
            Self::Zeros => {
                row.iter_mut().for_each(|l| *l = [0.0, -0.0, 1e-40, -1e-40, -1.0][random.below(5) as usize])
            }
            Self::Far => row.iter_mut().for_each(|l| *l *= 100.0),
            Self::Near => {
                row.iter_mut().for_each(|l| *l = f32::from_bits(1.7f32.to_bits() + random.below(9)))
            }
            Self::Rising => row.iter_mut().enumerate().for_each(|(i, l)| *l = i as f32 * 1e-3),
            Self::Bad => {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN] {
                    row[random.below(n as u32) as usize] = bad;
                }
            }
        }
        row
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    n_vocab: u32,
    /// One row each.
    kinds: Vec<Kind>,
    /// Rows that the step does not ask for; they stay unwritten.
    #[serde(default)]
    unwanted: u32,
    /// The step asks for `u32::MAX` rows.
    #[serde(default)]
    hostile: bool,
}

struct Rows {
    shape: Shape,
    rows: Vec<Vec<f32>>,
    step: Vec<u32>,
}

impl Rows {
    fn of(row: &Row) -> Result<Self, RowError> {
        let shape: Shape = row.shape()?;
        let mut random = row.random();
        let rows: Vec<_> =
            shape.kinds.iter().map(|kind| kind.row(&mut random, shape.n_vocab as usize)).collect();
        let n_want = if shape.hostile { u32::MAX } else { rows.len() as u32 - shape.unwanted };
        let mut step = step::rows(rows.len() as u32);
        step[1] = n_want;
        Ok(Self { shape, rows, step })
    }

    fn logits(&self) -> Bound {
        Bound::floats("logits", &self.rows.concat())
    }

    /// What `expected` makes of each wanted row; the rest keeps its bits.
    fn expected(&self, per_row: usize, expected: impl Fn(&[f32]) -> Vec<f64>) -> Vec<f64> {
        let wanted = self.rows.len() - self.shape.unwanted as usize;
        let mut values: Vec<f64> = self.rows[..wanted].iter().flat_map(|row| expected(row)).collect();
        values.resize(self.rows.len() * per_row, f64::NAN);
        values
    }
}

const PARTIAL: Compare = Compare::Records(&[Exact, Exact, Exact, Exact, Floats, Floats, Exact, Exact]);
const STATS: Compare = Compare::Records(&[Exact, Floats, Floats, Floats, Floats, Floats, Exact, Exact]);

pub(super) fn stats(row: &Row) -> Result<Case, RowError> {
    let rows = Rows::of(row)?;
    let (n_vocab, n_want) = (rows.shape.n_vocab, rows.rows.len() as u32);
    let expected = rows.expected(8, |row| {
        let s = stats_of(row);
        let floats = [s.max, s.log_sum_exp, s.entropy, s.max_p, s.top2_gap].map(f64::from);
        [&[s.argmax.into()], &floats[..], &[s.bad.into(), 0.0]].concat()
    });
    Ok(Case {
        bound: vec![
            rows.logits(),
            Bound::written("partials", row_stats_scratch_bytes(n_vocab, n_want) as usize / 4, PARTIAL),
            Bound::written("stats", expected.len(), STATS),
            Bound::input("step", rows.step),
        ],
        expected: vec![(2, expected)],
        build: Box::new(move |slices, profile| {
            let [logits, partials, stats, step] = slices else { return Ok(Vec::new()) };
            row_stats(&RowStatsArgs { step, logits, partials, stats, n_vocab, n_want }, profile)
        }),
    })
}

pub(super) fn best(row: &Row) -> Result<Case, RowError> {
    let rows = Rows::of(row)?;
    let (n_vocab, n_want) = (rows.shape.n_vocab, rows.rows.len() as u32);
    let per_row = CANDIDATES as usize * 2;
    let expected = rows.expected(per_row, |row| best_of(row).iter().map(|word| f64::from(*word)).collect());
    let [a, b] = topk_scratch_bytes(n_vocab, n_want).map(|bytes| bytes as usize / 4);
    Ok(Case {
        bound: vec![
            rows.logits(),
            Bound::written("scratch 0", a, Exact),
            Bound::written("scratch 1", b, Exact),
            Bound::written("best", topk_bytes(n_want) as usize / 4, Exact),
            Bound::input("step", rows.step),
        ],
        expected: vec![(3, expected)],
        build: Box::new(move |slices, profile| {
            let [logits, a, b, best, step] = slices else { return Ok(Vec::new()) };
            topk_with(&TopkArgs { step, logits, scratch: [a, b], best, n_vocab, n_want }, profile)
        }),
    })
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct GatherShape {
    n_vocab: u32,
    rows: u32,
    pairs: u32,
    /// Rows and ids beyond the end, and a list that claims to be longer than it is.
    #[serde(default)]
    hostile: bool,
}

pub(super) fn gather(row: &Row) -> Result<Case, RowError> {
    let shape: GatherShape = row.shape()?;
    let mut random = row.random();
    let GatherShape { n_vocab, rows: n_want, pairs, hostile } = shape;
    // Any bits, NaNs with payloads among them.
    let logits: Vec<u32> = (0..n_vocab * n_want).map(|_| random.bits() as u32).collect();
    let beyond = if hostile { u32::MAX } else { 1 };
    let pair = |random: &mut Random, n: u32| {
        random.below(n).wrapping_mul(if random.below(3) == 0 { beyond } else { 1 })
    };
    let list: Vec<(u32, u32)> =
        (0..pairs).map(|_| (pair(&mut random, n_want), pair(&mut random, n_vocab))).collect();
    let at =
        |(row, id): &(u32, u32)| logits[((*row).min(n_want - 1) * n_vocab + (*id).min(n_vocab - 1)) as usize];
    let mut expected: Vec<f64> = list.iter().map(|pair| at(pair).into()).collect();
    // A list has room for one more pair than it holds; hostile, it claims that pair and more.
    let capacity = pairs + 1;
    let mut words = gather_list(&list);
    words.extend([0, 0]);
    words[0] = if hostile { u32::MAX } else { pairs };
    expected.push(if hostile { logits[0].into() } else { f64::NAN });
    Ok(Case {
        bound: vec![
            Bound::input("list", words),
            Bound::input("logits", logits),
            Bound::written("out", capacity as usize, Exact),
        ],
        expected: vec![(2, expected)],
        build: Box::new(move |slices, _| {
            let [list, logits, out] = slices else { return Ok(Vec::new()) };
            Ok(vec![gather_logits(&GatherLogitsArgs { list, logits, out, n_vocab, n_want, capacity })?])
        }),
    })
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaskShape {
    n_vocab: u32,
    rows: u32,
    kind: Kind,
}

pub(super) fn mask(row: &Row) -> Result<Case, RowError> {
    let shape: MaskShape = row.shape()?;
    let mut random = row.random();
    let (n_vocab, n_word) = (shape.n_vocab, shape.n_vocab.div_ceil(32));
    let logits: Vec<u32> =
        (0..=shape.rows).flat_map(|_| bits(&shape.kind.row(&mut random, n_vocab as usize))).collect();
    let allowed: Vec<u32> = (0..(shape.rows + 1) * n_word).map(|_| random.bits() as u32).collect();
    // The row behind the wanted ones stays as it is.
    let expected = (0..).zip(&logits).map(|(i, logit): (u32, &u32)| {
        let (row, id) = (i / n_vocab, i % n_vocab);
        let set = allowed[(row * n_word + id / 32) as usize] >> (id % 32) & 1 == 1;
        let stays = set || row == shape.rows || !f32::from_bits(*logit).is_finite();
        f64::from(if stays { *logit } else { BANNED.to_bits() })
    });
    let expected = expected.collect();
    Ok(Case {
        bound: vec![
            Bound::changed("logits", logits, Exact),
            Bound::input("allowed", allowed),
            Bound::input("step", super::next_token::wanting(shape.rows)),
        ],
        expected: vec![(0, expected)],
        build: Box::new(move |slices, _| {
            let [logits, allowed, step] = slices else { return Ok(Vec::new()) };
            let n_want = shape.rows + 1;
            Ok(vec![mask_logits(&MaskLogitsArgs { step, allowed, logits, n_vocab, n_want })?])
        }),
    })
}

/// The figures of a row, by their definitions in f64.
#[must_use]
pub fn stats_of(row: &[f32]) -> RowStats {
    let finite: Vec<(u32, f64)> =
        (0..).zip(row).filter(|(_, l)| l.is_finite()).map(|(id, l)| (id, f64::from(*l))).collect();
    let bad = row.iter().position(|l| !l.is_finite()).map_or(0, |i| i as u32 + 1);
    let max = finite.iter().map(|e| e.1).fold(f64::NEG_INFINITY, f64::max);
    let Some(&(argmax, _)) = finite.iter().find(|e| e.1 == max) else {
        return RowStats { max: BANNED, log_sum_exp: BANNED, bad, ..bytemuck::Zeroable::zeroed() };
    };
    let sum: f64 = finite.iter().map(|e| (e.1 - max).exp()).sum();
    let log_p = finite.iter().map(|e| e.1 - max - sum.ln());
    let second = finite.iter().filter(|e| e.0 != argmax).map(|e| e.1).reduce(f64::max);
    RowStats {
        argmax,
        max: max as f32,
        log_sum_exp: (max + sum.ln()) as f32,
        entropy: -log_p.map(|l| if l > -700.0 { l.exp() * l } else { 0.0 }).sum::<f64>() as f32,
        max_p: (1.0 / sum) as f32,
        top2_gap: second.map_or(-BANNED, |second| max as f32 - second as f32),
        bad,
        reserved: 0,
    }
}

/// The words of the best candidates, from a sort of the whole row; both zeros come out as 0.0.
#[must_use]
pub fn best_of(row: &[f32]) -> Vec<u32> {
    let mut all: Vec<(u32, f32)> =
        (0..).zip(row).map(|(id, l)| (id, if l.is_finite() { *l + 0.0 } else { BANNED })).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.resize(CANDIDATES as usize, (NO_ID, BANNED));
    all.iter().flat_map(|(id, logit)| [*id, bits(&[*logit])[0]]).collect()
}
