//! Why a strategy cannot run, or stopped.

use goldcrest_engine::EngineError;
use goldcrest_sample::{ConstraintError, SampleError};

use crate::speculate::HeadError;

/// A strategy was asked for wrongly, or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No strategy has this name.
    #[error("no strategy is called {name:?}{}", nearest.map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    UnknownMethod {
        /// The name given.
        name: String,
        /// A name like it.
        nearest: Option<&'static str>,
    },
    /// The strategy has no such parameter.
    #[error("{method} has no parameter {name:?}; it has {known}")]
    UnknownParameter {
        /// The strategy.
        method: &'static str,
        /// The parameter given.
        name: String,
        /// The parameters there are.
        known: String,
    },
    /// A parameter is outside its range.
    #[error("{method}: {name} is {value}; allowed is {allowed}")]
    InvalidParameter {
        /// The strategy.
        method: &'static str,
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// Text that is not `NAME:key=value,…`.
    #[error("a strategy is written NAME:key=value,…; {part:?} has no value")]
    BadSpec {
        /// The part that cannot be read.
        part: String,
    },
    /// The strategy needs something beside the prompt.
    #[error("{method} needs {what}")]
    MissingResource {
        /// The strategy.
        method: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// Two models that must share a vocabulary do not.
    #[error("the models have different vocabularies: {ours} tokens here, {theirs} in the other")]
    VocabularyMismatch {
        /// Tokens of the model that answers.
        ours: u32,
        /// Tokens of the other.
        theirs: u32,
    },
    /// Stored memory of drafters cannot be read.
    #[error("what was stored for guessing cannot be used: {reason}; delete it, it is learnt again")]
    BadMemory {
        /// What is wrong.
        reason: &'static str,
    },
    /// A draft model that is larger than the model it drafts for.
    #[error(
        "the draft model ({} layers of {}) is larger than the model it drafts for ({} layers of {}); exchange them",
        draft.0, draft.1, target.0, target.1
    )]
    DraftTooLarge {
        /// Layers and width of the draft model.
        draft: (u32, u32),
        /// Layers and width of the model that answers.
        target: (u32, u32),
    },
    /// Two models of as many tokens give one of them different text.
    #[error(
        "the models have different vocabularies: token {token} is {ours:?} here and {theirs:?} in the other"
    )]
    TokenMismatch {
        /// The token.
        token: u32,
        /// Its text in the model that answers.
        ours: String,
        /// Its text in the other.
        theirs: String,
    },
    /// A strategy that cannot hold an answer to a form.
    #[error("{method} cannot hold the answer to a schema, an expression or a grammar")]
    Unconstrained {
        /// The strategy.
        method: &'static str,
    },
    /// The caller's scoring failed.
    #[error("scoring failed: {reason}")]
    Scorer {
        /// What it said.
        reason: String,
    },
    /// The server that was asked did not answer.
    #[error("the server did not answer: {reason}")]
    Remote {
        /// What happened.
        reason: String,
    },
    /// A draft head that cannot be used.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<SampleError> for DecodeError {
    fn from(error: SampleError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<ConstraintError> for DecodeError {
    fn from(error: ConstraintError) -> Self {
        Self::Engine(error.into())
    }
}
