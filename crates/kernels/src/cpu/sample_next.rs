//! Twin of `sample.wgsl` where it also makes the next step.

use super::Args;
use super::sample::choose;
use super::words::{nth, read, write};
use crate::ops::sample::Params;
use crate::sampling::{HISTORY_HEADER, OutToken, RowStats};
use crate::step::{Header, IDENTITY, ROWS_OFFSET, Row};

pub(super) fn sample_next(args: &Args<'_>) {
    let [step, params, stats, best, table, history, ring] = args.bindings else { return };
    let p: Params = args.params();
    let row_stats: RowStats = nth(stats, 0);
    let pick = choose(step, 0, &nth(params, 0), &row_stats, best, p.n_vocab);
    let mut header: Header = read(step, 0);
    let entropy = row_stats.entropy;
    let out = OutToken { token: pick.token, logprob: pick.logprob, flags: pick.flags, entropy };
    write(ring, (header.n_out % p.ring_capacity) as usize * size_of::<OutToken>() / 4, out);
    header.n_out = header.n_out.wrapping_add(1);
    write(step, 0, header);

    let first = ROWS_OFFSET as usize / 4;
    let mut row: Row = read(step, first);
    row.hi = row.hi.wrapping_add(1);
    row.token = pick.token;
    row.mix_len = 0;
    row.pos = row.pos.wrapping_add(1);
    let entry = row.hi.wrapping_sub(1);
    row.cell = if row.table == IDENTITY {
        row.base.wrapping_add(entry)
    } else {
        table[(row.table.wrapping_add(entry) as usize).min(table.len() - 1)].get()
    };
    if header.window > 0 && row.hi > header.window {
        row.lo_swa = row.lo_swa.max(row.hi - header.window);
    }
    write(step, first, row);

    let capacity = history[1].get().min(p.history_words - HISTORY_HEADER as u32);
    if capacity > 0 {
        let n = history[0].get();
        history[HISTORY_HEADER + (n % capacity) as usize].set(pick.token);
        history[0].set(n.wrapping_add(1));
    }
}
