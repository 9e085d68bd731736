//! Why a vocabulary was refused.

/// Why [`Tokenizer::new`](crate::Tokenizer::new) refused a vocabulary. Encoding and decoding cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The tokenizer family is not implemented.
    #[error("tokenizer model `{model}` is not supported (supported: gpt2, llama)")]
    UnsupportedModel {
        /// Value of `tokenizer.ggml.model`.
        model: String,
    },
    /// The pre-tokenizer name is not in the table. Guessing a splitting rule would degrade the model silently.
    #[error(
        "unknown pre-tokenizer `{name}`: this version cannot split text as the model expects; \
         name a known rule explicitly to override (known: {})",
        crate::pre::known_pre_names().collect::<Vec<_>>().join(", ")
    )]
    UnknownPreTokenizer {
        /// Value of `tokenizer.ggml.pre`, or of the override.
        name: String,
    },
    /// A byte-level BPE vocabulary without `tokenizer.ggml.pre`.
    #[error(
        "the file does not name its pre-tokenizer; name a known rule explicitly to override (known: {})",
        crate::pre::known_pre_names().collect::<Vec<_>>().join(", ")
    )]
    MissingPreTokenizer,
    /// No pieces at all.
    #[error("the vocabulary is empty")]
    EmptyVocabulary,
    /// More pieces or piece bytes than 32-bit ids and offsets can address.
    #[error("the vocabulary does not fit 32-bit offsets")]
    VocabularyTooLarge,
    /// A parallel table does not have one entry a piece.
    #[error("{table} has {actual} entries, but there are {expected} pieces")]
    LengthMismatch {
        /// Which table: `scores` or `token_types`.
        table: &'static str,
        /// Number of pieces.
        expected: usize,
        /// Number of entries in the table.
        actual: usize,
    },
    /// A special token id points outside the vocabulary.
    #[error("{name}_token_id is {id}, but there are {n_vocab} pieces")]
    SpecialIdOutOfRange {
        /// Which one: `bos`, `eos`, `eot`, `eom`, `unk`, `sep` or `pad`.
        name: &'static str,
        /// The id in the file.
        id: u32,
        /// Number of pieces.
        n_vocab: usize,
    },
    /// A piece without bytes.
    #[error("piece {id} is empty")]
    EmptyPiece {
        /// Its id.
        id: u32,
    },
    /// Two ids with the same piece.
    #[error("pieces {first} and {second} are the same")]
    DuplicatePiece {
        /// The id met first.
        first: u32,
        /// The id met second.
        second: u32,
    },
    /// A piece longer than [`MAX_PIECE_BYTES`](crate::MAX_PIECE_BYTES).
    #[error("piece {id} has {len} bytes, more than {max}")]
    PieceTooLong {
        /// Its id.
        id: u32,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A token type outside 0..=6.
    #[error("piece {id} has the unknown token type {value}")]
    UnknownTokenType {
        /// The id of the piece.
        id: u32,
        /// The value in the file.
        value: i32,
    },
    /// A piece of type "byte" that is not `<0xHH>` with two hexadecimal digits.
    #[error("piece {id} is of type byte but is not written <0xHH>")]
    InvalidByteToken {
        /// Its id.
        id: u32,
    },
    /// A SentencePiece vocabulary without scores.
    #[error("the SentencePiece vocabulary has no scores")]
    MissingScores,
    /// A score that is not a number.
    #[error("the score of piece {id} is NaN")]
    NanScore {
        /// Its id.
        id: u32,
    },
    /// A BPE vocabulary without merges.
    #[error("the BPE vocabulary has no merges")]
    MissingMerges,
    /// A merge that is not two pieces with a space between.
    #[error("merge {index} is not two pieces with a space between")]
    MalformedMerge {
        /// Position in the list.
        index: usize,
    },
    /// A merge whose left side, right side or result is not a piece.
    #[error("merge {index} names a piece that is not in the vocabulary")]
    UnknownMergePiece {
        /// Position in the list.
        index: usize,
    },
    /// More merges than the pieces have places to be cut at.
    #[error("more than {max} merges, the number of places at which the pieces can be cut")]
    TooManyMerges {
        /// The limit: piece bytes in all.
        max: usize,
    },
}
