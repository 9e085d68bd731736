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
