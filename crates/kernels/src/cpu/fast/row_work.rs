//! What is done to every row alike, in parts: rows.

use std::cell::Cell;
use std::ops::Range;

use super::exp::{gelu_tanh, silu};
use crate::cpu::Args;
use crate::cpu::rows::{load, n_rows, store};
use crate::cpu::words::n_want;
use crate::ops::{act, norm};

/// A dispatch of `act`.
pub(super) struct Act<'a> {
    x: &'a [Cell<u32>],
    out: &'a [Cell<u32>],
    p: act::Params,
    function: u32,
    gated: bool,
    pub(super) n_rows: usize,
}

impl<'a> Act<'a> {
    pub(super) fn of(args: &Args<'a>) -> Option<Self> {
        let &[x, out, step] = args.bindings else { return None };
        let p: act::Params = args.params();
        let n_rows = (n_rows(step, u32::MAX) * p.per_row as usize).min(args.grid[1] as usize);
        let [function, gated] = ["ACT", "GATED"].map(|name| args.override_value(name) as u32);
        Some(Self { x, out, p, function, gated: gated != 0, n_rows })
    }

    /// An exponential takes as long as some twenty products.
    pub(super) const fn row_cost(&self) -> usize {
        20 * self.p.n as usize
    }

    #[inline(always)]
    pub(super) fn compute(&self, rows: Range<usize>) {
        let n = self.p.n as usize;
        for row in rows {
            let from = row * self.p.x_stride as usize;
            let (mut values, mut factors) = (Vec::with_capacity(n + 8), Vec::with_capacity(n + 8));
            if self.gated {
                for pair in load(self.x, from, n.div_ceil(8) * 16).as_chunks::<16>().0 {
                    values.extend_from_slice(&pair[..8]);
                    factors.extend_from_slice(&pair[8..]);
                }
            } else {
                values = load(self.x, from, n);
            }
            apply(self.function, &mut values);
            values.iter_mut().zip(&factors).for_each(|(v, factor)| *v *= factor);
            store(self.out, row * self.p.out_stride as usize, &values[..n]);
        }
    }
}

/// The function of a number in the parameters of kernels, on every value.
#[inline(always)]
pub(super) fn apply(function: u32, values: &mut [f32]) {
    match function {
        1 => values.iter_mut().for_each(|v| *v = silu(*v)),
        2 => values.iter_mut().for_each(|v| *v = gelu_tanh(*v)),
        _ => {}
    }
}

/// A dispatch of `norm`.
pub(super) struct Norm<'a> {
    x: &'a [Cell<u32>],
    out: &'a [Cell<u32>],
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    layer: bool,
    add: bool,
    p: norm::Params,
    pub(super) n_rows: usize,
}

impl<'a> Norm<'a> {
    pub(super) fn of(args: &Args<'a>) -> Option<Self> {
        let &[x, weight, bias, out, step] = args.bindings else { return None };
        let p: norm::Params = args.params();
        let on = |name| args.override_value(name) != 0.0;
        let n_rows = if p.count_from == 1 { n_want(step, args.grid[0]) } else { n_rows(step, args.grid[0]) };
        let n = p.n as usize;
        let bias = on("BIAS").then(|| load(bias, 0, n));
        Some(Self { x, out, weight: load(weight, 0, n), bias, layer: on("LAYER"), add: on("ADD"), p, n_rows })
    }

    pub(super) const fn row_cost(&self) -> usize {
        10 * self.p.n as usize
    }

    #[inline(always)]
    pub(super) fn compute(&self, rows: Range<usize>) {
        let n = self.p.n as usize;
        for row in rows {
            let mut x = load(self.x, row * self.p.x_stride as usize, n);
            if self.layer {
                let mean = (sum(&x, f64::from) / n as f64) as f32;
                x.iter_mut().for_each(|v| *v -= mean);
            }
            let scale = scale_to_one(&x, self.p.eps);
            x.iter_mut().zip(&self.weight).for_each(|(v, w)| *v = *v * scale * w);
            if let Some(bias) = &self.bias {
                x.iter_mut().zip(bias).for_each(|(v, b)| *v += b);
            }
            let to = row * self.p.out_stride as usize;
            if self.add {
                x.iter_mut().zip(load(self.out, to, n)).for_each(|(v, before)| *v += before);
            }
            store(self.out, to, &x);
        }
    }
}

/// The reciprocal of the root mean square.
#[inline(always)]
pub(super) fn scale_to_one(x: &[f32], eps: f32) -> f32 {
    let square = sum(x, |v| f64::from(v) * f64::from(v));
    (1.0 / (square / x.len() as f64 + f64::from(eps)).sqrt()) as f32
}

/// The sum of a term of every element, eight side by side.
#[inline(always)]
fn sum(x: &[f32], term: impl Fn(f32) -> f64) -> f64 {
    let (chunks, rest) = x.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for chunk in chunks {
        for l in 0..8 {
            sums[l] += term(chunk[l]);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|v| term(*v)).sum::<f64>()
}
