//! Twin of `advance.wgsl`.

use super::Args;
use super::words::{nth, read, write};
use crate::ops::advance::Params;
use crate::sampling::{HISTORY_HEADER, OutToken, Picked, RowStats};
use crate::step::{Header, IDENTITY, ROWS_OFFSET, Row};

pub(super) fn advance(args: &Args<'_>) {
    let [step, picked, stats, table, history, ring] = args.bindings else { return };
    let p: Params = args.params();
    let pick: Picked = nth(picked, 0);
    let mut header: Header = read(step, 0);
    let entropy = nth::<RowStats>(stats, 0).entropy;
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
