//! The matrix products again, made for speed: what the twins compute, in loops that become vector code, cut into parts
//! that threads can take.
//!
//! Few columns are multiplied as whole numbers ([`limbs`]), many as floats, by weights that are unpacked once. Sums of a chunk
//! are scaled once instead of every weight (`s·Σq·x + o·Σx`), so that results differ from the twins' by the order of
//! rounding: about 1e-6 of the largest.

#![allow(clippy::needless_range_loop, reason = "plain loops over arrays are what becomes vector code")]

mod affine;
#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
mod limbs;
mod loops;
pub mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub mod simd128;
mod unpack;
mod words;

use std::cell::Cell;

use limbs::{Limbs, Order};
use loops::FEW;

use super::Args;
use super::dequant::Planes;
use super::matmul::{Epilogue, floats, planes};
use crate::format::Format;
use crate::ops::matmul::NO_EXPERT;
use crate::ops::matmul_soft::{NORM, SoftParams};

/// One product of `matmul_soft`, ready to be computed in parts.
pub struct Product<'a> {
    planes: Planes<'a>,
    p: SoftParams,
    /// Chunks of activations, normed, `[columns][chunk]`: here where columns are few and weights are quants, else below.
    limbs: Vec<Limbs>,
    floats: Vec<[f32; 32]>,
    /// What every result of a column is multiplied by: 1 or the reciprocal of the root mean square.
    factors: Vec<f32>,
    /// First row group of each column's expert; none for a column that stays as it is.
    experts: Vec<Option<usize>>,
    epilogue: Epilogue<'a>,
    /// Groups per output group: two where gate and up rows take turns.
    step: usize,
    k: usize,
}

impl<'a> Product<'a> {
    /// The product that a dispatch asks for; none if it is of another kernel.
    #[must_use]
    pub fn of(args: &Args<'a>) -> Option<Self> {
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
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.factors.len()
    }

    /// Groups of eight outputs.
    #[must_use]
    pub fn n_groups(&self) -> usize {
        self.p.n_rows.div_ceil(8) as usize
    }

    /// Multiplications of one group of outputs, of all columns.
    #[must_use]
    pub fn group_cost(&self) -> usize {
        8 * self.k * self.step * self.n_columns()
    }

    /// Stores the sums of a group of outputs, `[gate, up][column][8]`.
    fn store_group(&self, i: usize, sums: &[f32]) {
        let (p, n) = (&self.p, self.n_columns());
        for column in (0..n).filter(|column| self.experts[*column].is_some()) {
            let (first, factor) = (column * p.y_stride as usize + p.row0 as usize, self.factors[column]);
            for r in 0..8 {
                let row = 8 * i + r;
                if row >= p.n_rows as usize {
                    break;
                }
                let sum = sums[column * 8 + r] * factor;
                if p.glu == 1 {
                    let up = sums[(n + column) * 8 + r] * factor;
                    self.epilogue.y[first + row].set((self.epilogue.act(sum) * up).to_bits());
                } else {
                    self.epilogue.store(sum, p.row0 as usize + row, first + row);
                }
            }
        }
    }
}
