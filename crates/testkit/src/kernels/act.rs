//! `act` against the definitions.

use goldcrest_kernels::ops::act::{ActArgs, act};
use goldcrest_kernels::ops::matmul::Act;
use serde::Deserialize;

use super::case::{Bound, Case};
use super::compare::Compare;
use super::random::Values;
use super::row::{Row, RowError};
use super::step;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Silu,
    Gelu,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    n: u32,
    rows: u32,
    function: Function,
    gated: bool,
    #[serde(default = "one")]
    per_row: u32,
    #[serde(default)]
    values: Values,
}

fn one() -> u32 {
    1
}

pub(super) fn silu(v: f64) -> f64 {
    v / (1.0 + (-v).exp())
}

pub(super) fn gelu_tanh(v: f64) -> f64 {
    0.5 * v * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (v + 0.044_715 * v.powi(3))).tanh())
}

pub(super) fn case(row: &Row) -> Result<Case, RowError> {
    let shape: Shape = row.shape()?;
    let n = shape.n as usize;
    let capacity = (shape.rows + 1) * shape.per_row;
    let width = if shape.gated { n.div_ceil(8) * 16 } else { n };
    let x = row.random().values(capacity as usize * width, shape.values);
    let function = match shape.function {
        Function::Silu => silu,
        Function::Gelu => gelu_tanh,
    };
    let value = |r: usize, i: usize| {
        let x: Vec<f64> = x[r * width..][..width].iter().map(|v| f64::from(*v)).collect();
        if shape.gated { function(x[i / 8 * 16 + i % 8]) * x[i / 8 * 16 + 8 + i % 8] } else { function(x[i]) }
    };
    let mut expected = vec![f64::NAN; capacity as usize * n];
    for r in 0..(shape.rows * shape.per_row) as usize {
        for i in 0..n {
            expected[r * n + i] = value(r, i);
        }
    }
    Ok(Case {
        bound: vec![
            Bound::floats("x", &x),
            Bound::written("out", expected.len(), Compare::Floats),
            Bound::input("step", step::rows(shape.rows)),
        ],
        expected: vec![(1, expected)],
        build: Box::new(move |slices, profile| {
            let [x, out, step] = slices else { return Ok(Vec::new()) };
            let args = ActArgs {
                step,
                x,
                out,
                act: match shape.function {
                    Function::Silu => Act::Silu,
                    Function::Gelu => Act::GeluTanh,
                },
                gated: shape.gated,
                n_rows: shape.rows + 1,
                per_row: shape.per_row,
                n: shape.n,
                x_stride: width as u32,
                out_stride: shape.n,
            };
            Ok(vec![act(&args, profile)?])
        }),
    })
}
