//! Matrix products in parts: groups of eight outputs.
//!
//! Few columns are multiplied as whole numbers ([`super::limbs`]), many as floats, by weights that are unpacked once. Sums of a
//! chunk are scaled once instead of every weight (`s·Σq·x + o·Σx`), so that results differ from the twins' by the order of
//! rounding: about 1e-6 of the largest.

use std::cell::Cell;

use super::limbs::{Limbs, Order};
use super::loops::FEW;
use super::row_work::apply;
use crate::cpu::Args;
use crate::cpu::activation::soft_tanh;
use crate::cpu::dequant::Planes;
use crate::cpu::matmul::{Epilogue, floats, planes};
use crate::cpu::rows::store;
use crate::format::Format;
use crate::ops::matmul::NO_EXPERT;
use crate::ops::matmul_soft::{NORM, SoftParams};

/// One product of `matmul_soft`, ready to be computed in parts.
pub(super) struct Product<'a> {
    pub(super) planes: Planes<'a>,
    pub(super) p: SoftParams,
    /// Chunks of activations, normed, `[columns][chunk]`: here where columns are few and weights are quants, else below.
    pub(super) limbs: Vec<Limbs>,
    pub(super) floats: Vec<[f32; 32]>,
    /// What every result of a column is multiplied by: 1 or the reciprocal of the root mean square.
    factors: Vec<f32>,
    /// First row group of each column's expert; none for a column that stays as it is.
    pub(super) experts: Vec<Option<usize>>,
    epilogue: Epilogue<'a>,
    /// Groups per output group: two where gate and up rows take turns.
    pub(super) step: usize,
    pub(super) k: usize,
}

impl<'a> Product<'a> {
    /// The product that a dispatch asks for; none if it is of another kernel.
    pub(super) fn of(args: &Args<'a>) -> Option<Self> {
        let shader = args.shader.shader();
        if shader.kernel != "matmul_soft" {
            return None;
        }
        let p: SoftParams = args.params();
        let k = p.n_chunk as usize * 32;
        let one = shader.name.ends_with("_one");
        let (x, norm, sel, bias, y, step) = match *args.bindings {
            [_, _, x, norm, bias, y, sel] if one => (x, norm, sel, bias, y, sel),
            [_, _, x, step, bias, y] if !one => (x, x, x, bias, y, step),
            _ => return None,
        };
        let planes = planes(args, args.bindings[0], args.bindings[1], p.n_chunk, p.n_unit)?;
        let n = if one {
            args.grid[1] as usize
        } else {
            step[usize::from(p.count_from == 1)].get().min(p.max_rows) as usize
        };
        let mut product = Self {
            planes,
            p,
            limbs: Vec::new(),
            floats: Vec::new(),
            factors: vec![1.0; n],
            experts: vec![Some(0); n],
            epilogue: Epilogue::new(bias, y, (p.act, p.flags, p.softcap)),
            step: if p.glu == 1 { 2 } else { 1 },
            k,
        };
        let x = if one { product.slots(n, x, norm, sel) } else { floats(&x[..n * k]) };
        product.take(&x);
        Some(product)
    }

    /// The columns of slots, and which expert each has.
    fn slots(&mut self, n: usize, x: &[Cell<u32>], norm: &[Cell<u32>], sel: &[Cell<u32>]) -> Vec<f32> {
        let (p, k) = (self.p, self.k);
        let mut columns = Vec::with_capacity(n * k);
        for slot in 0..n {
            let mut column = floats(&x[slot / p.x_slot_div as usize * k..][..k]);
            if p.flags & NORM != 0 {
                let square: f32 = column.chunks_exact(16).map(|c| c.iter().map(|v| v * v).sum::<f32>()).sum();
                self.factors[slot] = 1.0 / (square / k as f32 + p.eps).sqrt();
                column.iter_mut().zip(norm).for_each(|(x, w)| *x *= f32::from_bits(w.get()));
            }
            if p.by_expert == 1 {
                let expert = sel[slot].get();
                let first = (expert.min(p.n_expert - 1) * p.n_group) as usize;
                self.experts[slot] = (expert != NO_EXPERT).then_some(first);
            }
            columns.append(&mut column);
        }
        columns
    }

    /// Takes the columns in the form that the loops use.
    fn take(&mut self, x: &[f32]) {
        let chunks = x.as_chunks::<32>().0;
        let order = match self.planes.layout.format {
            Format::F32 => Order::Plain,
            Format::F16 | Format::Bf16 => Order::Pairs,
            _ => Order::Quants,
        };
        let few = self.p.by_expert == 1 || self.n_columns() <= FEW;
        if few && order == Order::Quants {
            self.limbs = chunks.iter().map(Limbs::of).collect();
        } else {
            self.floats = chunks.iter().map(|x| order.of(x)).collect();
        }
    }

    /// Columns; each has a right-hand side of its own.
    pub(super) fn n_columns(&self) -> usize {
        self.factors.len()
    }

    /// Groups of eight outputs.
    pub(super) fn n_groups(&self) -> usize {
        self.p.n_rows.div_ceil(8) as usize
    }

    /// Multiplications of one group of outputs, of all columns.
    pub(super) fn group_cost(&self) -> usize {
        8 * self.k * self.step * self.n_columns()
    }

    /// Stores the sums of a group of outputs, `[gate, up][column][8]`.
    #[inline(always)]
    pub(super) fn store_group(&self, i: usize, sums: &[f32]) {
        let (p, n) = (&self.p, self.n_columns());
        let (gates, ups) = sums.split_at(8 * n);
        for (column, gates) in gates.as_chunks::<8>().0.iter().enumerate() {
            if self.experts[column].is_none() {
                continue;
            }
            let (row0, n_row) = (p.row0 as usize + 8 * i, (p.n_rows as usize - 8 * i).min(8));
            let y = &self.epilogue.y[column * p.y_stride as usize + row0..][..n_row];
            let mut values = gates.map(|v| v * self.factors[column]);
            if p.glu == 1 {
                apply(p.act, &mut values);
                for (v, up) in values.iter_mut().zip(&ups[column * 8..]) {
                    *v *= up * self.factors[column];
                }
            } else {
                self.end(&mut values, row0, y);
            }
            store(y, 0, &values);
        }
    }

    /// What happens to sums before they are stored in `y`.
    #[inline(always)]
    fn end(&self, values: &mut [f32; 8], row: usize, y: &[Cell<u32>]) {
        let epilogue = &self.epilogue;
        let add = |values: &mut [f32; 8], words: &[Cell<u32>]| {
            values.iter_mut().zip(words).for_each(|(v, word)| *v += f32::from_bits(word.get()));
        };
        if let Some(bias) = epilogue.bias {
            add(values, &bias[row..][..y.len()]);
        }
        apply(epilogue.act, values);
        if let Some(cap) = epilogue.softcap {
            values.iter_mut().for_each(|v| *v = cap * soft_tanh(*v / cap));
        }
        if epilogue.add {
            add(values, y);
        }
    }
}
