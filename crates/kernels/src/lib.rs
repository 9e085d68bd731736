//! The WGSL kernels, their CPU twins, and the typed operations over both.
//!
//! A kernel is one WGSL file in `shaders/`, one row in `shaders/kernels.toml`, one CPU twin in [`cpu`] with the
//! same bindings, and one typed operation in [`ops`] that checks shapes and returns a [`Dispatch`]. Nothing here
//! touches a GPU: a [`Dispatch`] is data, and a device of `goldcrest-gpu` records it.

#![forbid(unsafe_code)]

pub mod cpu;
mod dispatch;
mod error;
mod format;
pub mod generated;
pub mod ops;
mod profile;
pub mod sampling;
mod shader;
pub mod step;
pub mod walking;

pub use dispatch::{Dispatch, Slice};
pub use error::ShapeError;
pub use format::{Format, PlaneLayout, ROWS_PER_GROUP};
pub use profile::{Activations, ManyRows, Profile, ProfileError, SOFT_LANES, TileForm};
pub use shader::{Binding, BindingKind, Feature, Override, Shader, ShaderId, UniformField};
