//! Activations, gated or not.

use bytemuck::{Pod, Zeroable};

use super::check::{columns, holds, in_range, row_bytes, row_shape, step_rows};
use super::matmul::Act;
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;

/// Parameters of `act`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n: u32,
    pub(crate) x_stride: u32,
    pub(crate) out_stride: u32,
    pub(crate) per_row: u32,
}

/// What [`act`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct ActArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[rows][x_stride]`. Gated: 8 gates, 8 ups, 8 gates, …; a last run of fewer is padded.
    pub x: &'a Slice<B>,
    /// f32 `[rows][out_stride]`, in another buffer than `x`.
    pub out: &'a Slice<B>,
    /// Which function.
    pub act: Act,
    /// Whether `x` holds gates and ups.
    pub gated: bool,
    /// Rows of the step.
    pub n_rows: u32,
    /// Rows of `x` for each row of the step: 1, or the experts used.
    pub per_row: u32,
    /// Elements of an output row.
    pub n: u32,
    /// Elements from one row of `x` to the next.
    pub x_stride: u32,
    /// Elements from one row of `out` to the next.
    pub out_stride: u32,
}

/// `out[row] = act(gate) · up`, or `act(x[row])`.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn act<B: Clone>(args: &ActArgs<'_, B>, profile: &Profile) -> Result<Dispatch<B>, ShapeError> {
    let op = "act";
    let &ActArgs { step, x, out, n_rows, per_row, n, x_stride, out_stride, .. } = args;
    step_rows(op, step, n_rows)?;
    in_range(op, "per_row", per_row.into(), 1, 64)?;
    row_shape(op, "n", n, out_stride)?;
    let width = if args.gated { n.div_ceil(8) * 16 } else { n };
    row_shape(op, "width of x", width, x_stride)?;
    let rows = n_rows * per_row;
    holds(op, "x", x, row_bytes(rows, width, x_stride))?;
    holds(op, "out", out, row_bytes(rows, n, out_stride))?;
    let (mut overrides, groups) = columns(profile, n);
    overrides.push(("GATED", u8::from(args.gated).into()));
    overrides.push(("ACT", (args.act as u32).into()));
    Ok(Dispatch {
        shader: id::ACT,
        overrides,
        bindings: [x, out, step].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[Params { n, x_stride, out_stride, per_row }]).to_vec(),
        grid: [groups, rows, 1],
    })
}
