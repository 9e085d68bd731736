//! The weighted sum of experts.

use bytemuck::{Pod, Zeroable};

use super::check::{columns, holds, in_range, row_bytes, row_shape, step_rows};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;

/// Parameters of `moe_combine`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n: u32,
    pub(crate) n_used: u32,
    pub(crate) x_stride: u32,
    pub(crate) y_stride: u32,
}

/// What [`moe_combine`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct MoeCombineArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[rows][x_stride]`, changed in place.
    pub x: &'a Slice<B>,
    /// f32 `[rows · n_used][y_stride]`: the experts' outputs.
    pub y: &'a Slice<B>,
    /// f32 `[rows][n_used]`.
    pub weights: &'a Slice<B>,
    /// Rows of the step.
    pub n_rows: u32,
    /// Experts used by a row.
    pub n_used: u32,
    /// Elements of a row.
    pub n: u32,
    /// Elements from one row of `x` to the next.
    pub x_stride: u32,
    /// Elements from one row of `y` to the next.
    pub y_stride: u32,
}

/// `x[row] += Σ_s weights[row][s] · y[row · n_used + s]`.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn moe_combine<B: Clone>(
    args: &MoeCombineArgs<'_, B>,
    profile: &Profile,
) -> Result<Dispatch<B>, ShapeError> {
    let op = "moe_combine";
    let &MoeCombineArgs { step, x, y, weights, n_rows, n_used, n, x_stride, y_stride } = args;
    step_rows(op, step, n_rows)?;
    in_range(op, "n_used", n_used.into(), 1, 64)?;
    row_shape(op, "n", n, x_stride)?;
    row_shape(op, "n", n, y_stride)?;
    holds(op, "x", x, row_bytes(n_rows, n, x_stride))?;
    holds(op, "y", y, row_bytes(n_rows * n_used, n, y_stride))?;
    holds(op, "weights", weights, row_bytes(n_rows, n_used, n_used))?;
    let (overrides, groups) = columns(profile, n);
    Ok(Dispatch {
        shader: id::MOE_COMBINE,
        overrides,
        bindings: [x, y, weights, step].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[Params { n, n_used, x_stride, y_stride }]).to_vec(),
        grid: [groups, n_rows, 1],
    })
}
