//! `norm` against the textbook formula.

use goldcrest_kernels::ops::matmul_many::Count;
use goldcrest_kernels::ops::norm::{NormArgs, NormKind, norm};
use serde::Deserialize;

use super::case::{Bound, Case, bits};
use super::compare::Compare;
use super::random::Values;
use super::row::{Row, RowError};
use super::step;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    n: u32,
    rows: u32,
    #[serde(default)]
    layer: bool,
    #[serde(default)]
    bias: bool,
    #[serde(default)]
    add: bool,
    /// Count wanted rows.
    #[serde(default)]
    want: bool,
    /// Elements between rows.
    #[serde(default)]
    gap: u32,
    #[serde(default)]
    values: Values,
    /// The step claims `u32::MAX` rows.
    #[serde(default)]
    hostile: bool,
}

const EPS: f32 = 1e-6;

pub(super) fn case(row: &Row) -> Result<Case, RowError> {
    let shape: Shape = row.shape()?;
    let mut random = row.random();
    // One row more than the step has: it must stay as it is.
    let capacity = shape.rows + u32::from(!shape.hostile);
    let stride = shape.n + shape.gap;
    let [n, size] = [shape.n, capacity * stride].map(|v| v as usize);
    let x = random.values(size, shape.values);
    let weight = random.weights(n);
    let bias = random.values(n, Values::Normal);
    let before = random.values(size, shape.values);
    let mut step = if shape.want {
        step::step(&[step::row(); 2], &vec![0; shape.rows as usize])
    } else {
        step::rows(shape.rows)
    };
    if shape.hostile {
        step[usize::from(shape.want)] = u32::MAX;
    }
    let mut expected = vec![f64::NAN; size];
    for r in 0..shape.rows as usize {
        let at = r * stride as usize;
        let row: Vec<f64> = x[at..at + n].iter().map(|v| f64::from(*v)).collect();
        let mean = if shape.layer { row.iter().sum::<f64>() / n as f64 } else { 0.0 };
        let square = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        for i in 0..n {
            let mut v = (row[i] - mean) / (square + f64::from(EPS)).sqrt() * f64::from(weight[i]);
            v += if shape.bias { bias[i].into() } else { 0.0 };
            v += if shape.add { before[at + i].into() } else { 0.0 };
            expected[at + i] = v;
        }
    }
    let out = if shape.add {
        Bound::changed("out", bits(&before), Compare::Floats)
    } else {
        Bound::written("out", size, Compare::Floats)
    };
    Ok(Case {
        bound: vec![
            Bound::floats("x", &x),
            Bound::floats("weight", &weight),
            Bound::floats("bias", &bias),
            out,
            Bound::input("step", step),
        ],
        expected: vec![(3, expected)],
        build: Box::new(move |slices, profile| {
            let [x, weight, bias, out, step] = slices else { return Ok(Vec::new()) };
            let args = NormArgs {
                step,
                x,
                weight,
                bias: shape.bias.then_some(bias),
                out,
                kind: if shape.layer { NormKind::Layer } else { NormKind::Rms },
                add: shape.add,
                count: if shape.want { Count::Want } else { Count::Rows },
                n_rows: capacity,
                n: shape.n,
                x_stride: stride,
                out_stride: stride,
                eps: EPS,
            };
            Ok(vec![norm(&args, profile)?])
        }),
    })
}
