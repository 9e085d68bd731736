//! The sampling kernels choose as `goldcrest-sample` does, on the CPU twins and on every adapter.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod draws;
mod many;
mod penalties;
mod rig;
mod shapes;
mod tokens;
