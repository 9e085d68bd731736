//! Why a file of a draft head cannot be used.

/// A file of a draft head that cannot be read, or does not fit the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// Not a safetensors file, or a damaged one.
    #[error("the draft head's file cannot be read as safetensors: {reason}")]
    BadFile {
        /// What is wrong.
        reason: &'static str,
    },
    /// The file does not say which head it holds, or names one that is not known.
    #[error("the draft head's file says its kind is {kind:?} in its metadata; known are {known}")]
    UnknownKind {
        /// What it says; empty if it says nothing.
        kind: String,
        /// The kinds there are.
        known: String,
    },
    /// The file holds a head for another purpose.
    #[error("the file holds a {kind} head; what is needed here is {wanted}")]
    WrongKind {
        /// Kind of the head.
        kind: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// A value of the file's metadata that cannot be used.
    #[error("{key} is {value:?} in the metadata of the {kind} head; it needs {needs}")]
    BadSetting {
        /// Kind of the head.
        kind: &'static str,
        /// The value's name.
        key: &'static str,
        /// What the file says; empty if it says nothing.
        value: String,
        /// What it needs.
        needs: String,
    },
    /// The file lacks a tensor.
    #[error("the {kind} head's file has no tensor {tensor}")]
    MissingTensor {
        /// Kind of the head.
        kind: &'static str,
        /// The tensor.
        tensor: String,
    },
    /// A tensor has a type that is not read.
    #[error(
        "{tensor} of the {kind} head has the type {dtype}; F32, F16, BF16 and for d2t I32 and I64 are read"
    )]
    WrongType {
        /// Kind of the head.
        kind: &'static str,
        /// The tensor.
        tensor: String,
        /// Its type.
        dtype: String,
    },
    /// A tensor has another shape than the model needs.
    #[error(
        "{tensor} of the {kind} head has the shape {found:?}; a model of {n_vocab} tokens with rows of {n_embd} needs {wanted:?}"
    )]
    WrongShape {
        /// Kind of the head.
        kind: &'static str,
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that fits.
        wanted: Vec<usize>,
        /// Width of the model's rows.
        n_embd: u32,
        /// Tokens of the model.
        n_vocab: u32,
    },
    /// The draft vocabulary has a token that the model does not have.
    #[error("the {kind} head drafts token {token}, but the model has {n_vocab}")]
    UnknownToken {
        /// Kind of the head.
        kind: &'static str,
        /// The token.
        token: i64,
        /// Tokens of the model.
        n_vocab: u32,
    },
    /// The file leaves the output matrix to the model, which has one apart from its embeddings.
    #[error(
        "the {kind} head's file has no lm_head.weight, and the model's cannot be read: its embeddings are another matrix"
    )]
    NoOutput {
        /// Kind of the head.
        kind: &'static str,
    },
}
