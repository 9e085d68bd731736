//! Typed operations: shapes checked, a variant chosen, a `Dispatch` returned.

pub mod advance;
mod check;
pub mod gather_logits;
pub mod penalize;
pub mod row_stats;
pub mod sample;
pub mod topk;
