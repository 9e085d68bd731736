//! Copies of rows: wanted ones together, or all of them for an observer.

use bytemuck::{Pod, Zeroable};

use super::check::{columns, holds, in_range, row_bytes, row_shape, step_rows};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;
use crate::step::{MAX_ROWS, MAX_WANT};

/// Parameters of `copy_rows`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n: u32,
    pub(crate) x_stride: u32,
    pub(crate) out_stride: u32,
    pub(crate) n_x_rows: u32,
    pub(crate) mode: u32,
    pub(crate) out_row: u32,
    pub(crate) reserved: [u32; 2],
}

/// What [`gather_rows`] and [`copy_rows`] run on.
#[derive(Clone, Copy, Debug)]
pub struct CopyRowsArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// 32-bit words `[n_rows][x_stride]`.
    pub x: &'a Slice<B>,
    /// 32-bit words `[out_row + rows][out_stride]`, in another buffer than `x`.
    pub out: &'a Slice<B>,
    /// Rows of `x`, at least those of any step.
    pub n_rows: u32,
    /// First row of `out` that is written.
    pub out_row: u32,
    /// Words of a row.
    pub n: u32,
    /// Words from one row of `x` to the next.
    pub x_stride: u32,
    /// Words from one row of `out` to the next.
    pub out_stride: u32,
}

/// `out[out_row + i] = x[step.want[i]]` for the first `n_want` wanted rows.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn gather_rows<B: Clone>(
    args: &CopyRowsArgs<'_, B>,
    n_want: u32,
    profile: &Profile,
) -> Result<Dispatch<B>, ShapeError> {
    in_range("gather_rows", "n_want", n_want.into(), 1, MAX_WANT as u64)?;
    copy("gather_rows", args, n_want, 0, profile)
}

/// `out[out_row + row] = x[row]` for every row of the step.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn copy_rows<B: Clone>(args: &CopyRowsArgs<'_, B>, profile: &Profile) -> Result<Dispatch<B>, ShapeError> {
    copy("copy_rows", args, args.n_rows, 1, profile)
}

fn copy<B: Clone>(
    op: &'static str,
    args: &CopyRowsArgs<'_, B>,
    n_out: u32,
    mode: u32,
    profile: &Profile,
) -> Result<Dispatch<B>, ShapeError> {
    let &CopyRowsArgs { step, x, out, n_rows, out_row, n, x_stride, out_stride } = args;
    step_rows(op, step, n_rows)?;
    in_range(op, "out_row", out_row.into(), 0, (MAX_ROWS * MAX_ROWS) as u64)?;
    row_shape(op, "n", n, x_stride)?;
    row_shape(op, "n", n, out_stride)?;
    holds(op, "x", x, row_bytes(n_rows, n, x_stride))?;
    // The last word's index has to fit 32 bits, which a binding's size ensures.
    holds(op, "out", out, row_bytes(out_row + n_out, n, out_stride))?;
    let params = Params { n, x_stride, out_stride, n_x_rows: n_rows, mode, out_row, reserved: [0; 2] };
    let (overrides, groups) = columns(profile, n);
    Ok(Dispatch {
        shader: id::COPY_ROWS,
        overrides,
        bindings: [x, out, step].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [groups, n_out, 1],
    })
}
