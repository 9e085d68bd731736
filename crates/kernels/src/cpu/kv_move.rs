//! Twin of `kv_move`: the moves one after the other.

use super::Args;
use super::cell::CellLayout;
use super::rope_kv::Turn;
use super::words::read;
use crate::ops::kv_move::{Move, Params};

pub(super) fn kv_move(args: &Args<'_>) {
    let &[kv, moves, rope] = args.bindings else { return };
    let p: Params = args.params();
    let turn = Turn::of(args, rope, p.n_rot, p.n_pos);
    let cells = CellLayout::of(args, p.n_head_kv as usize, p.head_dim as usize);
    for i in 0..moves[0].get().min(p.max_moves) as usize {
        let m: Move = read(moves, 4 + 4 * i);
        let [src, dst] = [m.src, m.dst].map(|cell| cells.at(cell.min(p.n_cells - 1) as usize));
        for w in 0..cells.words() {
            kv[dst + w].set(kv[src + w].get());
        }
        let cosines =
            if m.delta == 0 { Vec::new() } else { unit(turn.row(m.delta.unsigned_abs()), m.delta < 0) };
        if cosines.is_empty() {
            continue;
        }
        for head in 0..cells.n_head_kv {
            let at = dst + cells.key(head);
            // Elements that do not turn keep their bits: there are as many angles as elements that do.
            let mut k = cells.load_keys(kv, at, cosines.len());
            turn.apply(&mut k, &cosines);
            cells.store_keys(kv, at, &k);
        }
    }
}

/// The row as a pure rotation, backwards if asked: a table may carry an attention factor, which the keys already have.
fn unit(mut cosines: Vec<f32>, backwards: bool) -> Vec<f32> {
    for [cos, sin] in cosines.as_chunks_mut::<2>().0 {
        let length = (*cos * *cos + *sin * *sin).max(1e-20).sqrt();
        *cos /= length;
        *sin /= if backwards { -length } else { length };
    }
    cosines
}
