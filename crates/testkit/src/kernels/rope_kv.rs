//! `rope_kv` against rotations of complex numbers by exact angles.

use goldcrest_kernels::ops::rope_kv::{HeadShape, KeyType, Pairing, QkNorm, Rope, RopeKvArgs, rope_kv};
use serde::Deserialize;

use super::case::{Bound, Case, bits};
use super::cells;
use super::compare::Compare;
use super::random::Values;
use super::row::{Row, RowError};
use super::step;

pub(super) const EPS: f32 = 1e-6;
const BASE: f64 = 10_000.0;

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Norm {
    #[default]
    None,
    Head,
    All,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    /// Query heads, key heads, elements of a head.
    heads: [u32; 3],
    rows: u32,
    /// Leading elements that turn; 0 for no rotation.
    n_rot: u32,
    #[serde(default)]
    neox: bool,
    #[serde(default)]
    norm: Norm,
    #[serde(default)]
    values: Values,
    /// Keys as floats.
    #[serde(default)]
    wide: bool,
    /// Position and cell beyond every end in the last row.
    #[serde(default)]
    hostile: bool,
}

/// Cosines and sines as a host makes them.
pub(super) fn table(n_pos: u32, n_rot: u32) -> Vec<f32> {
    let angle = |pos: u32, j: u32| angle(pos.into(), j, n_rot);
    let row =
        |pos| (0..n_rot / 2).flat_map(move |j| [angle(pos, j).cos() as f32, angle(pos, j).sin() as f32]);
    (0..n_pos).flat_map(row).collect()
}

/// The angle of pair `j` at a position.
pub(super) fn angle(pos: f64, j: u32, n_rot: u32) -> f64 {
    pos * BASE.powf(-2.0 * f64::from(j) / f64::from(n_rot))
}

/// Turns the leading `n_rot` elements of a head by a number of positions, as complex numbers.
pub(super) fn turn(head: &mut [f64], pos: f64, n_rot: u32, neox: bool) {
    let half = n_rot as usize / 2;
    for j in 0..half {
        let (re, im) = if neox { (j, j + half) } else { (2 * j, 2 * j + 1) };
        let radius = head[re].hypot(head[im]);
        let turned = head[im].atan2(head[re]) + angle(pos, j as u32, n_rot);
        (head[re], head[im]) = (radius * turned.cos(), radius * turned.sin());
    }
}

/// RMSNorm of some values.
pub(super) fn normed(x: &mut [f64], weight: &[f32]) {
    let square = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
    for (v, w) in x.iter_mut().zip(weight) {
        *v *= f64::from(*w) / (square + f64::from(EPS)).sqrt();
    }
}

pub(super) fn case(row: &Row) -> Result<Case, RowError> {
    let shape: Shape = row.shape()?;
    let [n_head, n_head_kv, head_dim] = shape.heads;
    let mut random = row.random();
    let (n_cells, n_pos) = (shape.rows + 3, 300);
    let keys = if shape.wide { KeyType::F32 } else { KeyType::F16 };
    let heads = HeadShape { n_head, n_head_kv, head_dim, n_cells, keys };
    let stride = heads.qkv_width() + 2;
    let capacity = shape.rows + 1;
    let qkv = random.values((capacity * stride) as usize, shape.values);
    let weights = match shape.norm {
        Norm::All => [n_head * head_dim, n_head_kv * head_dim],
        _ => [head_dim; 2],
    };
    let [q_norm, k_norm] = weights.map(|n| random.weights(n as usize));
    // Cells in random order; the last one is left to the hostile row.
    let order = random.permutation(n_cells - 1);
    let mut rows: Vec<_> = (0..shape.rows)
        .map(|r| {
            let pos = random.below(n_pos);
            goldcrest_kernels::step::Row { pos, cell: order[r as usize], ..step::row() }
        })
        .collect();
    if let Some(last) = rows.last_mut().filter(|_| shape.hostile) {
        (last.pos, last.cell) = (u32::MAX, u32::MAX);
    }

    let dim = head_dim as usize;
    let (q_width, kv_width) = (n_head as usize * dim, n_head_kv as usize * dim);
    let mut q_expected = vec![f64::NAN; qkv.len()];
    let mut kv_expected = vec![f64::NAN; n_cells as usize * 2 * kv_width];
    for (r, step_row) in rows.iter().enumerate() {
        let at = r * stride as usize;
        let mut x: Vec<f64> =
            qkv[at..at + heads.qkv_width() as usize].iter().map(|v| f64::from(*v)).collect();
        let (q, kv) = x.split_at_mut(q_width);
        let (k, v) = kv.split_at_mut(kv_width);
        for (x, weight) in [(&mut *q, &q_norm), (&mut *k, &k_norm)] {
            match shape.norm {
                Norm::None => {}
                Norm::Head => x.chunks_mut(dim).for_each(|head| normed(head, weight)),
                Norm::All => normed(x, weight),
            }
            let pos = step_row.pos.min(n_pos - 1).into();
            x.chunks_mut(dim).for_each(|head| turn(head, pos, shape.n_rot, shape.neox));
        }
        q_expected[at..at + q_width].copy_from_slice(q);
        let cell = step_row.cell.min(n_cells - 1) as usize * 2 * kv_width;
        // As stored: what is left to differ is a rounding the other way.
        let stored = cells::compare(&heads).values(&cells::stored(&heads, &[&*k, &*v].concat()));
        kv_expected[cell..cell + 2 * kv_width].copy_from_slice(&stored);
    }
    Ok(Case {
        bound: vec![
            Bound::changed("qkv", bits(&qkv), Compare::Floats),
            Bound::floats("qk_norm", &[q_norm, k_norm].concat()),
            Bound::floats("rope", &table(n_pos, shape.n_rot.max(2))),
            Bound::written("kv", heads.kv_bytes() as usize / 4, cells::compare(&heads)),
            Bound::input("step", step::step(&rows, &[])),
        ],
        expected: vec![(0, q_expected), (3, kv_expected)],
        build: Box::new(move |slices, profile| {
            let [qkv, weight, table, kv, step] = slices else { return Ok(Vec::new()) };
            let pairing = if shape.neox { Pairing::Neox } else { Pairing::Adjacent };
            let rope = Rope { table, n_pos, n_rot: shape.n_rot, pairing };
            let args = RopeKvArgs {
                step,
                qkv,
                norm: match shape.norm {
                    Norm::None => QkNorm::None,
                    Norm::Head => QkNorm::Head { weight, eps: EPS },
                    Norm::All => QkNorm::All { weight, eps: EPS },
                },
                rope: (shape.n_rot > 0).then_some(rope),
                kv,
                shape: heads,
                n_rows: capacity,
                stride,
            };
            Ok(vec![rope_kv(&args, profile)?])
        }),
    })
}
