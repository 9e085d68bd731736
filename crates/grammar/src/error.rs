//! Why a grammar was refused.

/// A grammar that cannot be honoured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrammarError {
    /// A keyword of a JSON schema whose meaning cannot be enforced. It is never ignored.
    #[error("schema keyword `{keyword}` at {path}: {reason}")]
    SchemaUnsupported {
        /// The keyword.
        keyword: String,
        /// Where it stands, as a JSON pointer behind `#`.
        path: String,
        /// What is not supported about it.
        reason: String,
    },
    /// A JSON schema that is none.
    #[error("the schema is wrong at {path}: {reason}")]
    SchemaInvalid {
        /// Where, as a JSON pointer behind `#`.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A schema that no value satisfies.
    #[error("no value satisfies the schema: {reason}")]
    Unsatisfiable {
        /// Which part contradicts itself.
        reason: String,
    },
    /// A grammar beyond the limits that keep its cost bounded.
    #[error("the {what} of the grammar is {found}; at most {max} is allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: usize,
        /// How large it may be.
        max: usize,
    },
    /// A regular expression or Lark grammar that cannot be read.
    #[error("the {what} cannot be read: {reason}")]
    Syntax {
        /// `regular expression` or `Lark grammar`.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// A GBNF grammar that cannot be read or used.
    #[error("GBNF, line {line}: {reason}")]
    Gbnf {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A grammar that is well formed but costs more to prepare than is allowed.
    #[error("the grammar is too complex: {reason}")]
    TooComplex {
        /// Which budget it exceeds.
        reason: String,
    },
    /// The model's vocabulary cannot be used.
    #[error("the vocabulary cannot be constrained: {reason}")]
    Vocabulary {
        /// Why.
        reason: String,
    },
}

impl GrammarError {
    /// A name that stays the same between releases.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SchemaUnsupported { .. } => "E_SCHEMA_UNSUPPORTED",
            Self::SchemaInvalid { .. } => "E_SCHEMA_INVALID",
            Self::Unsatisfiable { .. } => "E_SCHEMA_UNSATISFIABLE",
            Self::TooLarge { .. } | Self::TooComplex { .. } => "E_GRAMMAR_LIMIT",
            Self::Syntax { .. } | Self::Gbnf { .. } => "E_GRAMMAR_SYNTAX",
            Self::Vocabulary { .. } => "E_GRAMMAR_VOCABULARY",
        }
    }

    /// What to do about it, one line.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::SchemaUnsupported { .. } => {
                "say it with other keywords, or leave it out and check the answer yourself"
            }
            Self::SchemaInvalid { .. } => "give a JSON schema of draft 4 to 2020-12",
            Self::Unsatisfiable { .. } => "the schema's parts contradict each other",
            Self::TooLarge { .. } | Self::TooComplex { .. } => "give a smaller or simpler schema or grammar",
            Self::Syntax { .. } | Self::Gbnf { .. } => "correct it where the message says",
            Self::Vocabulary { .. } => "take another model",
        }
    }
}
