//! Twin of `walk.wgsl`.

use std::cell::Cell;

use super::Args;
use super::words::{n_want, nth, read, write};
use crate::ops::walk::Params;
use crate::sampling::{Picked, RowStats};
use crate::step::{Header, ROWS_OFFSET, Row, WANT_OFFSET};
use crate::walking::{NO_ROW, TREE_HEADER, TREE_ROWS, Trodden, Walked};

pub(super) fn walk(args: &Args<'_>) {
    let [step, stats, picked, tree, walked] = args.bindings else { return };
    let p: Params = args.params();
    let n_want = n_want(step, p.n_want);
    let wanted = &step[WANT_OFFSET as usize / 4..][..n_want];
    let mut bad =
        (0..n_want).map(|w| nth::<RowStats>(stats, w).bad).find(|bad| *bad != 0).unwrap_or_default();
    let (mut at, mut n) = (tree[0].get(), 0);
    while n < n_want {
        let Some(w) = wanted.iter().position(|row| row.get() == at) else { break };
        let row: RowStats = nth(stats, w);
        let (mut token, mut logprob) = (row.argmax, row.max - row.log_sum_exp);
        if tree[3].get() != 0 {
            let pick: Picked = nth(picked, w);
            (token, logprob) = (pick.token, pick.logprob);
            if bad == 0 && pick.flags != 0 {
                bad = NO_ROW;
            }
        }
        token = token.min(p.n_vocab - 1);
        write(
            walked,
            (size_of::<Walked>() + n * size_of::<Trodden>()) / 4,
            Trodden { row: at, token, logprob },
        );
        n += 1;
        at = child(step, tree, at, token);
    }
    write(walked, 0, Walked { n: n as u32, next: at, thrown: tree[1].get(), bad });
}

/// The guess under a row with a token.
fn child(step: &[Cell<u32>], tree: &[Cell<u32>], row: u32, token: u32) -> u32 {
    let n = read::<Header>(step, 0).n_rows.min(TREE_ROWS as u32);
    let first = ROWS_OFFSET as usize / 4;
    let of = |r: &u32| {
        let at = *r as usize;
        let entry: Row = read(step, first + at * size_of::<Row>() / 4);
        tree[TREE_HEADER + at].get() == row && entry.token == token
    };
    (row.saturating_add(1)..n).find(of).unwrap_or(NO_ROW)
}
