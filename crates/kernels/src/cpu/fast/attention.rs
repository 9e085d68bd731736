//! Attention in parts: a row and a head of keys and values; with one row, a run of its entries and such a head.

use std::cell::Cell;

use super::exp::exp;
use crate::cpu::Args;
use crate::cpu::activation::soft_tanh;
use crate::cpu::attention::{one_query, visible_cells};
use crate::cpu::cell::CellLayout;
use crate::cpu::rows::{load, n_rows, row, store};
use crate::ops::attention::Params;

/// Entries of a run: enough that joining the runs costs little.
const RUN: usize = 128;
/// Most runs of a row.
const MAX_RUNS: usize = 16;
/// Heads have a multiple of this many elements: the longest vector of floats.
const LANES: usize = 16;

/// A dispatch of `attention`.
pub(super) struct Attention<'a> {
    pub(super) kv: &'a [Cell<u32>],
    qkv: &'a [Cell<u32>],
    out: &'a [Cell<u32>],
    p: Params,
    layout: CellLayout,
    pub(super) dim: usize,
    /// Heads of queries that share keys and values.
    pub(super) group: usize,
    /// The cells that each row sees.
    cells: Vec<Vec<usize>>,
    /// The query of a row whose entry was made here.
    query: Option<Vec<f32>>,
    n_run: usize,
    /// What the runs of a row leave, `[head][run]`: the mixture, the largest score, the sum of the weights. Empty with one run.
    left: Vec<Cell<f32>>,
}

/// What one part computes.
pub(super) struct Unit<'w> {
    row: usize,
    head_kv: usize,
    run: usize,
    pub(super) cells: &'w [usize],
}

impl<'a> Attention<'a> {
    pub(super) fn of(args: &Args<'a>) -> Option<Self> {
        let &[qkv, kv, table, step, out, ref entry @ ..] = args.bindings else { return None };
        let p: Params = args.params();
        let dim = 2 * p.half as usize;
        if !dim.is_multiple_of(LANES) || args.shader.shader().name.contains("_split") {
            return None;
        }
        let layout = CellLayout::of(args, p.n_head_kv as usize, dim);
        let query = one_query(&[qkv, kv, table, step], args, &p, &layout, entry);
        let rows = 0..n_rows(step, p.max_rows);
        let cells: Vec<_> = rows.map(|index| visible_cells(&row(step, index), table, &p)).collect();
        let n_run = if cells.len() == 1 { (cells[0].len() / RUN).clamp(1, MAX_RUNS) } else { 1 };
        let n_left = if n_run == 1 { 0 } else { p.n_head as usize * n_run * (dim + 2) };
        let group = (p.n_head / p.n_head_kv) as usize;
        Some(Self {
            kv,
            qkv,
            out,
            p,
            layout,
            dim,
            group,
            cells,
            query,
            n_run,
            left: vec![Cell::new(0.0); n_left],
        })
    }

    pub(super) fn n_units(&self) -> usize {
        self.cells.len() * self.p.n_head_kv as usize * self.n_run
    }

    pub(super) fn unit_cost(&self) -> usize {
        let seen: usize = self.cells.iter().map(Vec::len).sum();
        // Twice, for keys and for values, and as long again for halves, sums and exponentials.
        4 * self.group * self.dim * seen / (self.cells.len() * self.n_run).max(1)
    }

