//! Twin of `moe_combine`.

use super::Args;
use super::rows::{load, n_rows, store};
use crate::ops::moe_combine::Params;

pub(super) fn moe_combine(args: &Args<'_>) {
    let &[x, y, weights, step] = args.bindings else { return };
    let p: Params = args.params();
    let (n, n_used) = (p.n as usize, p.n_used as usize);
    for row in 0..n_rows(step, args.grid[1]) {
        let mut sum = vec![0.0f32; n];
        for (s, weight) in load(weights, row * n_used, n_used).into_iter().enumerate() {
            let y = load(y, (row * n_used + s) * p.y_stride as usize, n);
            sum.iter_mut().zip(&y).for_each(|(sum, y)| *sum += weight * y);
        }
        let at = row * p.x_stride as usize;
        load(x, at, n).iter().zip(&mut sum).for_each(|(x, sum)| *sum += x);
        store(x, at, &sum);
    }
}
