//! The choice of experts.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range, row_bytes, row_shape, step_rows};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::generated::id;
use crate::profile::Profile;

/// Most experts of a layer: their logits lie in workgroup memory.
const MAX_EXPERT: u64 = 1024;

/// Parameters of `moe_route`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) stride: u32,
    pub(crate) mode: u32,
    pub(crate) norm_topk: u32,
    pub(crate) reserved: u32,
}

/// How weights come from router logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Softmax over all experts; the chosen ones keep their share.
    SoftmaxTopK,
    /// The same, and the chosen shares are divided by their sum.
    SoftmaxTopKNormalized,
    /// Softmax over the chosen logits.
    TopKSoftmax,
}

/// What [`moe_route`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct MoeRouteArgs<'a, B> {
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[rows][stride]`; a value that is not finite is never preferred.
    pub logits: &'a Slice<B>,
    /// Expert ids, u32 `[rows][n_used]`, written.
    pub selected: &'a Slice<B>,
    /// Their weights, f32 `[rows][n_used]`, written.
    pub weights: &'a Slice<B>,
    /// How weights come from logits.
    pub routing: Routing,
    /// Rows of the step.
    pub n_rows: u32,
    /// Experts, 1..=1,024.
    pub n_expert: u32,
    /// Experts used by a row.
    pub n_used: u32,
    /// Elements from one row of logits to the next.
    pub stride: u32,
}

/// The `n_used` experts with the largest logits of each row, largest first, lowest id first among equals.
///
/// # Errors
/// [`ShapeError`] if a size is out of range or a buffer too small.
pub fn moe_route<B: Clone>(args: &MoeRouteArgs<'_, B>, profile: &Profile) -> Result<Dispatch<B>, ShapeError> {
    let op = "moe_route";
    let &MoeRouteArgs { step, logits, selected, weights, routing, n_rows, n_expert, n_used, stride } = args;
    step_rows(op, step, n_rows)?;
    in_range(op, "n_expert", n_expert.into(), 1, MAX_EXPERT)?;
    in_range(op, "n_used", n_used.into(), 1, n_expert.min(64).into())?;
    row_shape(op, "n_expert", n_expert, stride)?;
    holds(op, "logits", logits, row_bytes(n_rows, n_expert, stride))?;
    holds(op, "selected", selected, row_bytes(n_rows, n_used, n_used))?;
    holds(op, "weights", weights, row_bytes(n_rows, n_used, n_used))?;
    let params = Params {
        stride,
        mode: (routing == Routing::TopKSoftmax).into(),
        norm_topk: (routing == Routing::SoftmaxTopKNormalized).into(),
        reserved: 0,
    };
    Ok(Dispatch {
        shader: id::MOE_ROUTE,
        overrides: vec![
            ("T", profile.norm_threads.min(64).into()),
            ("N_EXPERT", n_expert.into()),
            ("N_USED", n_used.into()),
        ],
        bindings: [logits, selected, weights, step].map(Slice::clone).to_vec(),
        uniform: bytemuck::cast_slice(&[params]).to_vec(),
        grid: [n_rows, 1, 1],
    })
}
