//! A model's tokens, for the module of grammars.

use goldcrest::tokenizer::Tokenizer;
use wasm_bindgen::prelude::wasm_bindgen;

/// What a vocabulary says: bytes of tokens, and which of them are no text.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct TokenTable {
    /// The bytes of all tokens, one after another.
    pub pieces: Vec<u8>,
    /// How many bytes each token has.
    pub lengths: Vec<u32>,
    /// Tokens that stand for no text.
    pub special: Vec<u32>,
    /// Tokens that end a text.
    pub ends: Vec<u32>,
}

impl TokenTable {
    pub(crate) fn new(tokenizer: &Tokenizer) -> Self {
        let n_vocab = u32::try_from(tokenizer.n_vocab()).unwrap_or(u32::MAX);
        let piece = |id| tokenizer.piece(id).unwrap_or_default();
        Self {
            pieces: (0..n_vocab).flat_map(piece).copied().collect(),
            lengths: (0..n_vocab).map(|id| piece(id).len() as u32).collect(),
            special: (0..n_vocab).filter(|id| tokenizer.is_special(*id)).collect(),
            ends: tokenizer.eog().to_vec(),
        }
    }
}
