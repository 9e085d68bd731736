//! `attention` against a plain softmax over all scores.

use goldcrest_kernels::ops::attention::{AttentionArgs, attention};
use goldcrest_kernels::ops::rope_kv::{HeadShape, KeyType};
use goldcrest_kernels::step::{IDENTITY, NO_TREE, Row as StepRow};
use serde::Deserialize;

use super::case::{Bound, Case, POISON_U32};
use super::cells;
use super::compare::Compare;
use super::random::{Random, Values};
use super::row::{Row, RowError};
use super::step;

/// What the rows of a step see of a sequence of `len` entries.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mask {
    /// Row r sees all but the last `rows − 1 − r` entries.
    Causal,
    /// The same, from half-way on only, by `lo_swa`.
    Sliding,
    /// The last 40 entries are candidates of which each row sees some.
    Tree,
    /// Rows that see nothing: an empty range, a range the wrong way round, no ancestor.
    Nothing,
    /// Every field beyond every end.
    Hostile,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    /// Query heads, key heads, elements of a head.
    heads: [u32; 3],
    len: u32,
    rows: u32,
    mask: Mask,
    /// Cells through a table instead of in a row.
    #[serde(default)]
    table: bool,
    /// Keys as floats.
    #[serde(default)]
    wide: bool,
    #[serde(default)]
    softcap: f32,
    #[serde(default)]
    values: Values,
}

pub(super) fn case(row: &Row) -> Result<Case, RowError> {
    let shape: Shape = row.shape()?;
    let [n_head, n_head_kv, head_dim] = shape.heads;
    let mut random = row.random();
    let n_cells = shape.len + 5;
    let keys = if shape.wide { KeyType::F32 } else { KeyType::F16 };
    let heads = HeadShape { n_head, n_head_kv, head_dim, n_cells, keys };
    let stride = heads.qkv_width();
    let capacity = shape.rows + 1;
    let qkv = random.values((capacity * stride) as usize, shape.values);
    // Cells that no row sees keep NaN halves: they must not reach a sum.
    let mut kv = vec![POISON_U32; heads.kv_bytes() as usize / 4];
    let order: Vec<u32> =
        if shape.table { random.permutation(n_cells) } else { (3..n_cells).chain(0..3).collect() };
    let table: Vec<u32> = [vec![POISON_U32; 7], order[..shape.len as usize].to_vec()].concat();
    let rows: Vec<StepRow> = (0..shape.rows).map(|r| step_row(&shape, r, &mut random)).collect();
    let sliding = shape.mask == Mask::Sliding;
    let seen: Vec<Vec<usize>> = rows.iter().map(|r| visible(r, sliding, &table, n_cells)).collect();
    let (cell_words, kv_width) = (cells::words(&heads), cells::width(&heads));
    for cell in seen.iter().flatten() {
        let words = &mut kv[cell * cell_words..(cell + 1) * cell_words];
        if words[0] == POISON_U32 {
            words.copy_from_slice(&cells::random(&heads, &mut random));
        }
    }

    let scale = 1.0 / (head_dim as f32).sqrt();
    let dim = head_dim as usize;
    let width = n_head as usize * dim;
    let cache = cells::compare(&heads).values(&kv);
    let mut expected = vec![f64::NAN; capacity as usize * width];
    for (r, seen) in seen.iter().enumerate() {
        for h in 0..n_head as usize {
            let q = &qkv[r * stride as usize + h * dim..][..dim];
            let k_at = h / (n_head / n_head_kv) as usize * dim;
            let q: Vec<f64> = q.iter().map(|v| f64::from(*v)).collect();
            let mixed = attend(&q, seen, &cache, k_at, kv_width, (scale, shape.softcap));
            expected[r * width + h * dim..][..dim].copy_from_slice(&mixed);
        }
    }
    Ok(Case {
        bound: vec![
            Bound::floats("qkv", &qkv),
            Bound::input("kv", kv),
            Bound::input("table", table),
            Bound::input("step", step::step(&rows, &[])),
            Bound::written("out", expected.len(), Compare::Floats),
        ],
        expected: vec![(4, expected)],
        build: Box::new(move |slices, profile| {
            let [qkv, kv, table, step, out] = slices else { return Ok(Vec::new()) };
            let args = AttentionArgs {
                step,
                qkv,
                kv,
                table,
                out,
                shape: heads,
                n_rows: capacity,
                stride,
                out_stride: n_head * head_dim,
                sliding,
                scale,
                softcap: shape.softcap,
            };
            Ok(vec![attention(&args, profile)?])
        }),
    })
}

