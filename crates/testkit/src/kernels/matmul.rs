//! `matmul_vec` and `matmul_many` against f64 sums over decoded weights.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::{Act, Epilogue, Experts, NO_EXPERT, Norm, VecArgs, matmul_vec};
use goldcrest_kernels::ops::matmul_many::{Count, ManyArgs, matmul_many};
use serde::Deserialize;

use super::act::{gelu_tanh, silu};
use super::case::{Bound, Case};
use super::compare::Compare;
use super::random::Values;
use super::row::{Row, RowError};
use super::step;
use super::weights::{Layout, Planned, Weights, resolve};

const EPS: f32 = 1e-5;

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    #[default]
    None,
    Silu,
    Gelu,
}

impl Function {
    fn of(self, v: f64) -> f64 {
        match self {
            Self::None => v,
            Self::Silu => silu(v),
            Self::Gelu => gelu_tanh(v),
        }
    }

    fn act(self) -> Act {
        match self {
            Self::None => Act::None,
            Self::Silu => Act::Silu,
            Self::Gelu => Act::GeluTanh,
        }
    }
}

/// What the two operations share.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct After {
    act: Function,
    bias: bool,
    softcap: Option<f32>,
    add: bool,
}

impl After {
    fn apply(&self, sum: f64, bias: f32, old: f32) -> f64 {
        let mut v = self.act.of(if self.bias { sum + f64::from(bias) } else { sum });
        if let Some(cap) = self.softcap {
            v = f64::from(cap) * (v / f64::from(cap)).tanh();
        }
        if self.add { v + f64::from(old) } else { v }
    }

