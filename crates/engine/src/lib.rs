//! Sessions, the step, the KV pool and the generation loop.
//!
//! [`Runtime`] is the small set of primitives that every decoding method is written against: [`Runtime::forward`] for
//! any batch, the KV operations of [`kv::KvPool`], and decoding without the host in the loop.

#![forbid(unsafe_code)]

pub mod batch;
mod error;
pub mod kv;
mod runtime;

pub use error::EngineError;
pub use runtime::{DecodeRun, DecodedToken, Runtime, RuntimeOptions};
