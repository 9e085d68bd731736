//! The crate's error type.

/// Why a token could not be chosen, or a setting not be accepted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The model's row holds NaN or an infinity: a numeric fault upstream, never a reason to guess.
    #[error("the logit of token {id} is not finite")]
    NonFiniteLogits {
        /// The first token, in row order, whose logit is not finite.
        id: u32,
    },
    /// Masks, bans or an empty row left nothing to choose from.
    #[error("no candidate token is left")]
    NoCandidate,
    /// A setting is outside its range, or not a number.
    #[error("{name} = {value} is not allowed; allowed: {allowed}")]
    InvalidParameter {
        /// The setting's name, as the user writes it.
        name: &'static str,
        /// The refused value, as text.
        value: String,
        /// The range, in words.
        allowed: &'static str,
    },
    /// There is no such setting.
    #[error("no sampling setting is called {name}")]
    UnknownSetting {
        /// The name.
        name: String,
    },
    /// A setting names a token that the vocabulary does not have.
    #[error("{name} names token {id}, but the vocabulary has {n_vocab} tokens")]
    UnknownToken {
        /// The setting's name.
        name: &'static str,
        /// The token.
        id: u32,
        /// Number of tokens in the vocabulary.
        n_vocab: u32,
    },
    /// The stage cannot give the exact result from the top K candidates alone.
    #[error("stage {stage} needs the whole row of logits, not only the top candidates")]
    NeedsFullRow {
        /// The stage's name.
        stage: &'static str,
    },
    /// Ids and logits of a candidate list differ in number, or an id comes twice.
    #[error("a candidate list of {n_ids} ids and {n_logits} logits is not well formed")]
    BadCandidates {
        /// Number of ids given.
        n_ids: usize,
        /// Number of logits given.
        n_logits: usize,
    },
    /// A chain description could not be read.
    #[error("chain description, byte {at}: {what}")]
    BadSpec {
        /// Byte offset of the fault in the description.
        at: usize,
        /// What was wrong.
        what: String,
    },
}
