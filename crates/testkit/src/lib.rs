//! Golden data, GGUF builders and a device that can be lost: for tests only.

#![forbid(unsafe_code)]

pub mod fake_gpu;
pub mod kernels;
pub mod walk;
