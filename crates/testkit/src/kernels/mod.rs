//! Every kernel against its CPU twin, on every adapter, inside guard regions.
//!
//! `tests/kernels.toml` is a table of rows; a row names an operation and its sizes. The operation's file in this module
//! turns the row into a [`Case`]: buffers with seeded contents, the dispatches, and what a plain f64 computation of the
//! same formula gives. [`run`](run::run) then places every buffer between guards, runs the case twice under each profile on
//! the CPU twins and on each adapter, and compares.
//!
//! To add an operation: one file with `fn case(row: &Row) -> Result<Case, RowError>`, one line in [`FAMILIES`], and rows
//! in the table.

pub mod adapters;
pub mod case;
pub mod compare;
pub mod logits;
pub mod random;
pub mod row;
pub mod run;
pub mod step;

mod act;
mod attention;
mod attention_one;
mod cells;
mod embed;
mod kv_move;
mod matmul;
mod moe;
mod next_token;
mod norm;
mod rope_kv;
mod rows;
mod walk;
mod weights;

use case::Case;
use row::{Row, RowError};

/// Makes the case of a row.
pub type MakeCase = fn(&Row) -> Result<Case, RowError>;

/// The operations that rows can name.
pub const FAMILIES: &[(&str, MakeCase)] = &[
    ("act", act::case),
    ("add_rows", rows::add),
    ("attention", attention::case),
    ("attention_one", attention_one::case),
    ("copy_rows", rows::copy),
    ("embed", embed::case),
    ("gather_logits", logits::gather),
    ("gather_rows", rows::gather),
    ("kv_move", kv_move::case),
    ("mask_logits", logits::mask),
    ("matmul_many", matmul::many),
    ("matmul_vec", matmul::vec),
    ("moe_combine", moe::combine),
    ("moe_route", moe::route),
    ("norm", norm::case),
    ("penalize", next_token::penalize),
    ("rope_kv", rope_kv::case),
    ("row_stats", logits::stats),
    ("sample", next_token::sample),
    ("sample_next", next_token::sample_next),
    ("topk", logits::best),
    ("walk", walk::case),
    ("walk_judged", walk::judged),
];
