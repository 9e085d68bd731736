//! The crate's error type.

/// Why a chat template could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The template's source is longer than is read.
    #[error("the chat template has {bytes} bytes; at most {limit} are read")]
    TemplateTooLarge {
        /// Length of the source.
        bytes: usize,
        /// Longest source read.
        limit: usize,
    },
    /// The source is no template.
    #[error("chat template, line {line}: {message}")]
    Syntax {
        /// Line of the fault, from 1; 0 when unknown.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The template uses a part of Jinja that is not offered.
    #[error("the chat template uses {what}, which is not supported")]
    Unsupported {
        /// The part.
        what: String,
    },
    /// The template itself refused the conversation, by `raise_exception`.
    #[error("the chat template refuses this conversation: {message}")]
    Raised {
        /// The template's words.
        message: String,
    },
    /// An operation failed as it would in Python: an undefined value, a wrong type, a division by zero.
    #[error("chat template: {message}")]
    Evaluation {
        /// What failed.
        message: String,
    },
    /// Rendering would cost more than its budget.
    #[error("the chat template is too expensive: over {limit} {what}")]
    TemplateTooExpensive {
        /// What ran out.
        what: Cost,
        /// The budget.
        limit: u64,
    },
    /// Statements, expressions, macros or values are nested too deeply.
    #[error("chat template: nesting deeper than {limit}")]
    TooDeep {
        /// The deepest nesting allowed.
        limit: usize,
    },
    /// A caller's parameter has the name of something that the engine sets.
    #[error("the template parameter {name:?} belongs to the engine and cannot be set")]
    ReservedName {
        /// The parameter.
        name: String,
    },
    /// `messages`, `tools` or `documents` is not a list.
    #[error("{name} must be a list")]
    NotAList {
        /// Which input.
        name: &'static str,
    },
}

/// What a rendering spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Statements and expressions evaluated.
    Steps,
    /// Bytes of strings and lists created.
    BytesCreated,
    /// Bytes looked at while searching, comparing and copying.
    BytesScanned,
    /// Tokens of the template.
    Tokens,
    /// Tokens of the template between one pair of tag brackets.
    TokensPerTag,
    /// `elif` branches of one `if`.
    Branches,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Steps => "steps",
            Self::BytesCreated => "bytes created",
            Self::BytesScanned => "bytes scanned",
            Self::Tokens => "tokens",
            Self::TokensPerTag => "tokens in one tag",
            Self::Branches => "branches of one if",
        })
    }
}

/// The error of an operation on values that do not allow it.
pub(crate) fn fault(message: impl Into<String>) -> PromptError {
    PromptError::Evaluation { message: message.into() }
}

pub(crate) fn unsupported(what: impl Into<String>) -> PromptError {
    PromptError::Unsupported { what: what.into() }
}
