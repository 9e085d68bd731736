//! A model's tokens as the automata see them: bytes in a trie.

use std::collections::BTreeSet;
use std::sync::Arc;

use goldcrest_tokenizer::Tokenizer;
use llguidance::toktrie::{INVALID_TOKEN, TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use crate::GrammarError;

/// Most tokens: as many as the sampling kernels serve.
const MAX_VOCAB: usize = 1 << 22;

/// Gives the tokens of a text as a model's tokenizer writes it behind other text.
pub type Write = Box<dyn Fn(&str) -> Vec<u32> + Send + Sync>;

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
        let pieces: Vec<&[u8]> = (0..n_vocab).map(|id| tokenizer.piece(id).unwrap_or_default()).collect();
        let special: Vec<u32> = (0..n_vocab).filter(|id| tokenizer.is_special(*id)).collect();
        let ends = tokenizer.eog().to_vec();
        let known = Arc::clone(&tokenizer);
        Self::with_writer(&pieces, &special, &ends, Box::new(move |text| known.encode_continuation(text)))
    }

    /// Tokens given by their bytes. `special` ones stand for no text, nor do those of `ends`, which end one.
    ///
    /// # Errors
    /// [`GrammarError::Vocabulary`].
    pub fn with_writer(
        pieces: &[&[u8]],
        special: &[u32],
        ends: &[u32],
        write: Write,
    ) -> Result<Self, GrammarError> {
        Self::of(pieces, special, ends, Some(write))
    }

    /// Tokens given by their bytes, of which `ends` end a text and stand for none. Nothing is known of how such a
    /// vocabulary writes text, so that no token is forced.
    ///
    /// # Errors
    /// [`GrammarError::Vocabulary`].
    pub fn from_pieces(pieces: &[&[u8]], ends: &[u32]) -> Result<Self, GrammarError> {
        Self::of(pieces, &[], ends, None)
    }

    fn of(
        pieces: &[&[u8]],
        special: &[u32],
        ends: &[u32],
        write: Option<Write>,
    ) -> Result<Self, GrammarError> {
        let mut words: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        let silent: BTreeSet<u32> = special.iter().chain(ends).copied().collect();
        for id in &silent {
            if let Some(word) = words.get_mut(*id as usize) {
                word.insert(0, TokTrie::SPECIAL_TOKEN_MARKER);
            }
        }
        Ok(Self { env: Arc::new(Env { trie: trie(words, ends)?, write }) })
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
    write: Option<Write>,
}

impl TokenizerEnv for Env {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        let Some(write) = &self.write else { return self.trie.greedy_tokenize(bytes) };
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            let ids = write(text);
            // Some tokenizers normalize. What is forced must be these bytes and no others.
            let known = ids.iter().all(|id| (*id as usize) < self.trie.vocab_size());
            let same = known && ids.iter().flat_map(|id| self.trie.token(*id)).eq(text.as_bytes());
            if same { ids } else { self.trie.greedy_tokenize(text.as_bytes()) }
        })
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.write.is_some()
    }
}
