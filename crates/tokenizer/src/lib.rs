//! Text to token ids and back, from the tables a GGUF file carries.
//!
//! Two families: byte-level BPE (`tokenizer.ggml.model = "gpt2"`) and SentencePiece with scores (`"llama"`).
//! The caller hands over borrowed tables as a [`TokenizerSpec`]; [`Tokenizer::new`] checks every relation between
//! them and keeps one byte arena. Text never becomes a control token unless [`Encode::parse_special`] asks for it.
//!
//! ```
//! use goldcrest_tokenizer::{Encode, Tokenizer, TokenizerSpec};
//!
//! let pieces: [&[u8]; 4] = [b"a", b"b", b"ab", b"<|end|>"];
//! let merges: [&[u8]; 1] = [b"a b"];
//! let tokenizer = Tokenizer::new(TokenizerSpec {
//!     model: "gpt2",
//!     pre: Some("gpt-2"),
//!     pieces: Box::new(pieces.into_iter()),
//!     merges: Some(Box::new(merges.into_iter())),
//!     token_types: Some(&[1, 1, 1, 3]),
//!     ..TokenizerSpec::default()
//! })?;
//! assert_eq!(tokenizer.encode("abb", Encode::default()), [2, 1]);
//! assert_eq!(tokenizer.decode(&[2, 1, 3], true), "abb");
//! assert_eq!(tokenizer.eog(), [3]);
//! # Ok::<(), goldcrest_tokenizer::TokenizerError>(())
//! ```
#![forbid(unsafe_code)]

mod bpe;
mod byte_level;
mod eog;
mod error;
mod literal;
mod merge;
mod pre;
mod spec;
mod spm;
mod stream;
mod tokenizer;
mod vocab;

pub use error::TokenizerError;
pub use pre::known_pre_names;
pub use spec::{ByteStrings, Encode, TokenizerSpec};
pub use stream::StreamDecoder;
pub use tokenizer::Tokenizer;
pub use vocab::{MAX_PIECE_BYTES, TokenType};
