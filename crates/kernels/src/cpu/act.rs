//! Twin of `act`.

use super::Args;
use super::activation::{gelu_tanh, silu};
use super::rows::{load, n_rows, store};
use crate::ops::act::Params;

pub(super) fn act(args: &Args<'_>) {
    let &[x, out, step] = args.bindings else { return };
    let p: Params = args.params();
    let gated = args.override_value("GATED") != 0.0;
    let function: fn(f32) -> f32 = match args.override_value("ACT") as u32 {
        1 => silu,
        2 => gelu_tanh,
        _ => |v| v,
    };
    let n = p.n as usize;
    let rows = (n_rows(step, u32::MAX) * p.per_row as usize).min(args.grid[1] as usize);
    for row in 0..rows {
        let from = row * p.x_stride as usize;
        let values: Vec<f32> = if gated {
            let x = load(x, from, n.div_ceil(8) * 16);
            (0..n).map(|i| function(x[i / 8 * 16 + i % 8]) * x[i / 8 * 16 + i % 8 + 8]).collect()
        } else {
            load(x, from, n).into_iter().map(function).collect()
        };
        store(out, row * p.out_stride as usize, &values);
    }
}
