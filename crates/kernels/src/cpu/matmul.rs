//! Twins of `matmul_vec`, `matmul_rows`, `matmul_tile` and `matmul_soft`.

use std::cell::Cell;

use half::f16;

use super::Args;
use super::activation::{gelu_tanh, silu, soft_tanh};
use super::bytes;
use super::dequant::Planes;
use crate::format::{Format, PlaneLayout};
use crate::ops::matmul::{NO_EXPERT, VecParams};
use crate::ops::matmul_many::ManyParams;
use crate::ops::matmul_soft::{INT8, NORM, SoftParams};
use crate::ops::matmul_variants::format_of;

/// What a form makes of values before it multiplies them.
type Round = fn(&mut [f32]);

/// `y = epilogue(W x)`, one column per slot.
pub(super) fn vec(args: &Args<'_>) {
    let &[wq, ws, x, norm, bias, y, sel] = args.bindings else { return };
    let p: VecParams = args.params();
    let Some(planes) = planes(args, wq, ws, p.w_chunk, p.n_unit) else { return };
    let epilogue = Epilogue::new(bias, y, (p.act, p.flags, p.softcap));
    let norm = (args.override_value("NORM") != 0.0).then_some(norm);
    columns(&p, args.grid[1], &planes, x, norm, sel, &epilogue);
}

/// `y[m] = epilogue(W x[m])` for the rows of the step.
pub(super) fn many(args: &Args<'_>) {
    let &[wq, ws, x, bias, y, step] = args.bindings else { return };
    let p: ManyParams = args.params();
    let Some(planes) = planes(args, wq, ws, p.w_chunk, p.n_unit) else { return };
    let round: Round = match args.shader.shader().name.ends_with("_half") {
        true => |values| values.iter_mut().for_each(|v| *v = f16::from_f32(*v).to_f32()),
        false => |_| {},
    };
    rows(&p, &planes, x, step, (round, round), &Epilogue::new(bias, y, (p.act, p.flags, p.softcap)));
}

/// The form of [`vec`] for adapters that are CPUs.
pub(super) fn soft_one(args: &Args<'_>) {
    let &[wq, ws, x, norm, bias, y, sel] = args.bindings else { return };
    let p: SoftParams = args.params();
    let Some(planes) = planes(args, wq, ws, p.w_chunk, p.n_unit) else { return };
    let SoftParams { n_chunk, w_chunk, n_unit, n_group, n_rows, row0, by_expert, n_expert, glu, .. } = p;
    let SoftParams { x_slot_div, y_stride, eps, act, flags, softcap, .. } = p;
    let p = VecParams {
        n_chunk,
        w_chunk,
        n_unit,
        n_group,
        n_rows,
        row0,
        by_expert,
        n_expert,
        glu,
        x_slot_div,
        y_stride,
        eps,
        act,
        flags,
        softcap,
    };
    let norm = (flags & NORM != 0).then_some(norm);
    columns(&p, args.grid[1], &planes, x, norm, sel, &Epilogue::new(bias, y, (act, flags, softcap)));
}

/// The form of [`many`] for adapters that are CPUs.
pub(super) fn soft_eight(args: &Args<'_>) {
    let &[wq, ws, x, step, bias, y] = args.bindings else { return };
    let p: SoftParams = args.params();
    let Some(planes) = planes(args, wq, ws, p.w_chunk, p.n_unit) else { return };
    let SoftParams { n_chunk, w_chunk, n_unit, n_group, n_rows, row0, y_stride, .. } = p;
    let SoftParams { count_from, max_rows, act, flags, softcap, .. } = p;
    let p = ManyParams {
        n_chunk,
        w_chunk,
        n_unit,
        n_group,
        n_rows,
        row0,
        y_stride,
        count_from,
        max_rows,
        act,
        flags,
        softcap,
    };
    let round = if in_bytes(flags, &planes) { bytes::round } else { |_: &mut [f32]| {} };
    rows(&p, &planes, x, step, (round, |_| {}), &Epilogue::new(bias, y, (act, flags, softcap)));
}