    fn epilogue<'a>(&self, bias: &'a Slice<Buffer>) -> Epilogue<'a, Buffer> {
        Epilogue {
            bias: self.bias.then_some(bias),
            act: self.act.act(),
            softcap: self.softcap,
            add: self.add,
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct VecShape {
    ty: String,
    n: u32,
    k: u32,
    #[serde(default)]
    after: After,
    #[serde(default)]
    norm: bool,
    #[serde(default)]
    glu: bool,
    #[serde(default = "one")]
    parts: u32,
    /// Outputs and inputs of the matrix that `n` and `k` are cut from; none for one of that size.
    #[serde(default)]
    of: Option<[u32; 2]>,
    /// Experts of the matrix; 0 for a plain one.
    #[serde(default)]
    experts: u32,
    /// The expert of each slot; numbers beyond the last expert are clamped, −1 skips the slot.
    #[serde(default)]
    sel: Vec<i64>,
    /// Slots that share a row of x.
    #[serde(default = "one")]
    shared: u32,
    #[serde(default)]
    values: Values,
}

fn one() -> u32 {
    1
}

/// The buffers before the planes, in this order.
const X: usize = 0;
const Y: usize = 1;
const DUMMY: usize = 2;
const BIAS: usize = 3;

pub(super) fn vec(row: &Row) -> Result<Case, RowError> {
    let shape: VecShape = row.shape()?;
    let mut random = row.random();
    let VecShape { n, k, glu, experts, shared, .. } = shape;
    let slots = shape.sel.len().max(1) as u32;
    let halves = if glu { 2 } else { 1 };
    let [n_held, k_held] = shape.of.unwrap_or([n, k]);
    let weights = Weights::random(row, &mut random, &shape.ty, n_held * halves * experts.max(1), k_held)?;
    let x = random.values((slots.div_ceil(shared) * k) as usize, shape.values);
    let norm = random.weights(k as usize);
    let bias = random.values(n as usize, Values::Normal);
    let old = random.values((slots * n) as usize, Values::Normal);
    let mut expected = vec![f64::NAN; old.len()];
    for slot in 0..slots {
        let expert = match shape.sel.get(slot as usize) {
            Some(-1) => continue,
            Some(e) => (*e as u32).min(experts - 1),
            None => 0,
        };
        let column = column(&x[((slot / shared) * k) as usize..][..k as usize], shape.norm.then_some(&norm));
        for i in 0..n {
            let sum = |half: u32| dot(weights.row((expert * halves + half) * n_held + i), &column);
            let at = (slot * n + i) as usize;
            expected[at] = if glu {
                shape.after.act.of(sum(0)) * sum(1)
            } else {
                shape.after.apply(sum(0), bias[i as usize], old[at])
            };
        }
    }
    let sel: Vec<u32> = shape.sel.iter().map(|e| if *e < 0 { NO_EXPERT } else { *e as u32 }).collect();
    let mut bound = buffers(&x, &old, &bias, shape.after.add, n);
    bound.push(Bound::floats("norm", &norm));
    bound.push(Bound::input("sel", if sel.is_empty() { vec![u32::MAX] } else { sel }));
    let layout = Layout { n_rows: n_held, experts, glu, parts: shape.parts };
    let planned = weights.plan(row, layout, &mut bound, DUMMY)?.first_rows(n).first_columns(k);
    Ok(Case {
        bound,
        expected: vec![(Y, expected)],
        build: Box::new(move |slices, profile| {
            let args = VecArgs {
                matrix: &resolve(&planned, slices),
                x: &slices[X],
                y: &slices[Y],
                norm: shape.norm.then_some(Norm { weight: &slices[BIAS + 1], eps: EPS }),
                epilogue: &shape.after.epilogue(&slices[BIAS]),
                experts: (experts > 0).then_some(Experts {
                    sel: &slices[BIAS + 2],
                    slots,
                    slots_per_x: shared,
                }),
                dummy: &slices[DUMMY],
            };
            matmul_vec(profile, &args)
        }),
    })
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManyShape {
    ty: String,
    n: u32,
    k: u32,
    /// Columns of the step.
    m: u32,
    #[serde(default)]
    after: After,
    #[serde(default)]
    glu: bool,
    #[serde(default = "one")]
    parts: u32,
    /// As [`VecShape::of`].
    #[serde(default)]
    of: Option<[u32; 2]>,
    /// Count the wanted rows.
    #[serde(default)]
    want: bool,
    /// Values between the rows of y.
    #[serde(default)]
    gap: u32,
    #[serde(default)]
    values: Values,
}

pub(super) fn many(row: &Row) -> Result<Case, RowError> {
    let shape: ManyShape = row.shape()?;
    let mut random = row.random();
    let ManyShape { n, k, m, glu, .. } = shape;
    let capacity = m + 1;
    let [n_held, k_held] = shape.of.unwrap_or([n, k]);
    let weights =
        Weights::random(row, &mut random, &shape.ty, if glu { 2 * n_held } else { n_held }, k_held)?;
    let x = random.values((capacity * k) as usize, shape.values);
    let bias = random.values(n as usize, Values::Normal);
    let width = if glu { n.div_ceil(8) * 16 } else { n };
    let stride = width + shape.gap;
    let old = random.values((capacity * stride) as usize, Values::Normal);
    let mut expected = vec![f64::NAN; old.len()];
    for j in 0..m {
        let column = column(&x[(j * k) as usize..][..k as usize], None);
        for i in 0..width {
            let at = (j * stride + i) as usize;
            expected[at] = if glu {
                // Groups of eight gates and eight ups, zeros beyond the last.
                let (output, up) = (i / 16 * 8 + i % 8, i / 8 % 2 == 1);
                if output < n {
                    dot(weights.row(if up { n_held + output } else { output }), &column)
                } else {
                    0.0
                }
            } else {
                shape.after.apply(dot(weights.row(i), &column), bias[i as usize], old[at])
            };
        }
    }
    let mut bound = buffers(&x, &old, &bias, shape.after.add, n);
    let rows = vec![step::row(); m as usize];
    let want: Vec<u32> = (0..m).collect();
    bound.push(Bound::input(
        "step",
        if shape.want { step::step(&rows[..1], &want) } else { step::step(&rows, &[0]) },
    ));
    let layout = Layout { n_rows: n_held, experts: 0, glu, parts: shape.parts };
    let planned: Planned = weights.plan(row, layout, &mut bound, DUMMY)?.first_rows(n).first_columns(k);
    Ok(Case {
        bound,
        expected: vec![(Y, expected)],
        build: Box::new(move |slices, profile| {
            let args = ManyArgs {
                matrix: &resolve(&planned, slices),
                x: &slices[X],
                y: &slices[Y],
                y_stride: stride,
                epilogue: &shape.after.epilogue(&slices[BIAS]),
                step: &slices[BIAS + 1],
                count: if shape.want { Count::Want } else { Count::Rows },
                max_rows: capacity,
                dummy: &slices[DUMMY],
            };
            matmul_many(profile, &args)
        }),
    })
}

fn buffers(x: &[f32], old: &[f32], bias: &[f32], add: bool, n: u32) -> Vec<Bound> {
    let y = if add {
        Bound::changed("y", super::case::bits(old), Compare::Floats)
    } else {
        Bound::written("y", old.len(), Compare::Floats)
    };
    debug_assert_eq!(bias.len(), n as usize);
    vec![Bound::floats("x", x), y, Bound::input("dummy", vec![u32::MAX; 64]), Bound::floats("bias", bias)]
}

/// A column of x, normalised if there are weights for that.
fn column(x: &[f32], norm: Option<&Vec<f32>>) -> Vec<f64> {
    let x: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
    let Some(norm) = norm else { return x };
    let mean = dot(&x, &x) / x.len() as f64;
    let factor = 1.0 / (mean + f64::from(EPS)).sqrt();
    x.iter().zip(norm).map(|(x, w)| x * f64::from(*w) * factor).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
