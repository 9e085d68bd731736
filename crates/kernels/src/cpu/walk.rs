//! Twin of `walk.wgsl`.

use std::cell::Cell;

use super::Args;
use super::judge::{Dice, judge};
use super::sample::candidates;
use super::words::{n_want, nth, read, write};
use crate::ops::walk::Params;
use crate::sampling::{BANNED, CANDIDATES, Picked, RowStats};
use crate::step::{Header, ROWS_OFFSET, Row, WANT_OFFSET};
use crate::walking::{NO_ROW, TREE_HEADER, TREE_LISTS, TREE_ROWS, Trodden, Walked};

pub(super) fn walk(args: &Args<'_>) {
    let [step, stats, picked, tree, judged @ .., walked] = args.bindings else { return };
    let p: Params = args.params();
    let n_want = n_want(step, p.n_want);
    let wanted = &step[WANT_OFFSET as usize / 4..][..n_want];
    let mut bad =
        (0..n_want).map(|w| nth::<RowStats>(stats, w).bad).find(|bad| *bad != 0).unwrap_or_default();
    let (mut at, mut n) = (tree[0].get(), 0);
    let header: Header = read(step, 0);
    let seed = [header.seed_lo, header.seed_hi];
    let mut dice = Dice { seed, thrown: tree[1].get(), stream: tree[4].get() };
    while n < n_want {
        let Some(w) = wanted.iter().position(|row| row.get() == at) else { break };
        let row: RowStats = nth(stats, w);
        let (mut token, mut logprob) = (row.argmax, row.max - row.log_sum_exp);
        if tree[2].get() != 0 {
            let pick: Picked = nth(picked, w);
            (token, logprob) = (pick.token, pick.logprob);
            if bad == 0 && pick.flags != 0 {
                bad = NO_ROW;
            }
        }
        if let ([params, best], list) = (judged, list(tree, at, p.n_word as usize))
            && !list.is_empty()
        {
            let best = candidates(&best[w * CANDIDATES as usize * 2..][..CANDIDATES as usize * 2], p.n_vocab);
            let guesses = guesses(step, tree, at);
            token = judge(&best, (&nth(params, 0), &row, p.n_vocab), list, guesses, &mut dice);
            let listed = best.iter().find(|c| c.id == token);
            logprob = listed.map_or(BANNED, |c| c.logit - row.log_sum_exp);
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
    write(walked, 0, Walked { n: n as u32, next: at, thrown: dice.thrown, bad });
}

/// What the guesses under a row were drawn from: pairs of token and probability.
fn list(tree: &[Cell<u32>], row: u32, n_word: usize) -> &[Cell<u32>] {
    let row = row.min(TREE_ROWS as u32 - 1) as usize;
    let word = |row: usize| (tree[TREE_LISTS + row].get() as usize).min(n_word);
    let list = tree.get(word(row)..word(row + 1)).unwrap_or_default();
    &list[..list.len().min(2 * CANDIDATES as usize) / 2 * 2]
}

/// The guesses under a row in the order of their rows; behind the last row there may be one more, which has no row.
fn guesses<'t>(step: &'t [Cell<u32>], tree: &'t [Cell<u32>], row: u32) -> impl Iterator<Item = u32> + 't {
    let n = read::<Header>(step, 0).n_rows.min(TREE_ROWS as u32);
    let first = ROWS_OFFSET as usize / 4;
    let token = move |r: u32| read::<Row>(step, first + r as usize * size_of::<Row>() / 4).token;
    let under = (row.saturating_add(1)..n).filter(move |r| tree[TREE_HEADER + *r as usize].get() == row);
    let expected = (row.checked_add(1) == Some(n)).then(|| tree[3].get()).filter(|token| *token != NO_ROW);
    under.map(token).chain(expected)
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
