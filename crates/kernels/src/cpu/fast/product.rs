//! Matrix products in parts: groups of eight outputs.
//!
//! Where processors multiply bytes, all columns are (`digits`, `vnni`). Elsewhere few columns are multiplied as whole numbers
//! ([`super::limbs`]), many as floats, by weights that are unpacked once. Sums of a chunk are scaled once instead of every
//! weight (`s·Σq·x + o·Σx`), so that results differ from the twins' by the order of rounding: about 1e-6 of the largest.

use std::cell::Cell;

#[cfg(any(target_arch = "x86_64", target_feature = "relaxed-simd"))]
use super::digits::new_product;
use super::limbs::{Limbs, Order};
use super::loops::FEW;
use super::row_work::{apply, scale_to_one};
use crate::cpu::Args;
use crate::cpu::activation::soft_tanh;
use crate::cpu::dequant::Planes;
use crate::cpu::matmul::{Epilogue, floats, in_bytes, planes};
use crate::cpu::rows::store;
use crate::format::Format;
use crate::ops::matmul::NO_EXPERT;
use crate::ops::matmul_soft::{NORM, SoftParams};

/// The quants that a kind of vectors multiplies by digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each target has some of these kinds")]
pub(super) enum ByDigits {
    None,
    /// Those that fit seven bits without a sign, by one group of outputs at a time.
    SevenBits,
    /// All, by two groups at a time.
    All,
}

impl ByDigits {
    pub(super) const fn takes(self, format: Format) -> bool {
        match format {
            Format::F32 | Format::F16 | Format::Bf16 => false,
            Format::Q8 | Format::Iq4 => matches!(self, Self::All),
            _ => !matches!(self, Self::None),
        }
    }
}

/// One product of `matmul_soft`, ready to be computed in parts.
pub(super) struct Product<'a> {
    pub(super) planes: Planes<'a>,
    pub(super) p: SoftParams,
    /// Chunks of activations, normed, `[columns][chunk]`: here where columns are few or in bytes and weights are quants, else below.
    pub(super) limbs: Vec<Limbs>,
    pub(super) floats: Vec<[f32; 32]>,
    /// The same before it is taken as digits, whatever the number of columns, where the processor multiplies bytes and weights are quants.
    pub(super) columns: Vec<f32>,
    /// Further columns, as they lie in memory.
    pub(super) rows: &'a [Cell<u32>],
    /// Whose digits threads have.
    #[cfg(any(target_arch = "x86_64", target_feature = "relaxed-simd"))]
    pub(super) id: u64,
    /// First row group of each column's expert; none for a column that stays as it is.
    pub(super) experts: Vec<Option<usize>>,
    epilogue: Epilogue<'a>,
    /// Groups per output group: two where gate and up rows take turns.
    pub(super) step: usize,
    pub(super) k: usize,
    /// Activations are bytes.
    pub(super) int8: bool,
    /// Groups of outputs of a part: digits are multiplied by two groups at once.
    part: usize,
}

impl<'a> Product<'a> {
    /// The product that a dispatch asks for, by digits where they take the weights; none if it is of another kernel.
    #[inline(always)]
    pub(super) fn of(args: &Args<'a>, by_digits: ByDigits) -> Option<Self> {
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
        let planes = planes(args, args.bindings[0], args.bindings[1], p.w_chunk, p.n_unit)?;
        let n = if one {
            args.grid[1] as usize
        } else {
            step[usize::from(p.count_from == 1)].get().min(p.max_rows) as usize
        };
        let step = if p.glu == 1 { 2 } else { 1 };
        let bytes = by_digits.takes(planes.layout.format);
        let mut product = Self {
            int8: in_bytes(p.flags, &planes),
            planes,
            p,
            limbs: Vec::new(),
            floats: Vec::new(),
            columns: Vec::new(),
            rows: &[],
            #[cfg(any(target_arch = "x86_64", target_feature = "relaxed-simd"))]
            id: new_product(),
            experts: vec![Some(0); n],
            epilogue: Epilogue::new(bias, y, (p.act, p.flags, p.softcap)),
            step,
            k,
            part: if bytes && by_digits == ByDigits::All { 2 } else { 1 },
        };
        if one {
            let x = product.slots(n, x, norm, sel);
            product.take(x, bytes);
        } else if bytes {
            product.rows = &x[..n * k];
        } else {
            product.take(floats(&x[..n * k]), bytes);
        }
        Some(product)
    }

    /// The columns of slots, and which expert each has.
    #[inline(always)]
    fn slots(&mut self, n: usize, x: &[Cell<u32>], norm: &[Cell<u32>], sel: &[Cell<u32>]) -> Vec<f32> {
        let (p, k) = (self.p, self.k);
        let mut columns = Vec::with_capacity(n * k);
        for slot in 0..n {
            let mut column = floats(&x[slot / p.x_slot_div as usize * k..][..k]);
            if p.flags & NORM != 0 {
                // As the norm of several rows, so that a row has the same bits alone and beside others.
                let scale = scale_to_one(&column, p.eps);
                column.iter_mut().zip(norm).for_each(|(x, w)| *x = *x * scale * f32::from_bits(w.get()));
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
    #[inline(always)]
    fn take(&mut self, x: Vec<f32>, bytes: bool) {
        let chunks = x.as_chunks::<32>().0;
        let order = match self.planes.layout.format {
            Format::F32 => Order::Plain,
            Format::F16 | Format::Bf16 => Order::Pairs,
            _ => Order::Quants,
        };
        let few = self.int8 || self.p.by_expert == 1 || self.n_columns() <= FEW;
        // Plain loops: what an iterator calls would not be compiled with the module's instructions.
        if bytes {
            self.columns = x;
        } else if few && order == Order::Quants {
            self.limbs.reserve(chunks.len());
            for x in chunks {
                self.limbs.push(if self.int8 { Limbs::of_bytes(x) } else { Limbs::of(x) });
            }
        } else {
            self.floats.reserve(chunks.len());
            for x in chunks {
                self.floats.push(order.of(x));
            }
        }
    }

    /// Columns; each has a right-hand side of its own.
    pub(super) fn n_columns(&self) -> usize {
        self.experts.len()
    }

    /// Groups of eight outputs.
    pub(super) fn n_groups(&self) -> usize {
        self.p.n_rows.div_ceil(8) as usize
    }

    /// Parts: a group of outputs, or two. None where no column is wanted.
    pub(super) fn n_parts(&self) -> usize {
        if self.n_columns() == 0 { 0 } else { self.n_groups().div_ceil(self.part) }
    }

    /// Multiplications of a part, of all columns.
    pub(super) fn part_cost(&self) -> usize {
        8 * self.k * self.step * self.part * self.n_columns()
    }

    /// Stores the sums of a group of outputs, `[gate, up][column][beside][8]`: of `beside` groups the first.
    #[inline(always)]
    pub(super) fn store_group(&self, i: usize, sums: &[f32], beside: usize) {
        let (p, n) = (&self.p, self.n_columns());
        let sums = sums.as_chunks::<8>().0;
        for column in 0..n {
            if self.experts[column].is_none() {
                continue;
            }
            let (row0, n_row) = (p.row0 as usize + 8 * i, (p.n_rows as usize - 8 * i).min(8));
            let y = &self.epilogue.y[column * p.y_stride as usize + row0..][..n_row];
            let mut values = sums[column * beside];
            if p.glu == 1 {
                apply(p.act, &mut values);
                for (v, up) in values.iter_mut().zip(&sums[(n + column) * beside]) {
                    *v *= up;
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
