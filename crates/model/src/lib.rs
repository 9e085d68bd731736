//! One readable file per architecture, and the loading of weights.
//!
//! [`Model::load`] streams a GGUF file to a device ([`Model::allocate`] and [`Weights::stream`] are its two halves); [`Model::record_layer`] and its siblings write one forward pass into a
//! [`Recorder`], which turns named steps into dispatches. Recording happens once per class of batch sizes; what
//! changes per step lives in the step buffer.

#![forbid(unsafe_code)]

mod allocate;
mod arch;
mod config;
mod error;
mod layer_parts;
mod memory;
mod model;
mod nested;
mod recorder;
pub mod repack;
mod rope;
mod rows;
mod scratch;
mod source;
mod stream;

pub use allocate::{Allocator, Linear};
pub use arch::Arch;
pub use config::{Config, RopeConfig, RopeScaling};
pub use error::ModelError;
pub use memory::{active_weight_bytes, kv_bytes_read, weight_bytes};
pub use model::{Model, RopeTables};
pub use recorder::{HeadRows, KvLayers, Recorder, Targets};
pub use scratch::Scratch;
pub use source::WeightSource;
pub use stream::Weights;
