//! Twin of `norm`.

use super::Args;
use super::rows::{inverse_rms, load, n_rows, store};
use super::words::n_want;
use crate::ops::norm::Params;

pub(super) fn norm(args: &Args<'_>) {
    let &[x, g, b, out, step] = args.bindings else { return };
    let p: Params = args.params();
    let on = |name| args.override_value(name) != 0.0;
    let (layer, bias, add) = (on("LAYER"), on("BIAS"), on("ADD"));
    let count = if p.count_from == 1 { n_want(step, args.grid[0]) } else { n_rows(step, args.grid[0]) };
    let n = p.n as usize;
    let g = load(g, 0, n);
    let b = if bias { load(b, 0, n) } else { vec![0.0; n] };
    for row in 0..count {
        let mut x = load(x, row * p.x_stride as usize, n);
        if layer {
            let mean = (x.iter().map(|v| f64::from(*v)).sum::<f64>() / n as f64) as f32;
            x.iter_mut().for_each(|v| *v -= mean);
        }
        let scale = inverse_rms(&x, p.eps);
        let to = row * p.out_stride as usize;
        let before = if add { load(out, to, n) } else { vec![0.0; n] };
        for i in 0..n {
            x[i] = x[i] * scale * g[i] + b[i] + before[i];
        }
        store(out, to, &x);
    }
}
