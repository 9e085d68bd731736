//! Twin of `attention`: all scores of a row, then one softmax. With one row, its entry is made first.

use std::cell::Cell;

use super::Args;
use super::activation::soft_tanh;
use super::cell::CellLayout;
use super::rope_kv::{Norm, Turn, enter};
use super::rows::{dot, load, load_halves, n_rows, row, store};
use crate::ops::attention::{MergeParams, Params};
use crate::step::{IDENTITY, Row};

pub(super) fn attention(args: &Args<'_>) {
    let &[qkv, kv, table, step, out, ref entry @ ..] = args.bindings else { return };
    let p: Params = args.params();
    let dim = 2 * p.half as usize;
    let cells = CellLayout::of(args, p.n_head_kv as usize, dim);
    let entered = one_query(&[qkv, kv, table, step], args, &p, &cells, entry);
    let group = (p.n_head / p.n_head_kv) as usize;
    let rows: Vec<Vec<usize>> =
        (0..n_rows(step, p.max_rows)).map(|index| visible_cells(&row(step, index), table, &p)).collect();
    let n_seen = rows.iter().flatten().max().map_or(0, |cell| cell + 1);
    for head_kv in 0..p.n_head_kv as usize {
        let mut cache = Head::new(kv, &cells, head_kv, n_seen);
        for (index, seen) in rows.iter().enumerate() {
            seen.iter().for_each(|cell| cache.decode(*cell));
            for head in head_kv * group..(head_kv + 1) * group {
                let q = match &entered {
                    Some(query) => query[head * dim..][..dim].to_vec(),
                    None => load(qkv, index * p.stride as usize + head * dim, dim),
                };
                let (mut mixed, _, sum) = cache.attend(&q, seen, &p);
                let norm = if sum > 0.0 { (1.0 / sum) as f32 } else { 0.0 };
                mixed.iter_mut().for_each(|m| *m *= norm);
                store(out, index * p.out_stride as usize + head * dim, &mixed);
            }
        }
    }
}

/// The form that leaves a head in parts, each of every so-manieth tile.
pub(super) fn split(args: &Args<'_>) {
    let &[qkv, kv, table, step, parts, ref entry @ ..] = args.bindings else { return };
    let p: Params = args.params();
    let [half, tile, splits] = ["HALF", "TILE", "SPLITS"].map(|name| args.override_value(name) as usize);
    let dim = 2 * half;
    let cells = CellLayout::of(args, p.n_head_kv as usize, dim);
    let Some(query) = one_query(&[qkv, kv, table, step], args, &p, &cells, entry) else { return };
    let group = (p.n_head / p.n_head_kv) as usize;
    let entries = visible_entries(&row(step, 0), table, &p);
    let n_seen = entries.iter().map(|(_, cell)| cell + 1).max().unwrap_or(0);
    for head_kv in 0..p.n_head_kv as usize {
        let mut cache = Head::new(kv, &cells, head_kv, n_seen);
        entries.iter().for_each(|(_, cell)| cache.decode(*cell));
        for head in head_kv * group..(head_kv + 1) * group {
            for split in 0..splits {
                let mine = |(i, cell): &(usize, usize)| (i / tile % splits == split).then_some(*cell);
                let seen: Vec<usize> = entries.iter().filter_map(mine).collect();
                let (mixed, top, sum) = cache.attend(&query[head * dim..][..dim], &seen, &p);
                let at = (head * splits + split) * (dim + 2);
                store(parts, at, &[&mixed[..], &[top, sum as f32]].concat());
            }
        }
    }
}

/// Twin of `attention_merge`.
pub(super) fn merge(args: &Args<'_>) {
    let &[parts, step, out] = args.bindings else { return };
    if n_rows(step, 1) == 0 {
        return;
    }
    let p: MergeParams = args.params();
    let (dim, splits) = (p.head_dim as usize, args.override_value("SPLITS") as usize);
    for head in 0..p.n_head as usize {
        let parts: Vec<Vec<f32>> =
            (0..splits).map(|s| load(parts, (head * splits + s) * (dim + 2), dim + 2)).collect();
        let top = parts.iter().map(|part| part[dim]).fold(-1e30, f32::max);
        let weight = |part: &[f32]| f64::from((part[dim] - top).exp());
        let sum: f64 = parts.iter().map(|part| weight(part) * f64::from(part[dim + 1])).sum();
        let norm = if sum > 0.0 { 1.0 / sum } else { 0.0 };
        let value = |d: usize| parts.iter().map(|part| weight(part) * f64::from(part[d])).sum::<f64>() * norm;
        store(out, head * dim, &(0..dim).map(|d| value(d) as f32).collect::<Vec<_>>());
    }
}

