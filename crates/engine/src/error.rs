//! Everything the engine can refuse or fail at.

use goldcrest_gguf::GgufError;
use goldcrest_gpu::GpuError;
use goldcrest_model::ModelError;
use goldcrest_prompt::PromptError;
use goldcrest_sample::{ConstraintError, SampleError};
use goldcrest_tokenizer::TokenizerError;

/// A request or a step failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The prompt and one new token do not fit the context.
    #[error("the prompt has {n_prompt} tokens, the context holds {n_ctx}")]
    PromptTooLong {
        /// Tokens of the prompt.
        n_prompt: usize,
        /// Tokens of the context.
        n_ctx: u32,
    },
    /// There is nothing to continue.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// A context length that the model cannot have.
    #[error("a context of {requested} tokens; this model allows 1 to {max}")]
    BadContext {
        /// Tokens asked for.
        requested: u32,
        /// Most tokens.
        max: u32,
    },
    /// A token id outside the vocabulary.
    #[error("token {token} is not in the vocabulary of {n_vocab}")]
    BadToken {
        /// The id.
        token: u32,
        /// Vocabulary size.
        n_vocab: u32,
    },
    /// The model file has no chat template and none was given.
    #[error("this model has no chat template")]
    NoChatTemplate,
    /// No cell of the KV pool is free.
    #[error("the KV pool is full: {needed} cells are needed, {free} are free")]
    KvFull {
        /// Cells needed.
        needed: u32,
        /// Cells free.
        free: u32,
    },
    /// The KV cache of one layer would not fit a binding of the device.
    #[error("a KV cache of {needed} cells; this device allows {max}")]
    KvTooLarge {
        /// Cells needed.
        needed: u32,
        /// Most cells.
        max: u32,
    },
    /// A handle of a sequence that was freed or never made.
    #[error("sequence {seq} does not exist")]
    UnknownSequence {
        /// Its number.
        seq: u32,
    },
    /// More sequences with scattered cells than the device has tables for.
    #[error("more than {max} sequences share or scatter their cells")]
    TooManyTables {
        /// Tables there are.
        max: u32,
    },
    /// A keep list that is out of order or out of range.
    #[error("a keep list must rise and stay below {len}")]
    BadKeepList {
        /// Entries of the sequence.
        len: usize,
    },
    /// A shift that leaves the range of positions or of entries.
    #[error("positions cannot be shifted by {delta} there")]
    BadShift {
        /// Positions to add.
        delta: i32,
    },
    /// A batch that cannot be run as it stands.
    #[error("bad batch: {reason}")]
    BadBatch {
        /// What is wrong.
        reason: &'static str,
    },
    /// A logit is NaN or infinite: the weights or the driver are broken.
    #[error("the model produced a logit that is not finite (token {token})")]
    NonFiniteLogits {
        /// First such token.
        token: u32,
    },
    /// The self-test found no kernel forms that the device computes rightly.
    #[error("{adapter} computes wrongly: the self-test of {test} fails with all kernel forms")]
    WrongResults {
        /// The adapter's name.
        adapter: String,
        /// The model of the self-test that failed last.
        test: String,
    },
    /// The device returned something that no kernel can have written; it cannot be trusted any more.
    #[error("the device returned a result that cannot be: run `goldcrest doctor --selftest`")]
    BadResult,
    /// The sampler has no token to choose.
    #[error("every token is banned")]
    NothingToSample,
    /// Another session of the same engine is at work.
    #[error("the engine is busy with another session")]
    Busy,
    /// The caller's signal.
    #[error("aborted")]
    Aborted,
    /// The model file.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The chat template.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// A kernel form that was forced by name.
    #[error(transparent)]
    Profile(#[from] goldcrest_kernels::ProfileError),
    /// The sampling parameters.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The constraint.
    #[error(transparent)]
    Constraint(#[from] ConstraintError),
}

impl From<goldcrest_kernels::ShapeError> for EngineError {
    fn from(error: goldcrest_kernels::ShapeError) -> Self {
        Self::Model(error.into())
    }
}
