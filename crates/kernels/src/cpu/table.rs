//! Which twin belongs to which kernel.

use super::{Twin, advance, gather_logits, penalize, row_stats, row_stats_merge, sample, topk};
use crate::shader::ShaderId;

/// The CPU twin of a variant's kernel.
#[must_use]
pub fn twin(shader: ShaderId) -> Option<Twin> {
    match shader.shader().kernel {
        "advance" => Some(advance::advance),
        "gather_logits" => Some(gather_logits::gather_logits),
        "penalize" => Some(penalize::penalize),
        "row_stats" => Some(row_stats::row_stats),
        "row_stats_merge" => Some(row_stats_merge::row_stats_merge),
        "sample" => Some(sample::sample),
        "topk" => Some(topk::topk),
        _ => None,
    }
}
