//! A dispatch as data: what a device needs to know to run one kernel once.

use crate::shader::ShaderId;

/// A byte range of a buffer. `B` is the device's buffer handle.
#[derive(Clone, Debug)]
pub struct Slice<B> {
    /// The buffer.
    pub buffer: B,
    /// First byte; a multiple of 256, WebGPU's default offset alignment.
    pub offset: u64,
    /// Length in bytes; a multiple of 4.
    pub size: u64,
}

/// One kernel with everything that stays the same from step to step.
///
/// What changes per step (tokens, positions, lengths, seeds) lives in the step buffer of [`crate::step`].
#[derive(Clone, Debug)]
pub struct Dispatch<B> {
    /// Which variant of which kernel.
    pub shader: ShaderId,
    /// Override constants that differ from their defaults.
    pub overrides: Vec<(&'static str, f64)>,
    /// Storage bindings in ascending order of their index.
    pub bindings: Vec<Slice<B>>,
    /// Words of the uniform parameter struct, bound after the last storage binding; empty if the shader has none.
    pub uniform: Vec<u32>,
    /// Workgroups in x, y and z; each at most 65,535.
    pub grid: [u32; 3],
}