/// The query of a step of one row whose key and value are stored here, in the variant that has weights and angles bound.
pub(super) fn one_query(
    &[qkv, kv, _, step]: &[&[Cell<u32>]; 4],
    args: &Args<'_>,
    p: &Params,
    cells: &CellLayout,
    entry: &[&[Cell<u32>]],
) -> Option<Vec<f32>> {
    let &[weight, rope] = entry else { return None };
    let norm = Norm { mode: args.override_value("QK_NORM") as u32, weight, eps: p.eps };
    let turn = Turn::of(args, rope, p.n_rot, p.n_pos);
    let only = (n_rows(step, p.max_rows) > 0).then(|| row(step, 0))?;
    let to = cells.at(only.cell.min(p.n_cells - 1) as usize);
    Some(enter(qkv, 0, p.n_head as usize, &norm, &turn, only.pos, (kv, to, cells)))
}

/// Cells of the entries that a row sees, in order.
pub(super) fn visible_cells(row: &Row, table: &[Cell<u32>], p: &Params) -> Vec<usize> {
    visible_entries(row, table, p).into_iter().map(|(_, cell)| cell).collect()
}

/// The entries that a row sees, counted from the first of its range, with their cells.
fn visible_entries(row: &Row, table: &[Cell<u32>], p: &Params) -> Vec<(usize, usize)> {
    let first = if p.sliding == 1 { row.lo_swa } else { row.lo };
    let ancestors = u64::from(row.ancestors_hi) << 32 | u64::from(row.ancestors_lo);
    let visible = |i: &u32| match i.checked_sub(row.tree) {
        None => true,
        Some(bit) => bit < 64 && ancestors >> bit & 1 == 1,
    };
    let cell_of = |i: u32| {
        let cell = if row.table == IDENTITY {
            row.base.wrapping_add(i)
        } else {
            table[row.table.wrapping_add(i).min(p.n_table - 1) as usize].get()
        };
        cell.min(p.n_cells - 1) as usize
    };
    let entry = |i: u32| ((i - first) as usize, cell_of(i));
    (first..row.hi.min(p.n_cells)).filter(visible).map(entry).collect()
}

/// Keys and values of one head as floats, decoded when first asked for: rows of a prefill share most of them.
struct Head<'a> {
    kv: &'a [Cell<u32>],
    cells: &'a CellLayout,
    head_kv: usize,
    decoded: Vec<bool>,
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl<'a> Head<'a> {
    /// The head of the first `n` cells.
    fn new(kv: &'a [Cell<u32>], cells: &'a CellLayout, head_kv: usize, n: usize) -> Self {
        let all = || vec![0.0; n * cells.head_dim];
        Self { kv, cells, head_kv, decoded: vec![false; n], keys: all(), values: all() }
    }

    fn decode(&mut self, cell: usize) {
        if std::mem::replace(&mut self.decoded[cell], true) {
            return;
        }
        let (at, dim) = (self.cells.at(cell), self.cells.head_dim);
        let to = cell * dim..(cell + 1) * dim;
        let (key, value) = (at + self.cells.key(self.head_kv), at + self.cells.value(self.head_kv));
        self.keys[to.clone()].copy_from_slice(&self.cells.load_keys(self.kv, key, dim));
        self.values[to].copy_from_slice(&load_halves(self.kv, value, dim / 2));
    }

    /// Values weighted relative to the largest score, that score, and the sum of the weights.
    fn attend(&self, q: &[f32], cells: &[usize], p: &Params) -> (Vec<f32>, f32, f64) {
        let dim = self.cells.head_dim;
        let scores: Vec<f32> = cells
            .iter()
            .map(|cell| {
                let score = dot(q, &self.keys[cell * dim..][..dim]) * p.scale;
                if p.softcap > 0.0 { p.softcap * soft_tanh(score / p.softcap) } else { score }
            })
            .collect();
        let top = scores.iter().copied().fold(-1e30, f32::max);
        let mut sum = 0.0f64;
        let mut mixed = vec![0.0f32; dim];
        for (score, cell) in scores.iter().zip(cells) {
            let weight = (score - top).exp();
            sum += f64::from(weight);
            let value = &self.values[cell * dim..][..dim];
            mixed.iter_mut().zip(value).for_each(|(m, v)| *m += weight * v);
        }
        (mixed, top, sum)
    }
}
