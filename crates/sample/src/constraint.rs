//! Which tokens may come next: the border between sampling and grammars, schemas, monitors.
//!
//! A [`Constraint`] is a state machine over tokens. Whoever decodes asks for the [`TokenMask`] of the tokens that may
//! follow those committed, chooses one of them and commits it. Masks depend on committed tokens only, so that one can
//! be computed while the device runs the forward pass that it will be applied to.

use std::fmt::Debug;
use std::task::{Context, Poll};

/// A state machine that says which tokens may follow the committed ones.
///
/// Speculation commits drafts and takes back those that the model refuses; search forks. Both find the state that a run
/// of the same tokens from the start would have: `commit` and [`Constraint::rollback`] cancel out, forks share nothing
/// that shows.
pub trait Constraint: Debug {
    /// The tokens that may come next, among them the ends of generation where the text may end here. When
    /// [`Constraint::is_over`], only those.
    ///
    /// # Errors
    /// [`ConstraintError::Stuck`] if there is none, [`ConstraintError::Limit`], [`ConstraintError::Pending`].
    fn mask(&mut self) -> Result<TokenMask, ConstraintError>;

    /// Goes on by a token.
    ///
    /// # Errors
    /// [`ConstraintError::Refused`] for a token outside the mask; the state is as before. [`ConstraintError::Limit`].
    fn commit(&mut self, token: u32) -> Result<(), ConstraintError>;

    /// Takes back the last `n` tokens.
    ///
    /// # Errors
    /// [`ConstraintError::Rollback`] if fewer were committed; the state is as before.
    fn rollback(&mut self, n: usize) -> Result<(), ConstraintError>;

    /// Tokens that must follow, as the tokenizer would write their text; empty where there is a choice. They are not
    /// committed by this call. To commit them is to run them in one batch instead of one by one.
    ///
    /// # Errors
    /// [`ConstraintError::Limit`].
    fn forced(&mut self) -> Result<Vec<u32>, ConstraintError> {
        Ok(Vec::new())
    }

    /// Whether the text may end here.
    ///
    /// # Errors
    /// [`ConstraintError::Limit`].
    fn is_accepting(&mut self) -> Result<bool, ConstraintError>;

    /// Whether the text is complete and nothing may follow but its end.
    fn is_over(&self) -> bool;

    /// An independent copy of the present state.
    fn fork(&self) -> Box<dyn Constraint>;

    /// Ready once [`Constraint::mask`] can answer: a constraint that asks the host, such as a language server behind a
    /// callback, answers late. Everything else is ready at once.
    ///
    /// # Errors
    /// [`ConstraintError::Failed`] with what the host failed at.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConstraintError>> {
        let _ready_at_once = context;
        Poll::Ready(Ok(()))
    }
}

impl Clone for Box<dyn Constraint> {
    fn clone(&self) -> Self {
        self.fork()
    }
}

/// Why a constraint could not answer or go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// No token may follow: the vocabulary cannot write what the constraint asks for, or everything it allows is banned.
    #[error("no token satisfies the constraint after {at} tokens")]
    Stuck {
        /// Tokens committed.
        at: usize,
    },
    /// A token that may not come here.
    #[error("token {token} may not come after {at} tokens")]
    Refused {
        /// The token.
        token: u32,
        /// Tokens committed.
        at: usize,
    },
    /// More tokens to take back than there are.
    #[error("{n} tokens cannot be taken back: {committed} are committed")]
    Rollback {
        /// Tokens to take back.
        n: usize,
        /// Tokens committed.
        committed: usize,
    },
    /// The host has not answered yet; see [`Constraint::poll_ready`].
    #[error("the constraint waits for an answer")]
    Pending,
    /// The work for one token exceeds what a constraint may cost.
    #[error("the constraint costs too much after {at} tokens: {reason}")]
    Limit {
        /// Tokens committed.
        at: usize,
        /// Which limit.
        reason: String,
    },
    /// The host's callback failed.
    #[error("the constraint failed: {reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

