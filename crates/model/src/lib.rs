//! One readable file per architecture, and the loading of weights.
//!
//! [`Model::load`] streams a GGUF file to a device; [`Model::record_layer`] and its siblings write one forward pass into a
//! [`Recorder`], which turns named steps into dispatches. Recording happens once per class of batch sizes; what
//! changes per step lives in the step buffer.

#![forbid(unsafe_code)]

mod arch;
mod config;
mod error;
mod load;
mod load_layer;
mod memory;
mod model;
mod recorder;
pub mod repack;
mod rope;
mod rows;
mod scratch;
mod source;

pub use arch::Arch;
pub use config::{Config, RopeConfig, RopeScaling};
pub use error::ModelError;
pub use load::{Linear, Loader};
pub use memory::{active_weight_bytes, weight_bytes};
pub use model::{Model, RopeTables};
pub use recorder::{HeadRows, KvLayers, Recorder, Targets};
pub use scratch::Scratch;
pub use source::WeightSource;
