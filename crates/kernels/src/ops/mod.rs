//! Typed operations: shapes checked, a variant chosen, a `Dispatch` returned.

pub mod act;
pub mod add_rows;
pub mod attention;
mod check;
pub mod copy_rows;
pub mod embed;
pub mod gather_logits;
pub mod kv_move;
#[cfg(test)]
mod layout;
pub mod mask_logits;
pub mod matmul;
pub mod matmul_many;
pub(crate) mod matmul_soft;
pub(crate) mod matmul_variants;
pub mod moe_combine;
pub mod moe_route;
pub mod norm;
pub mod penalize;
pub mod rope_kv;
pub mod row_stats;
pub mod sample;
pub mod sample_next;
pub mod topk;
pub mod walk;
