//! `moe_route` against a sort, `moe_combine` against the sum.

use goldcrest_kernels::ops::moe_combine::{MoeCombineArgs, moe_combine};
use goldcrest_kernels::ops::moe_route::{MoeRouteArgs, Routing, moe_route};
use serde::Deserialize;

use super::case::{Bound, Case, bits};
use super::compare::Compare;
use super::random::Values;
use super::row::{Row, RowError};
use super::step;

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    All,
    Normalized,
    TopK,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteShape {
    experts: u32,
    used: u32,
    rows: u32,
    mode: Mode,
    #[serde(default)]
    values: Values,
    /// Experts whose logits are NaN or infinite.
    #[serde(default)]
    bad: Vec<u32>,
}

pub(super) fn route(row: &Row) -> Result<Case, RowError> {
    let shape: RouteShape = row.shape()?;
    let [experts, used, rows] = [shape.experts, shape.used, shape.rows].map(|v| v as usize);
    let stride = experts + 2;
    let mut logits = row.random().values((rows + 1) * stride, shape.values);
    for (i, e) in shape.bad.iter().enumerate() {
        let value = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][i % 3];
        (0..rows).for_each(|r| logits[r * stride + *e as usize] = value);
    }
    let mut ids = vec![f64::NAN; (rows + 1) * used];
    let mut weights = ids.clone();
    for r in 0..rows {
        let logit = |e: usize| {
            let v = f64::from(logits[r * stride + e]);
            if v.is_finite() { v } else { -1e30 }
        };
        let mut order: Vec<usize> = (0..experts).collect();
        order.sort_by(|a, b| logit(*b).total_cmp(&logit(*a)).then(a.cmp(b)));
        let softmax = |of: &[usize]| {
            let top = logit(of[0]);
            let sum: f64 = of.iter().map(|e| (logit(*e) - top).exp()).sum();
            of.iter().map(|e| (logit(*e) - top).exp() / sum).collect::<Vec<f64>>()
        };
        let mut share = softmax(if shape.mode == Mode::TopK { &order[..used] } else { &order });
        share.truncate(used);
        if shape.mode == Mode::Normalized {
            let sum: f64 = share.iter().sum();
            share.iter_mut().for_each(|v| *v /= sum);
        }
        for s in 0..used {
            ids[r * used + s] = order[s] as f64;
            weights[r * used + s] = share[s];
        }
    }
    Ok(Case {
        bound: vec![
            Bound::floats("logits", &logits),
            Bound::written("selected", ids.len(), Compare::Exact),
            Bound::written("weights", weights.len(), Compare::Floats),
            Bound::input("step", step::rows(shape.rows)),
        ],
        expected: vec![(1, ids), (2, weights)],
        build: Box::new(move |slices, profile| {
            let [logits, selected, weights, step] = slices else { return Ok(Vec::new()) };
            let args = MoeRouteArgs {
                step,
                logits,
                selected,
                weights,
                routing: match shape.mode {
                    Mode::All => Routing::SoftmaxTopK,
                    Mode::Normalized => Routing::SoftmaxTopKNormalized,
                    Mode::TopK => Routing::TopKSoftmax,
                },
                n_rows: shape.rows + 1,
                n_expert: shape.experts,
                n_used: shape.used,
                stride: stride as u32,
            };
            Ok(vec![moe_route(&args, profile)?])
        }),
    })
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CombineShape {
    n: u32,
    used: u32,
    rows: u32,
    #[serde(default)]
    values: Values,
}

pub(super) fn combine(row: &Row) -> Result<Case, RowError> {
    let shape: CombineShape = row.shape()?;
    let mut random = row.random();
    let [n, used, rows] = [shape.n, shape.used, shape.rows].map(|v| v as usize);
    let [x_stride, y_stride] = [n + 1, n + 5];
    let x = random.values((rows + 1) * x_stride, shape.values);
    let y = random.values((rows + 1) * used * y_stride, shape.values);
    let weights = random.weights((rows + 1) * used);
    let mut expected = vec![f64::NAN; x.len()];
    for r in 0..rows {
        for c in 0..n {
            let part =
                |s: usize| f64::from(weights[r * used + s]) * f64::from(y[(r * used + s) * y_stride + c]);
            expected[r * x_stride + c] = f64::from(x[r * x_stride + c]) + (0..used).map(part).sum::<f64>();
        }
    }
    Ok(Case {
        bound: vec![
            Bound::changed("x", bits(&x), Compare::Floats),
            Bound::floats("y", &y),
            Bound::floats("weights", &weights),
            Bound::input("step", step::rows(shape.rows)),
        ],
        expected: vec![(0, expected)],
        build: Box::new(move |slices, profile| {
            let [x, y, weights, step] = slices else { return Ok(Vec::new()) };
            let args = MoeCombineArgs {
                step,
                x,
                y,
                weights,
                n_rows: shape.rows + 1,
                n_used: shape.used,
                n: shape.n,
                x_stride: x_stride as u32,
                y_stride: y_stride as u32,
            };
            Ok(vec![moe_combine(&args, profile)?])
        }),
    })
}
