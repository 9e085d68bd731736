//! Vectors added to chosen rows of the residual stream.

use bytemuck::{Pod, Zeroable};

use super::check::{columns, holds, in_range, row_bytes, row_shape, step_rows};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;
use crate::step::MAX_ROWS;

/// First word of a list that names every row.
pub const ALL_ROWS: u32 = u32::MAX;

/// Parameters of `add_rows`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n: u32,
    pub(crate) x_stride: u32,
    pub(crate) v_stride: u32,
    pub(crate) n_v_rows: u32,
    pub(crate) n_list: u32,
    pub(crate) scale: f32,
    pub(crate) reserved: [u32; 2],
}

/// What [`add_rows`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct AddRowsArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[n_rows][x_stride]`, changed in place.
    pub x: &'a Slice<B>,
    /// f32 `[n_v_rows][n]`.
    pub v: &'a Slice<B>,
    /// u32 `[n_list]`: entry i is the row that takes `v[i]`, or [`ALL_ROWS`] in entry 0. The first entry of a row counts,
    /// and rows that the step does not have match nothing.
    pub list: &'a Slice<B>,
    /// Entries of the list, 1..=128.
    pub n_list: u32,
    /// Rows of `v`: 1 is one vector for every chosen row.
    pub n_v_rows: u32,
    /// Factor of the vectors.
    pub scale: f32,
    /// Rows of the step.
    pub n_rows: u32,
    /// Elements of a row.
    pub n: u32,
    /// Elements from one row of `x` to the next.
    pub x_stride: u32,
}

/// `x[list[i]] += scale · v[i]`, or `x[row] += scale · v[row]` for all rows.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn add_rows<B: Clone>(args: &AddRowsArgs<'_, B>, profile: &Profile) -> Result<Dispatch<B>, ShapeError> {
    let op = "add_rows";
    let &AddRowsArgs { step, x, v, list, n_list, n_v_rows, scale, n_rows, n, x_stride } = args;
    step_rows(op, step, n_rows)?;
    row_shape(op, "n", n, x_stride)?;
    in_range(op, "n_list", n_list.into(), 1, MAX_ROWS as u64)?;
    in_range(op, "n_v_rows", n_v_rows.into(), 1, MAX_ROWS as u64)?;
    holds(op, "x", x, row_bytes(n_rows, n, x_stride))?;
    holds(op, "v", v, row_bytes(n_v_rows, n, n))?;
    holds(op, "list", list, u64::from(n_list) * 4)?;
    let v_stride = if n_v_rows == 1 { 0 } else { n };
    let params = Params { n, x_stride, v_stride, n_v_rows, n_list, scale, reserved: [0; 2] };
    let (overrides, groups) = columns(profile, n);
    Ok(Dispatch {
        shader: id::ADD_ROWS,
        overrides,
        bindings: [x, v, list, step].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [groups, n_rows, 1],
    })
}