    pub(super) fn unit(&self, i: usize) -> Unit<'_> {
        let (run, i) = (i % self.n_run, i / self.n_run);
        let n_head_kv = self.p.n_head_kv as usize;
        let (row, head_kv) = (i / n_head_kv, i % n_head_kv);
        let cells = &self.cells[row];
        let bound = |run: usize| cells.len() * run / self.n_run;
        Unit { row, head_kv, run, cells: &cells[bound(run)..bound(run + 1)] }
    }

    /// Whether keys are floats instead of halves.
    pub(super) fn float_keys(&self) -> bool {
        self.layout.key(1) == self.dim
    }

    /// First word of the unit's key of a cell.
    pub(super) const fn key_at(&self, unit: &Unit<'_>, cell: usize) -> usize {
        self.layout.at(cell) + self.layout.key(unit.head_kv)
    }

    /// First word of the unit's value of a cell.
    pub(super) const fn value_at(&self, unit: &Unit<'_>, cell: usize) -> usize {
        self.layout.at(cell) + self.layout.value(unit.head_kv)
    }

    /// The queries of `n` heads from head `first` of the unit's group, with the scores' factor.
    pub(super) fn queries(&self, unit: &Unit<'_>, first: usize, n: usize) -> Vec<f32> {
        let at = (unit.head_kv * self.group + first) * self.dim;
        let mut queries = match &self.query {
            Some(query) => query[at..at + n * self.dim].to_vec(),
            None => load(self.qkv, unit.row * self.p.stride as usize + at, n * self.dim),
        };
        queries.iter_mut().for_each(|q| *q *= self.p.scale);
        queries
    }

    /// Makes weights of scores, relative to the largest, which is returned with their sum.
    #[inline(always)]
    pub(super) fn weigh(&self, scores: &mut [f32]) -> (f32, f32) {
        if self.p.softcap > 0.0 {
            scores.iter_mut().for_each(|score| *score = self.p.softcap * soft_tanh(*score / self.p.softcap));
        }
        let mut tops = [-1e30f32; LANES];
        for run in scores.chunks(LANES) {
            for (top, score) in tops.iter_mut().zip(run) {
                *top = if *score > *top { *score } else { *top };
            }
        }
        let top = tops.iter().fold(-1e30, |a: f32, b| a.max(*b));
        let mut sum = 0.0f64;
        // Sums of sums: one f32 sum of thousands of terms is a digit short.
        for run in scores.chunks_mut(LANES * LANES) {
            let mut sums = [0.0f32; LANES];
            for some in run.chunks_mut(LANES) {
                for (sum, score) in sums.iter_mut().zip(some) {
                    *score = exp(*score - top);
                    *sum += *score;
                }
            }
            sum += f64::from(sums.iter().sum::<f32>());
        }
        (top, sum as f32)
    }

    /// Stores the mixture of head `head` of the unit's group.
    pub(super) fn store(&self, unit: &Unit<'_>, head: usize, mixed: &mut [f32], (top, sum): (f32, f32)) {
        let head = unit.head_kv * self.group + head;
        if self.left.is_empty() {
            let norm = if sum > 0.0 { 1.0 / sum } else { 0.0 };
            mixed.iter_mut().for_each(|m| *m *= norm);
            store(self.out, unit.row * self.p.out_stride as usize + head * self.dim, mixed);
        } else {
            let left = &self.left[(head * self.n_run + unit.run) * (self.dim + 2)..][..self.dim + 2];
            left.iter().zip(mixed).for_each(|(left, m)| left.set(*m));
            left[self.dim].set(top);
            left[self.dim + 1].set(sum);
        }
    }

    /// Joins the runs.
    pub(super) fn merge(&self) {
        for (head, runs) in self.left.chunks_exact(self.n_run * (self.dim + 2)).enumerate() {
            let top = runs.chunks_exact(self.dim + 2).map(|run| run[self.dim].get()).fold(-1e30, f32::max);
            let mut mixed = vec![0.0f32; self.dim];
            let mut sum = 0.0;
            for run in runs.chunks_exact(self.dim + 2) {
                let weight = exp(run[self.dim].get() - top);
                sum += weight * run[self.dim + 1].get();
                mixed.iter_mut().zip(run).for_each(|(m, v)| *m += weight * v.get());
            }
            let norm = if sum > 0.0 { 1.0 / sum } else { 0.0 };
            mixed.iter_mut().for_each(|m| *m *= norm);
            store(self.out, head * self.dim, &mixed);
        }
    }
}
