//! Twin of `embed`.

use super::Args;
use super::matmul::planes;
use crate::ops::embed::EmbedParams;
use crate::step::{IDENTITY, MAX_WANT};

/// Words before the rows of the step buffer, words per row, and the fields read here.
const ROWS: usize = 16 + MAX_WANT;
const ROW_WORDS: usize = 16;
const TOKEN: usize = 0;
const POS: usize = 1;
const MIX_START: usize = 12;
const MIX_LEN: usize = 13;

/// `x[row] = scale · Σ w · E[id]`.
pub(super) fn embed(args: &Args<'_>) {
    let &[wq, ws, mix, step, x] = args.bindings else { return };
    let p: EmbedParams = args.params();
    let Some(planes) = planes(args, wq, ws, p.w_chunk, p.n_unit) else { return };
    let position = args.override_value("SOURCE") == 1.0;
    let always_add = args.override_value("ADD") != 0.0;
    let k = p.w_chunk as usize * 32;
    let part_row = |id: u32| id.min(p.n_vocab - 1).checked_sub(p.row0).filter(|row| *row < p.n_rows);
    for row in 0..step[0].get().min(args.grid[1]) as usize {
        let field = |i: usize| step[ROWS + row * ROW_WORDS + i].get();
        let mix_len = if position { 0 } else { field(MIX_LEN) };
        if mix_len == IDENTITY {
            continue;
        }
        let mut terms: Vec<(u32, f32)> = Vec::new();
        let mut add = always_add;
        if mix_len > 0 {
            let begin = field(MIX_START).min(p.n_mix);
            let end = begin + mix_len.min(p.n_mix - begin);
            let pair = |i: u32| (mix[2 * i as usize].get(), f32::from_bits(mix[2 * i as usize + 1].get()));
            terms.extend((begin..end).map(pair).filter_map(|(id, w)| Some((part_row(id)?, w))));
            add |= p.first == 0;
        } else {
            match part_row(field(if position { POS } else { TOKEN })) {
                Some(id) => terms.push((id, 1.0)),
                None => continue,
            }
        }
        for c in 0..p.w_chunk as usize {
            let mut sum = [0.0f32; 32];
            for &(id, w) in &terms {
                let e = planes.dequant(id as usize / 8, c, id as usize % 8);
                sum.iter_mut().zip(e).for_each(|(s, e)| *s += e * w);
            }
            for (cell, v) in x[row * k + c * 32..][..32].iter().zip(sum) {
                let old = if add { f32::from_bits(cell.get()) } else { 0.0 };
                cell.set((old + v * p.scale).to_bits());
            }
        }
    }
}
