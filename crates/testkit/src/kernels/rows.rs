//! `gather_rows`, `copy_rows` and `add_rows`.

use goldcrest_kernels::ops::add_rows::{ALL_ROWS, AddRowsArgs, add_rows};
use goldcrest_kernels::ops::copy_rows::{CopyRowsArgs, copy_rows, gather_rows};
use serde::Deserialize;

use super::case::{Bound, Case, bits};
use super::compare::Compare;
use super::random::Values;
use super::row::{Row, RowError};
use super::step;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CopyShape {
    n: u32,
    rows: u32,
    /// Rows wanted, beyond the end or not.
    #[serde(default)]
    want: Vec<u32>,
    #[serde(default)]
    out_row: u32,
    /// The step claims `u32::MAX` rows, wanted ones too.
    #[serde(default)]
    hostile: bool,
}

pub(super) fn gather(row: &Row) -> Result<Case, RowError> {
    copy_case(row, true)
}

pub(super) fn copy(row: &Row) -> Result<Case, RowError> {
    copy_case(row, false)
}

fn copy_case(row: &Row, gathers: bool) -> Result<Case, RowError> {
    let shape: CopyShape = row.shape()?;
    let mut random = row.random();
    let [x_stride, out_stride] = [shape.n + 3, shape.n + 1];
    // Any bits, NaNs with payloads among them.
    let x: Vec<u32> = (0..shape.rows * x_stride).map(|_| random.bits() as u32).collect();
    let mut step = step::step(&vec![step::row(); shape.rows as usize], &shape.want);
    if shape.hostile {
        (step[0], step[1]) = (u32::MAX, u32::MAX);
    }
    let n_out = if gathers { shape.want.len() as u32 } else { shape.rows };
    let mut expected = vec![f64::NAN; ((shape.out_row + n_out + 1) * out_stride) as usize];
    for i in 0..n_out {
        let source = if gathers { shape.want[i as usize].min(shape.rows - 1) } else { i };
        for c in 0..shape.n {
            expected[((shape.out_row + i) * out_stride + c) as usize] =
                x[(source * x_stride + c) as usize].into();
        }
    }
    Ok(Case {
        bound: vec![
            Bound::input("x", x),
            Bound::written("out", expected.len(), Compare::Exact),
            Bound::input("step", step),
        ],
        expected: vec![(1, expected)],
        build: Box::new(move |slices, profile| {
            let [x, out, step] = slices else { return Ok(Vec::new()) };
            let (n_rows, out_row, n) = (shape.rows, shape.out_row, shape.n);
            let args = CopyRowsArgs { step, x, out, n_rows, out_row, n, x_stride, out_stride };
            Ok(vec![if gathers { gather_rows(&args, n_out, profile)? } else { copy_rows(&args, profile)? }])
        }),
    })
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddShape {
    n: u32,
    rows: u32,
    /// Rows that take a vector; none stands for all.
    #[serde(default)]
    list: Vec<u32>,
    /// One vector for every row.
    #[serde(default)]
    one: bool,
    /// Fewer vectors than rows to take one: the last serves the rest. 0 for enough.
    #[serde(default)]
    vectors: u32,
    #[serde(default)]
    values: Values,
}

pub(super) fn add(row: &Row) -> Result<Case, RowError> {
    let shape: AddShape = row.shape()?;
    let mut random = row.random();
    let (scale, x_stride, n) = (-1.75f32, shape.n + 2, shape.n as usize);
    let x = random.values(((shape.rows + 1) * x_stride) as usize, shape.values);
    let list = if shape.list.is_empty() { vec![ALL_ROWS] } else { shape.list.clone() };
    let n_v_rows = match (shape.one, shape.list.is_empty()) {
        (true, _) => 1,
        _ if shape.vectors > 0 => shape.vectors,
        (false, true) => shape.rows,
        (false, false) => list.len() as u32,
    };
    let v = random.values(n_v_rows as usize * n, shape.values);
    let mut expected = vec![f64::NAN; x.len()];
    for r in 0..shape.rows {
        let entry = if shape.list.is_empty() { Some(r as usize) } else { list.iter().position(|l| *l == r) };
        let Some(entry) = entry else { continue };
        let v = &v[entry.min(n_v_rows as usize - 1) * n..][..n];
        for (at, v) in ((r * x_stride) as usize..).zip(v) {
            expected[at] = f64::from(x[at]) + f64::from(scale) * f64::from(*v);
        }
    }
    Ok(Case {
        bound: vec![
            Bound::changed("x", bits(&x), Compare::Floats),
            Bound::floats("v", &v),
            Bound::input("list", list.clone()),
            Bound::input("step", step::rows(shape.rows)),
        ],
        expected: vec![(0, expected)],
        build: Box::new(move |slices, profile| {
            let [x, v, chosen, step] = slices else { return Ok(Vec::new()) };
            let (n_list, n_rows) = (list.len() as u32, shape.rows + 1);
            let args = AddRowsArgs {
                step,
                x,
                v,
                list: chosen,
                n_list,
                n_v_rows,
                scale,
                n_rows,
                n: shape.n,
                x_stride,
            };
            Ok(vec![add_rows(&args, profile)?])
        }),
    })
}
