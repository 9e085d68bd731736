//! Which twin belongs to which kernel.

use super::{
    Twin, act, add_rows, attention, copy_rows, embed, gather_logits, kv_move, mask_logits, matmul,
    matmul_coded, moe_combine, moe_route, norm, penalize, rope_kv, row_stats, row_stats_merge, sample,
    sample_next, topk, topk_scan, walk,
};
use crate::shader::ShaderId;

/// The CPU twin of a variant's kernel.
#[must_use]
pub fn twin(shader: ShaderId) -> Option<Twin> {
    match shader.shader().kernel {
        "embed" => Some(embed::embed),
        "matmul_vec" => Some(matmul::vec),
        "matmul_tile" if shader.shader().name.ends_with("_dot") => Some(matmul_coded::dot),
        "matmul_rows" | "matmul_tile" => Some(matmul::many),
        "matmul_soft" if shader.shader().name.contains("_one") => Some(matmul::soft_one),
        "matmul_soft" => Some(matmul::soft_eight),
        "gather_logits" => Some(gather_logits::gather_logits),
        "mask_logits" => Some(mask_logits::mask_logits),
        "penalize" => Some(penalize::penalize),
        "row_stats" => Some(row_stats::row_stats),
        "row_stats_merge" => Some(row_stats_merge::row_stats_merge),
        "sample" if shader.shader().name.ends_with("_next") => Some(sample_next::sample_next),
        "sample" => Some(sample::sample),
        "topk" => Some(topk::topk),
        "topk_scan" => Some(topk_scan::topk_scan),
        "walk" => Some(walk::walk),
        "norm" => Some(norm::norm),
        "act" => Some(act::act),
        "rope_kv" => Some(rope_kv::rope_kv),
        "attention" if shader.shader().name.contains("_split") => Some(attention::split),
        "attention" | "attention_tile" | "attention_soft" => Some(attention::attention),
        "attention_merge" => Some(attention::merge),
        "kv_move" => Some(kv_move::kv_move),
        "copy_rows" => Some(copy_rows::copy_rows),
        "add_rows" => Some(add_rows::add_rows),
        "moe_route" => Some(moe_route::moe_route),
        "moe_combine" => Some(moe_combine::moe_combine),
        _ => None,
    }
}
