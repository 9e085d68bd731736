//! `embed` against decoded rows.

use goldcrest_kernels::ops::embed::{EmbedArgs, Source, embed};
use goldcrest_kernels::step::IDENTITY;
use serde::Deserialize;

use super::case::{Bound, Case, bits};
use super::compare::Compare;
use super::random::Values;
use super::row::{Row, RowError};
use super::step;
use super::weights::{Layout, Weights, resolve};

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    ty: String,
    vocab: u32,
    n: u32,
    #[serde(default = "one")]
    parts: u32,
    #[serde(default = "unit")]
    scale: f32,
    #[serde(default)]
    add: bool,
    #[serde(default)]
    position: bool,
    /// Tokens or positions; those beyond the vocabulary are clamped.
    ids: Vec<u32>,
    /// Rows whose mixtures have this many entries, after the rows of `ids`.
    #[serde(default)]
    mixtures: Vec<u32>,
    /// Rows that the host wrote, at the end.
    #[serde(default)]
    kept: u32,
}

fn one() -> u32 {
    1
}

fn unit() -> f32 {
    1.0
}

const X: usize = 0;
const STEP: usize = 1;
const MIX: usize = 2;
const DUMMY: usize = 3;

pub(super) fn case(row: &Row) -> Result<Case, RowError> {
    let shape: Shape = row.shape()?;
    let mut random = row.random();
    let Shape { vocab, n, .. } = shape;
    let weights = Weights::random(row, &mut random, &shape.ty, vocab, n)?;
    let mut rows = Vec::new();
    let mut terms: Vec<Vec<(u32, f64)>> = Vec::new();
    let mut mix = Vec::new();
    for id in &shape.ids {
        let (token, pos) = if shape.position { (u32::MAX, *id) } else { (*id, u32::MAX) };
        rows.push(goldcrest_kernels::step::Row { token, pos, ..step::row() });
        terms.push(vec![(*id, 1.0)]);
    }
    for len in &shape.mixtures {
        let start = mix.len() as u32 / 2;
        rows.push(goldcrest_kernels::step::Row { pos: *len, mix_start: start, mix_len: *len, ..step::row() });
        let entries: Vec<_> = (0..*len).map(|_| (random.below(vocab + 1), random.unit())).collect();
        mix.extend(entries.iter().flat_map(|(id, w)| [*id, w.to_bits()]));
        let tokens = entries.into_iter().map(|(id, w)| (id, f64::from(w))).collect();
        terms.push(if shape.position { vec![(*len, 1.0)] } else { tokens });
    }
    let n_mix = mix.len() as u32 / 2;
    for i in 0..shape.kept {
        rows.push(goldcrest_kernels::step::Row { pos: i, mix_len: IDENTITY, ..step::row() });
        terms.push(if shape.position { vec![(i, 1.0)] } else { Vec::new() });
    }
    let capacity = rows.len() as u32 + 1;
    let old = random.values((capacity * n) as usize, Values::Normal);
    let mut expected = vec![f64::NAN; old.len()];
    for (r, terms) in terms.iter().enumerate().filter(|(_, terms)| !terms.is_empty()) {
        for i in 0..n as usize {
            let at = r * n as usize + i;
            let sum: f64 = terms.iter().map(|(id, w)| w * weights.row((*id).min(vocab - 1))[i]).sum();
            expected[at] = f64::from(shape.scale) * sum + if shape.add { f64::from(old[at]) } else { 0.0 };
        }
    }
    let in_place = shape.add || shape.kept > 0;
    let mut bound = vec![
        if in_place {
            Bound::changed("x", bits(&old), Compare::Floats)
        } else {
            Bound::written("x", old.len(), Compare::Floats)
        },
        Bound::input("step", step::step(&rows, &[])),
        Bound::input("mix", if mix.is_empty() { vec![u32::MAX; 2] } else { mix }),
        Bound::input("dummy", vec![u32::MAX; 64]),
    ];
    let layout = Layout { n_rows: vocab, experts: 0, glu: false, parts: shape.parts };
    let planned = weights.plan(row, layout, &mut bound, DUMMY)?;
    Ok(Case {
        bound,
        expected: vec![(X, expected)],
        build: Box::new(move |slices, _| {
            embed(&EmbedArgs {
                matrix: &resolve(&planned, slices),
                mix: &slices[MIX],
                n_mix,
                step: &slices[STEP],
                x: &slices[X],
                max_rows: capacity,
                scale: shape.scale,
                source: if shape.position { Source::Position } else { Source::Token },
                add: shape.add,
            })
        }),
    })
}