/// softmax(scale · q·k) · v over `cells` of a cache whose cells hold `width` elements of keys, then of values; the head
/// begins at `at`. A cap of 0 is none.
pub(super) fn attend(
    q: &[f64],
    cells: &[usize],
    cache: &[f64],
    at: usize,
    width: usize,
    (scale, softcap): (f32, f32),
) -> Vec<f64> {
    let (mut mixed, _, sum) = attend_part(q, cells, cache, at, width, (scale, softcap));
    // A row that sees nothing gets zeros.
    mixed.iter_mut().for_each(|m| *m /= if sum > 0.0 { sum } else { 1.0 });
    mixed
}

/// As [`attend`] before the division: values weighted relative to the largest score, that score, the sum of the weights.
/// Of no cells at all the largest score is -1e30.
pub(super) fn attend_part(
    q: &[f64],
    cells: &[usize],
    cache: &[f64],
    at: usize,
    width: usize,
    (scale, softcap): (f32, f32),
) -> (Vec<f64>, f64, f64) {
    let head = |cell: &usize, at: usize| &cache[cell * 2 * width + at..][..q.len()];
    let scores: Vec<f64> = cells
        .iter()
        .map(|cell| {
            let dot: f64 = q.iter().zip(head(cell, at)).map(|(q, k)| q * k).sum();
            let (score, cap) = (dot * f64::from(scale), f64::from(softcap));
            if cap > 0.0 { cap * (score / cap).tanh() } else { score }
        })
        .collect();
    let top = scores.iter().copied().fold(-1e30, f64::max);
    let sum: f64 = scores.iter().map(|s| (s - top).exp()).sum();
    let mix = |d: usize| {
        let part = |(s, cell): (&f64, &usize)| (s - top).exp() * head(cell, at + width)[d];
        scores.iter().zip(cells).map(part).sum()
    };
    ((0..q.len()).map(mix).collect(), top, sum)
}

fn step_row(shape: &Shape, r: u32, random: &mut Random) -> StepRow {
    let len = shape.len;
    let (table, base) = if shape.table { (7, POISON_U32) } else { (IDENTITY, 3) };
    let hi = len.saturating_sub(shape.rows - 1 - r).max(1);
    let row = StepRow { table, base, hi, lo_swa: hi / 2, ..step::row() };
    match shape.mask {
        Mask::Causal | Mask::Sliding => row,
        Mask::Tree => {
            let [ancestors_lo, ancestors_hi] = [random.bits() as u32, random.bits() as u32];
            StepRow { hi: len, tree: len.saturating_sub(40), ancestors_lo, ancestors_hi, ..row }
        }
        Mask::Nothing => match r % 3 {
            0 => StepRow { lo: 0, hi: 0, ..row },
            1 => StepRow { lo: len, hi: 1, ..row },
            _ => StepRow { lo: 0, hi: len, tree: 0, ..row },
        },
        Mask::Hostile => match r % 4 {
            0 => StepRow { table: IDENTITY, base: u32::MAX - 1, hi: u32::MAX, ..row },
            1 => StepRow { table: u32::MAX - 5, lo: u32::MAX, hi: u32::MAX, ..row },
            2 => StepRow { table: 0, lo: 0, hi: u32::MAX, tree: NO_TREE - 1, ..row },
            _ => StepRow {
                table: 0xffff_0000,
                lo: 2,
                hi: u32::MAX,
                tree: 3,
                ancestors_lo: 5,
                ancestors_hi: u32::MAX,
                ..row
            },
        },
    }
}

/// The cells a row sees, by the words of the step buffer's documentation, with indices bounded by the ends.
fn visible(row: &StepRow, sliding: bool, table: &[u32], n_cells: u32) -> Vec<usize> {
    let lo = if sliding { row.lo_swa } else { row.lo };
    let mut cells = Vec::new();
    for i in lo..row.hi.min(n_cells) {
        let after = u64::from(i).wrapping_sub(row.tree.into());
        let ancestor = match after {
            0..32 => row.ancestors_lo >> after & 1 == 1,
            32..64 => row.ancestors_hi >> (after - 32) & 1 == 1,
            _ => false,
        };
        if i >= row.tree && !ancestor {
            continue;
        }
        let cell = match row.table {
            IDENTITY => row.base.wrapping_add(i),
            start => table[(start.wrapping_add(i) as usize).min(table.len() - 1)],
        };
        cells.push(cell.min(n_cells - 1) as usize);
    }
    cells
}
