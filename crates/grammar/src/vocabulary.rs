//! A model's tokens as the automata see them: bytes in a trie.

use std::sync::Arc;

use goldcrest_tokenizer::Tokenizer;
use llguidance::toktrie::{INVALID_TOKEN, TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use crate::GrammarError;

/// Most tokens: as many as the sampling kernels serve.
const MAX_VOCAB: usize = 1 << 22;

/// A model's tokens as the automata see them.
#[derive(Clone)]
pub struct Vocabulary {
    pub(crate) env: TokEnv,
}

impl Vocabulary {
    /// The tokens of a tokenizer. Text that a grammar leaves no choice about is written as this tokenizer writes it.
    ///
    /// # Errors
    /// [`GrammarError::Vocabulary`].
    pub fn new(tokenizer: Arc<Tokenizer>) -> Result<Self, GrammarError> {
        let n_vocab = u32::try_from(tokenizer.n_vocab()).unwrap_or(u32::MAX);
        let word = |id| {
            let piece = tokenizer.piece(id).unwrap_or_default();
            let special = tokenizer.is_special(id) || tokenizer.is_eog(id);
            if special { [&[TokTrie::SPECIAL_TOKEN_MARKER], piece].concat() } else { piece.to_vec() }
        };
        let trie = trie((0..n_vocab).map(word).collect(), tokenizer.eog())?;
        Ok(Self { env: Arc::new(Env { trie, tokenizer: Some(tokenizer) }) })
    }

    /// Tokens given by their bytes, of which `ends` end a text and stand for none. Nothing is known of how such a
    /// vocabulary writes text, so that no token is forced.
    ///
    /// # Errors
    /// [`GrammarError::Vocabulary`].
    pub fn from_pieces(pieces: &[&[u8]], ends: &[u32]) -> Result<Self, GrammarError> {
        let word = |(id, piece): (u32, &&[u8])| {
            if ends.contains(&id) {
                [&[TokTrie::SPECIAL_TOKEN_MARKER], *piece].concat()
            } else {
                piece.to_vec()
            }
        };
        let trie = trie((0..).zip(pieces).map(word).collect(), ends)?;
        Ok(Self { env: Arc::new(Env { trie, tokenizer: None }) })
    }

    /// Number of tokens.
    #[must_use]
    pub fn n_vocab(&self) -> u32 {
        self.env.tok_trie().vocab_size() as u32
    }

    /// The bytes of a token; none for special ones.
    #[must_use]
    pub fn piece(&self, token: u32) -> &[u8] {
        let bytes = self.env.tok_trie().token(token);
        if is_special(bytes) { &[] } else { bytes }
    }

    /// The tokens that end a text.
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        let ends = self.env.tok_trie().eos_tokens();
        if ends == [INVALID_TOKEN] { &[] } else { ends }
    }
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vocabulary").field("n_vocab", &self.n_vocab()).finish_non_exhaustive()
    }
}

fn is_special(bytes: &[u8]) -> bool {
    bytes.first() == Some(&TokTrie::SPECIAL_TOKEN_MARKER)
}

fn trie(mut words: Vec<Vec<u8>>, ends: &[u32]) -> Result<TokTrie, GrammarError> {
    if words.is_empty() || words.len() > MAX_VOCAB {
        return Err(GrammarError::Vocabulary { reason: format!("it has {} tokens", words.len()) });
    }
    if let Some(end) = ends.iter().find(|end| **end as usize >= words.len()) {
        return Err(GrammarError::Vocabulary { reason: format!("it has no token {end}") });
    }
    // The byte that marks special tokens occurs in no text; the token of that byte alone can then never be wanted.
    for word in words.iter_mut().filter(|word| word.as_slice() == [TokTrie::SPECIAL_TOKEN_MARKER]) {
        word.clear();
    }
    let first = ends.first().copied().unwrap_or(INVALID_TOKEN);
    let trie = TokTrie::from(&TokRxInfo::new(words.len() as u32, first), &words);
    Ok(if ends.is_empty() { trie } else { trie.with_eos_tokens(ends) })
}

struct Env {
    trie: TokTrie,
    tokenizer: Option<Arc<Tokenizer>>,
}

impl TokenizerEnv for Env {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        let Some(tokenizer) = &self.tokenizer else { return self.trie.greedy_tokenize(bytes) };
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            let ids = tokenizer.encode_continuation(text);
            // Some tokenizers normalize. What is forced must be these bytes and no others.
            let same = tokenizer.decode_bytes(&ids, false) == text.as_bytes();
            if same { ids } else { self.trie.greedy_tokenize(text.as_bytes()) }
        })
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.tokenizer.is_some()
    }
}
