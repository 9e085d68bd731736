//! RMSNorm and LayerNorm.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, row_bytes, row_shape, step_rows};
use super::matmul_many::Count;
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;

/// Parameters of `norm`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) n: u32,
    pub(crate) x_stride: u32,
    pub(crate) out_stride: u32,
    pub(crate) count_from: u32,
    pub(crate) eps: f32,
    pub(crate) reserved: [u32; 3],
}

/// Which norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// `x / sqrt(mean(x²) + eps)`
    Rms,
    /// `(x − mean(x)) / sqrt(var(x) + eps)`
    Layer,
}

/// What [`norm`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct NormArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[rows][x_stride]`.
    pub x: &'a Slice<B>,
    /// f32 `[n]`.
    pub weight: &'a Slice<B>,
    /// f32 `[n]`, added after the weight.
    pub bias: Option<&'a Slice<B>>,
    /// f32 `[rows][out_stride]`, in another buffer than `x`.
    pub out: &'a Slice<B>,
    /// Which norm.
    pub kind: NormKind,
    /// Add to `out` instead of storing: the residual stream of post-norms.
    pub add: bool,
    /// Which of the step's counts bounds the rows; wanted rows are those that [`super::copy_rows::gather_rows`] made.
    pub count: Count,
    /// Most rows of a step.
    pub n_rows: u32,
    /// Elements of a row.
    pub n: u32,
    /// Elements from one row of `x` to the next.
    pub x_stride: u32,
    /// Elements from one row of `out` to the next.
    pub out_stride: u32,
    /// Added to the mean square.
    pub eps: f32,
}

/// `out[row] = norm(x[row]) · weight (+ bias)`, or added to `out[row]`.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn norm<B: Clone>(args: &NormArgs<'_, B>, profile: &Profile) -> Result<Dispatch<B>, ShapeError> {
    let op = "norm";
    let &NormArgs { step, x, weight, bias, out, n_rows, n, x_stride, out_stride, eps, .. } = args;
    step_rows(op, step, n_rows)?;
    let count_from = (args.count == Count::Want).into();
    row_shape(op, "n", n, x_stride)?;
    row_shape(op, "n", n, out_stride)?;
    holds(op, "x", x, row_bytes(n_rows, n, x_stride))?;
    holds(op, "weight", weight, row_bytes(1, n, n))?;
    holds(op, "bias", bias.unwrap_or(weight), row_bytes(1, n, n))?;
    holds(op, "out", out, row_bytes(n_rows, n, out_stride))?;
    let params = Params { n, x_stride, out_stride, count_from, eps, reserved: [0; 3] };
    Ok(Dispatch {
        shader: profile.reducing(id::NORM, id::NORM_SUBGROUP),
        overrides: vec![
            ("T", profile.norm_threads.into()),
            ("LAYER", u8::from(args.kind == NormKind::Layer).into()),
            ("BIAS", u8::from(bias.is_some()).into()),
            ("ADD", u8::from(args.add).into()),
        ],
        bindings: [x, weight, bias.unwrap_or(weight), out, step].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [n_rows, 1, 1],
    })
}
