//! What the caller hands over: borrowed views of the tables in a model file.

use std::fmt;

/// A sequence of byte strings borrowed from the caller, read once.
pub type ByteStrings<'a> = Box<dyn Iterator<Item = &'a [u8]> + 'a>;

/// The tables of `tokenizer.ggml.*`, borrowed. Absent keys are `None`.
pub struct TokenizerSpec<'a> {
    /// `model`: `gpt2` (byte-level BPE) or `llama` (SentencePiece).
    pub model: &'a str,
    /// `pre`: name of the pre-tokenizer; read for `gpt2` only.
    pub pre: Option<&'a str>,
    /// `tokens`: the pieces in order of their ids; any bytes, UTF-8 or not.
    pub pieces: ByteStrings<'a>,
    /// `scores`: one a piece; needed for `llama`, a higher score merges first.
    pub scores: Option<&'a [f32]>,
    /// `token_type`: one a piece, 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; all normal if absent.
    pub token_types: Option<&'a [i32]>,
    /// `merges`: `left right`, best first; needed for `gpt2`.
    pub merges: Option<ByteStrings<'a>>,
    /// `bos_token_id`.
    pub bos: Option<u32>,
    /// `eos_token_id`.
    pub eos: Option<u32>,
    /// `eot_token_id`: end of turn.
    pub eot: Option<u32>,
    /// `eom_token_id`: end of message.
    pub eom: Option<u32>,
    /// `unknown_token_id`.
    pub unk: Option<u32>,
    /// `seperator_token_id` (spelt so in the files).
    pub sep: Option<u32>,
    /// `padding_token_id`.
    pub pad: Option<u32>,
    /// `add_bos_token`; the default depends on the family.
    pub add_bos: Option<bool>,
    /// `add_eos_token`; false by default.
    pub add_eos: Option<bool>,
    /// `add_space_prefix`; true by default for `llama`, never used for `gpt2`.
    pub add_space_prefix: Option<bool>,
}

impl Default for TokenizerSpec<'_> {
    fn default() -> Self {
        Self {
            model: "",
            pre: None,
            pieces: Box::new(std::iter::empty()),
            scores: None,
            token_types: None,
            merges: None,
            bos: None,
            eos: None,
            eot: None,
            eom: None,
            unk: None,
            sep: None,
            pad: None,
            add_bos: None,
            add_eos: None,
            add_space_prefix: None,
        }
    }
}

impl fmt::Debug for TokenizerSpec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tables themselves run to megabytes.
        f.debug_struct("TokenizerSpec")
            .field("model", &self.model)
            .field("pre", &self.pre)
            .finish_non_exhaustive()
    }
}

/// How [`Tokenizer::encode`](crate::Tokenizer::encode) treats special tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Encode {
    /// Put BOS before and EOS after, where the model asks for it.
    pub add_special: bool,
    /// Take `<|im_start|>` and the like in the text for the control tokens they name. Only for text the host wrote
    /// itself (a rendered chat template), never for what a user typed.
    pub parse_special: bool,
}