impl ConstraintError {
    /// A name that stays the same between releases.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stuck { .. } => "E_GRAMMAR_STUCK",
            Self::Limit { .. } => "E_GRAMMAR_LIMIT",
            Self::Failed { .. } => "E_CONSTRAINT_FAILED",
            Self::Refused { .. } | Self::Rollback { .. } | Self::Pending => "E_CONSTRAINT",
        }
    }

    /// Whether the cause is what the caller gave.
    #[must_use]
    pub const fn is_bad_input(&self) -> bool {
        matches!(self, Self::Stuck { .. } | Self::Limit { .. } | Self::Failed { .. })
    }

    /// What to do about it, one line.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Stuck { .. } => {
                "the grammar and the sampling parameters together leave no token; relax one of them"
            }
            Self::Limit { .. } => "give a smaller or simpler schema or grammar",
            Self::Failed { .. } => "see what the callback says",
            Self::Refused { .. } | Self::Rollback { .. } | Self::Pending => {
                "this is a fault in goldcrest; please report it with the grammar"
            }
        }
    }
}

/// A set of tokens: bit `i % 32` of word `i / 32` stands for token `i`.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenMask {
    words: Vec<u32>,
    n_vocab: u32,
}

impl TokenMask {
    /// The empty set.
    #[must_use]
    pub fn none(n_vocab: u32) -> Self {
        Self { words: vec![0; n_vocab.div_ceil(32) as usize], n_vocab }
    }

    /// All tokens.
    #[must_use]
    pub fn all(n_vocab: u32) -> Self {
        Self::from_words(vec![u32::MAX; n_vocab.div_ceil(32) as usize], n_vocab)
    }

    /// The set whose bits are given; absent words count as zero, bits behind the vocabulary are dropped.
    #[must_use]
    pub fn from_words(mut words: Vec<u32>, n_vocab: u32) -> Self {
        words.resize(n_vocab.div_ceil(32) as usize, 0);
        if let Some(last) = words.last_mut()
            && !n_vocab.is_multiple_of(32)
        {
            *last &= (1 << (n_vocab % 32)) - 1;
        }
        Self { words, n_vocab }
    }

    /// The bits.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Tokens of the vocabulary.
    #[must_use]
    pub const fn n_vocab(&self) -> u32 {
        self.n_vocab
    }

    /// Whether a token is in the set.
    #[must_use]
    pub fn contains(&self, token: u32) -> bool {
        self.words.get(token as usize / 32).is_some_and(|word| word >> (token % 32) & 1 == 1)
    }

    /// Adds a token; one outside the vocabulary is passed over.
    pub fn allow(&mut self, token: u32) {
        if token < self.n_vocab
            && let Some(word) = self.words.get_mut(token as usize / 32)
        {
            *word |= 1 << (token % 32);
        }
    }

    /// Takes a token out.
    pub fn refuse(&mut self, token: u32) {
        if let Some(word) = self.words.get_mut(token as usize / 32) {
            *word &= !(1 << (token % 32));
        }
    }

    /// Keeps what `other` has too.
    pub fn intersect(&mut self, other: &Self) {
        for (i, word) in self.words.iter_mut().enumerate() {
            *word &= other.words.get(i).copied().unwrap_or(0);
        }
    }

    /// Number of tokens in the set.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no token is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The tokens of the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.n_vocab).filter(|token| self.contains(*token))
    }
}

impl Debug for TokenMask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenMask({} of {})", self.count(), self.n_vocab)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_to_its_vocabulary() {
        for n_vocab in [1, 31, 32, 33, 64, 100] {
            let mut mask = TokenMask::all(n_vocab);
            assert_eq!(mask.count(), n_vocab as usize);
            assert!(mask.contains(n_vocab - 1) && !mask.contains(n_vocab));
            mask.allow(n_vocab);
            mask.refuse(0);
            mask.refuse(n_vocab + 64);
            assert_eq!(mask.iter().collect::<Vec<_>>(), (1..n_vocab).collect::<Vec<_>>());
        }
    }

    #[test]
    fn sets_meet() {
        let mut a = TokenMask::none(70);
        [1, 33, 69].into_iter().for_each(|token| a.allow(token));
        let mut b = TokenMask::none(40);
        [0, 1, 33].into_iter().for_each(|token| b.allow(token));
        a.intersect(&b);
        assert_eq!(a.iter().collect::<Vec<_>>(), [1, 33], "what the other does not know it does not have");
    }
}
