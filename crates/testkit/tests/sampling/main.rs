//! The sampling kernels against plain f64 loops and against `goldcrest-sample`, on the CPU twins and on the adapter of
//! this machine, if it has one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod advance;
mod draws;
mod penalties;
mod rig;
mod rows;