fn columns(
    p: &VecParams,
    slots: u32,
    planes: &Planes<'_>,
    x: &[Cell<u32>],
    norm: Option<&[Cell<u32>]>,
    sel: &[Cell<u32>],
    epilogue: &Epilogue<'_>,
) {
    let glu = p.glu == 1;
    let k = p.n_chunk as usize * 32;
    let mut rows = vec![0.0; 8 * k];
    let mut ups = vec![0.0; if glu { 8 * k } else { 0 }];
    for slot in 0..slots {
        let mut first = 0;
        if p.by_expert == 1 {
            let expert = sel[slot as usize].get();
            if expert == NO_EXPERT {
                continue;
            }
            first = (expert.min(p.n_expert - 1) * p.n_group) as usize;
        }
        let mut x = floats(&x[(slot / p.x_slot_div) as usize * k..][..k]);
        let mut factor = 1.0;
        if let Some(norm) = norm {
            factor = 1.0 / (dot(&x, &x) / k as f32 + p.eps).sqrt();
            x.iter_mut().zip(norm).for_each(|(x, w)| *x *= f32::from_bits(w.get()));
        }
        if in_bytes(p.flags, planes) {
            x.iter_mut().for_each(|x| *x *= factor);
            factor = 1.0;
            bytes::round(&mut x);
        }
        let y_first = (slot * p.y_stride + p.row0) as usize;
        for i in 0..p.n_rows.div_ceil(8) as usize {
            group_rows(planes, first + if glu { 2 * i } else { i }, &mut rows);
            if glu {
                group_rows(planes, first + 2 * i + 1, &mut ups);
            }
            for (r, w) in rows.chunks_exact(k).enumerate() {
                let row = 8 * i + r;
                if row >= p.n_rows as usize {
                    break;
                }
                let sum = dot(w, &x) * factor;
                if glu {
                    let up = dot(&ups[r * k..][..k], &x) * factor;
                    epilogue.y[y_first + row].set((epilogue.act(sum) * up).to_bits());
                } else {
                    epilogue.store(sum, p.row0 as usize + row, y_first + row);
                }
            }
        }
    }
}

fn rows(
    p: &ManyParams,
    planes: &Planes<'_>,
    x: &[Cell<u32>],
    step: &[Cell<u32>],
    (round, round_weights): (Round, Round),
    epilogue: &Epilogue<'_>,
) {
    let k = p.n_chunk as usize * 32;
    let n = step[usize::from(p.count_from == 1)].get().min(p.max_rows) as usize;
    let mut x = floats(&x[..n * k]);
    round(&mut x);
    let mut rows = vec![0.0; 8 * k];
    for g in 0..p.n_group as usize {
        group_rows(planes, g, &mut rows);
        round_weights(&mut rows);
        for (r, w) in rows.chunks_exact(k).enumerate() {
            let row = 8 * g + r;
            if row >= p.n_rows as usize {
                break;
            }
            let row = p.row0 as usize + row;
            for (m, x) in x.chunks_exact(k).enumerate() {
                epilogue.store(dot(w, x), row, m * p.y_stride as usize + row);
            }
        }
    }
}

/// Whether activations are bytes: where the flags of `matmul_soft` say so and weights are quants.
pub(super) fn in_bytes(flags: u32, planes: &Planes<'_>) -> bool {
    flags & INT8 != 0 && planes.layout.format.weights_per_unit() != 0
}

/// The planes of the variant that `args` ask for.
pub(super) fn planes<'a>(
    args: &Args<'_>,
    wq: &'a [Cell<u32>],
    ws: &'a [Cell<u32>],
    n_chunk: u32,
    n_unit: u32,
) -> Option<Planes<'a>> {
    let format: Format = format_of(args.shader)?;
    Some(Planes { wq, ws, layout: PlaneLayout { n_group: 0, n_chunk, n_unit, format } })
}

/// All eight rows of a group, one after the other.
fn group_rows(planes: &Planes<'_>, g: usize, out: &mut [f32]) {
    let k = out.len() / 8;
    for c in 0..k / 32 {
        for r in 0..8 {
            out[r * k + c * 32..][..32].copy_from_slice(&planes.dequant(g, c, r));
        }
    }
}

pub(super) fn floats(words: &[Cell<u32>]) -> Vec<f32> {
    words.iter().map(|w| f32::from_bits(w.get())).collect()
}

/// Sixteen partial sums: the order that vector units add in.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    for (a, b) in a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0) {
        for (s, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *s += a * b;
        }
    }
    sums.iter().sum()
}

/// What happens to a sum before it is stored.
pub(super) struct Epilogue<'a> {
    pub(super) bias: Option<&'a [Cell<u32>]>,
    pub(super) y: &'a [Cell<u32>],
    pub(super) act: u32,
    pub(super) softcap: Option<f32>,
    pub(super) add: bool,
}

impl<'a> Epilogue<'a> {
    pub(super) fn new(
        bias: &'a [Cell<u32>],
        y: &'a [Cell<u32>],
        (act, flags, softcap): (u32, u32, f32),
    ) -> Self {
        let [add, biased, capped] = [1, 2, 4].map(|bit| flags & bit != 0);
        Self { bias: biased.then_some(bias), y, act, softcap: capped.then_some(softcap), add }
    }

    pub(super) fn act(&self, v: f32) -> f32 {
        match self.act {
            1 => silu(v),
            2 => gelu_tanh(v),
            _ => v,
        }
    }

    pub(super) fn store(&self, sum: f32, row: usize, at: usize) {
        let mut v = sum + self.bias.map_or(0.0, |bias| f32::from_bits(bias[row].get()));
        v = self.act(v);
        if let Some(cap) = self.softcap {
            v = cap * soft_tanh(v / cap);
        }
        if self.add {
            v += f32::from_bits(self.y[at].get());
        }
        self.y[at].set(v.to_bits());
    }
}
