//! Shapes that the kernels refuse.

/// A shape that an operation cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The contiguous axis of a weight is not a multiple of the 32-element chunk all planes are built of.
    #[error("{op}: {what} is {found}, which is not a multiple of {multiple}")]
    NotAMultiple {
        /// Operation.
        op: &'static str,
        /// Name of the size.
        what: &'static str,
        /// The size given.
        found: u64,
        /// What it has to be a multiple of.
        multiple: u64,
    },
    /// A size is outside the range that an operation supports.
    #[error("{op}: {what} is {found}, supported are {min} to {max}")]
    OutOfRange {
        /// Operation.
        op: &'static str,
        /// Name of the size.
        what: &'static str,
        /// The size given.
        found: u64,
        /// Smallest supported.
        min: u64,
        /// Largest supported.
        max: u64,
    },
    /// A buffer is smaller than the operation reads or writes.
    #[error("{op}: {what} holds {found} bytes, {needed} are needed")]
    BufferTooSmall {
        /// Operation.
        op: &'static str,
        /// Name of the binding.
        what: &'static str,
        /// Bytes given.
        found: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// The grid would need more workgroups in one dimension than WebGPU grants.
    #[error("{op}: {found} workgroups in one dimension, WebGPU allows 65535")]
    GridTooLarge {
        /// Operation.
        op: &'static str,
        /// Workgroups needed.
        found: u64,
    },
    /// A combination for which there is no kernel.
    #[error("{op}: {what} is not supported")]
    Unsupported {
        /// Operation.
        op: &'static str,
        /// What was asked for.
        what: &'static str,
    },
}
