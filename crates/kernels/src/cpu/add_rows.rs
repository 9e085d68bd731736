//! Twin of `add_rows`.

use super::Args;
use super::rows::{load, n_rows, store};
use crate::ops::add_rows::{ALL_ROWS, Params};

pub(super) fn add_rows(args: &Args<'_>) {
    let &[x, v, list, step] = args.bindings else { return };
    let p: Params = args.params();
    let list = &list[..p.n_list as usize];
    let all = list[0].get() == ALL_ROWS;
    for row in 0..n_rows(step, args.grid[1]) {
        let named = list.iter().position(|entry| entry.get() as usize == row);
        let Some(entry) = (if all { Some(row) } else { named }) else { continue };
        let v = load(v, entry.min(p.n_v_rows as usize - 1) * p.v_stride as usize, p.n as usize);
        let at = row * p.x_stride as usize;
        let mut sum = load(x, at, p.n as usize);
        sum.iter_mut().zip(&v).for_each(|(x, v)| *x += p.scale * v);
        store(x, at, &sum);
    }
}
