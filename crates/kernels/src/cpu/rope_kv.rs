//! Twin of `rope_kv`.

use std::cell::Cell;

use super::Args;
use super::cell::CellLayout;
use super::rows::{inverse_rms, load, n_rows, row, store, store_halves};
use crate::ops::rope_kv::Params;

pub(super) fn rope_kv(args: &Args<'_>) {
    let &[qkv, qk_norm, rope, kv, step] = args.bindings else { return };
    let p: Params = args.params();
    let turn = Turn::of(args, rope, p.n_rot, p.n_pos);
    let norm = Norm { mode: args.override_value("QK_NORM") as u32, weight: qk_norm, eps: p.eps };
    let cells = CellLayout::of(args, p.n_head_kv as usize, p.head_dim as usize);
    for index in 0..n_rows(step, args.grid[1]) {
        let (step_row, at) = (row(step, index), index * p.stride as usize);
        let to = cells.at(step_row.cell.min(p.n_cells - 1) as usize);
        let q = enter(qkv, at, p.n_head as usize, &norm, &turn, step_row.pos, (kv, to, &cells));
        store(qkv, at, &q);
    }
}

/// RMSNorm of queries and keys: 0 none, 1 each head, 2 all heads together.
pub(super) struct Norm<'a> {
    pub(super) mode: u32,
    pub(super) weight: &'a [Cell<u32>],
    pub(super) eps: f32,
}

/// Stores key and value of the row at `at` of `qkv` in a cell of `kv`, and returns its query, normed and turned.
pub(super) fn enter(
    qkv: &[Cell<u32>],
    at: usize,
    n_head: usize,
    norm: &Norm<'_>,
    turn: &Turn<'_>,
    pos: u32,
    (kv, to, cells): (&[Cell<u32>], usize, &CellLayout),
) -> Vec<f32> {
    let dim = cells.head_dim;
    let (q_width, kv_width) = (n_head * dim, cells.n_head_kv * dim);
    let mut q = load(qkv, at, q_width);
    let mut k = load(qkv, at + q_width, kv_width);
    let v = load(qkv, at + q_width + kv_width, kv_width);
    let k_weight = if norm.mode == 2 { q_width } else { dim };
    let cosines = turn.row(pos);
    for (heads, weight) in [(&mut q, 0), (&mut k, k_weight)] {
        norm.apply(heads, weight, dim);
        heads.chunks_exact_mut(dim).for_each(|head| turn.apply(head, &cosines));
    }
    cells.store_keys(kv, to, &k);
    store_halves(kv, to + cells.value(0), &v);
    q
}

impl Norm<'_> {
    /// Norms heads by the weights from `from` on.
    fn apply(&self, heads: &mut [f32], from: usize, dim: usize) {
        let width = match self.mode {
            1 => dim,
            2 => heads.len(),
            _ => return,
        };
        let weight = load(self.weight, from, width);
        for run in heads.chunks_exact_mut(width) {
            let scale = inverse_rms(run, self.eps);
            for (v, w) in run.iter_mut().zip(&weight) {
                *v *= scale * w;
            }
        }
    }
}

/// Rotation of heads by a table.
pub(super) struct Turn<'a> {
    table: Option<&'a [Cell<u32>]>,
    neox: bool,
    half: usize,
    n_pos: u32,
}

impl<'a> Turn<'a> {
    /// The rotation of a dispatch with the overrides ROPE and NEOX.
    pub(super) fn of(args: &Args<'_>, table: &'a [Cell<u32>], n_rot: u32, n_pos: u32) -> Self {
        let on = |name| args.override_value(name) != 0.0;
        Self { table: on("ROPE").then_some(table), neox: on("NEOX"), half: n_rot as usize / 2, n_pos }
    }

    /// Cosines and sines of a position, alternating; empty without rotation.
    pub(super) fn row(&self, pos: u32) -> Vec<f32> {
        let first = pos.min(self.n_pos - 1) as usize * self.half * 2;
        self.table.map_or_else(Vec::new, |table| load(table, first, self.half * 2))
    }

    /// Turns one head.
    pub(super) fn apply(&self, head: &mut [f32], cosines: &[f32]) {
        for (j, [cos, sin]) in cosines.as_chunks::<2>().0.iter().enumerate() {
            let (a, b) = if self.neox { (j, j + self.half) } else { (2 * j, 2 * j + 1) };
            (head[a], head[b]) = (head[a] * cos - head[b] * sin, head[a] * sin + head[b] * cos);
        }
    }
}
