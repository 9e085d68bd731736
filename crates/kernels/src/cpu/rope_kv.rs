//! Twin of `rope_kv`.

use std::cell::Cell;

use super::Args;
use super::rows::{inverse_rms, load, n_rows, pack, row, store};
use crate::ops::rope_kv::Params;

pub(super) fn rope_kv(args: &Args<'_>) {
    let &[qkv, q_norm, k_norm, rope, kv, step] = args.bindings else { return };
    let p: Params = args.params();
    let norm = args.override_value("QK_NORM") as u32;
    let turn = Turn::of(args, rope, p.n_rot, p.n_pos);
    let dim = p.head_dim as usize;
    let (q_width, kv_width) = (p.n_head as usize * dim, p.n_head_kv as usize * dim);
    for index in 0..n_rows(step, args.grid[1]) {
        let step_row = row(step, index);
        let at = index * p.stride as usize;
        let mut q = load(qkv, at, q_width);
        let mut k = load(qkv, at + q_width, kv_width);
        let v = load(qkv, at + q_width + kv_width, kv_width);
        for (heads, weight) in [(&mut q, q_norm), (&mut k, k_norm)] {
            normed(heads, weight, norm, dim, p.eps);
            let cosines = turn.row(step_row.pos);
            heads.chunks_exact_mut(dim).for_each(|head| turn.apply(head, &cosines));
        }
        store(qkv, at, &q);
        let cell = step_row.cell.min(p.n_cells - 1) as usize * kv_width;
        for (word, pair) in kv[cell..].iter().zip(k.as_chunks::<2>().0.iter().chain(v.as_chunks::<2>().0)) {
            word.set(pack(pair[0], pair[1]));
        }
    }
}

fn normed(heads: &mut [f32], weight: &[Cell<u32>], norm: u32, dim: usize, eps: f32) {
    let width = match norm {
        1 => dim,
        2 => heads.len(),
        _ => return,
    };
    let weight = load(weight, 0, width);
    for run in heads.chunks_exact_mut(width) {
        let scale = inverse_rms(run, eps);
        for (v, w) in run.iter_mut().zip(&weight) {
            *v *= scale * w;
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
