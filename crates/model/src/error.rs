//! Why a model file that parses cannot be run.

use goldcrest_gguf::{GgmlType, GgufError};
use goldcrest_gpu::GpuError;
use goldcrest_kernels::ShapeError;

/// A model cannot be loaded or recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// `general.architecture` names a model family that is not built in.
    #[error("architecture `{found}` is not supported; supported are {supported}")]
    UnsupportedArchitecture {
        /// The name in the file.
        found: String,
        /// The names that would do.
        supported: String,
    },
    /// A weight has a type that no kernel and no re-encoding covers.
    #[error("tensor `{tensor}` has type {ty}, which is not supported")]
    UnsupportedType {
        /// Tensor name.
        tensor: String,
        /// Its type.
        ty: GgmlType,
    },
    /// A format cannot hold the scales of a tensor exactly: it has to be allocated as F32.
    #[error("the scales of tensor `{tensor}` do not fit half precision")]
    Inexact {
        /// Tensor name.
        tensor: String,
    },
    /// A hyper-parameter is outside the range that makes sense.
    #[error("`{key}` is {found}, allowed is {allowed}")]
    BadHyperParameter {
        /// Metadata key.
        key: String,
        /// The value.
        found: String,
        /// The values that would do.
        allowed: String,
    },
    /// The file uses a variant of its architecture that is not implemented.
    #[error("`{key}` = `{found}` is not supported")]
    UnsupportedVariant {
        /// Metadata key.
        key: String,
        /// The value.
        found: String,
    },
    /// A tensor the architecture needs is not in the file.
    #[error("tensor `{tensor}` is missing")]
    MissingTensor {
        /// Tensor name.
        tensor: String,
    },
    /// A tensor has another shape than the hyper-parameters say.
    #[error("tensor `{tensor}` is {found:?} (contiguous axis first), expected {expected:?}")]
    WrongShape {
        /// Tensor name.
        tensor: String,
        /// Shape in the file.
        found: Vec<u64>,
        /// Shape the model needs.
        expected: Vec<u64>,
    },
    /// The file's metadata.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The weights could not be read.
    #[error("reading {size} bytes at {offset} of the model: {reason}")]
    Read {
        /// First byte.
        offset: u64,
        /// Number of bytes.
        size: u64,
        /// The source's words.
        reason: String,
    },
    /// A kernel refuses the model's shapes.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The device.
    #[error(transparent)]
    Gpu(#[from] GpuError),
}
