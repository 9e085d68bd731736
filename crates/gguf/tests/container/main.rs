//! The container format under attack: what is refused, with which error, and what it costs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod damage;
mod hostile_header;
mod hostile_layout;
mod hostile_metadata;
mod hostile_tensors;
mod mutants;
mod mutate;
mod raw;
mod regressions;
mod sizes;
mod source;
mod table;
mod verdict;
