//! Twin of `copy_rows`.

use super::Args;
use super::rows::n_rows;
use super::words::n_want;
use crate::ops::copy_rows::Params;
use crate::step::{MAX_WANT, WANT_OFFSET};

pub(super) fn copy_rows(args: &Args<'_>) {
    let &[x, out, step] = args.bindings else { return };
    let p: Params = args.params();
    let gather = p.mode == 0;
    let count = if gather { n_want(step, args.grid[1]).min(MAX_WANT) } else { n_rows(step, args.grid[1]) };
    for i in 0..count {
        let row = if gather { step[WANT_OFFSET as usize / 4 + i].get() } else { i as u32 };
        let from = row.min(p.n_x_rows - 1) as usize * p.x_stride as usize;
        let to = (p.out_row as usize + i) * p.out_stride as usize;
        for c in 0..p.n as usize {
            out[to + c].set(x[from + c].get());
        }
    }
}
