//! Monitors: a callback that knows the program restricts the next word.
//!
//! While a monitor watches, every token is allowed. When it names the words that may come, such as the members of an
//! object behind a dot, a token is allowed if it begins one of them, or ends one with a character that no word contains
//! and goes on as it likes. Behind that character the monitor watches again.

use std::task::{Context, Poll};

use goldcrest_sample::{Constraint, ConstraintError, TokenMask};

use crate::Vocabulary;

/// Knows which words may come.
pub trait Monitor {
    /// The words of which one has to come behind `text`, what was generated so far; none for no restriction. An empty
    /// list restricts nothing either: what knows no word must not end the text.
    ///
    /// # Errors
    /// What the generation is to fail with.
    fn poll_words(
        &mut self,
        text: &[u8],
        tokens: &[u32],
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Vec<String>>, String>>;

    /// A monitor for another sequence that goes on from the same text.
    fn fork(&self) -> Box<dyn Monitor>;
}

impl<F> Monitor for F
where
    F: FnMut(&str, &[u32]) -> Option<Vec<String>> + Clone + 'static,
{
    fn poll_words(
        &mut self,
        text: &[u8],
        tokens: &[u32],
        _context: &mut Context<'_>,
    ) -> Poll<Result<Option<Vec<String>>, String>> {
        Poll::Ready(Ok(self(&String::from_utf8_lossy(text), tokens)))
    }

    fn fork(&self) -> Box<dyn Monitor> {
        Box::new(self.clone())
    }
}

/// Whether a character belongs to words as most programming languages have them.
#[must_use]
pub fn is_identifier(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// A constraint that asks a [`Monitor`].
pub struct MonitorConstraint {
    monitor: Box<dyn Monitor>,
    vocabulary: Vocabulary,
    text: Vec<u8>,
    tokens: Vec<u32>,
    /// Before each token: the length of the text, and what was known of the next word.
    past: Vec<(usize, State)>,
    state: State,
}

/// What is known of the next word.
#[derive(Debug, Clone, PartialEq)]
enum State {
    /// The monitor has not been asked.
    Unasked,
    /// It restricts nothing here.
    Free,
    /// What is left of the words that may come.
    Words(Vec<Vec<u8>>),
}

impl MonitorConstraint {
    /// Begins with an empty text.
    #[must_use]
    pub fn new(vocabulary: &Vocabulary, monitor: Box<dyn Monitor>) -> Self {
        let state = State::Unasked;
        Self {
            monitor,
            vocabulary: vocabulary.clone(),
            text: Vec::new(),
            tokens: Vec::new(),
            past: Vec::new(),
            state,
        }
    }

    fn ask(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConstraintError>> {
        if self.state != State::Unasked {
            return Poll::Ready(Ok(()));
        }
        self.monitor.poll_words(&self.text, &self.tokens, context).map(|words| {
            let words = words.map_err(|reason| ConstraintError::Failed { reason })?;
            let words: Vec<Vec<u8>> = words
                .unwrap_or_default()
                .into_iter()
                .filter(|w| !w.is_empty())
                .map(String::into_bytes)
                .collect();
            self.state = if words.is_empty() { State::Free } else { State::Words(words) };
            Ok(())
        })
    }
}

impl Constraint for MonitorConstraint {
    fn mask(&mut self) -> Result<TokenMask, ConstraintError> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match self.ask(&mut context) {
            Poll::Ready(asked) => asked?,
            Poll::Pending => return Err(ConstraintError::Pending),
        }
        let n_vocab = self.vocabulary.n_vocab();
        let State::Words(words) = &self.state else { return Ok(TokenMask::all(n_vocab)) };
        let mut mask = TokenMask::none(n_vocab);
        for token in (0..n_vocab).filter(|token| allowed(words, self.vocabulary.piece(*token))) {
            mask.allow(token);
        }
        if words.iter().any(Vec::is_empty) {
            self.vocabulary.ends().iter().for_each(|end| mask.allow(*end));
        }
        if mask.is_empty() { Err(ConstraintError::Stuck { at: self.tokens.len() }) } else { Ok(mask) }
    }

    fn commit(&mut self, token: u32) -> Result<(), ConstraintError> {
        if !self.mask()?.contains(token) {
            return Err(ConstraintError::Refused { token, at: self.tokens.len() });
        }
        let piece = self.vocabulary.piece(token);
        let next = match &self.state {
            State::Words(words) => after(words, piece),
            _ => State::Unasked,
        };
        self.past.push((self.text.len(), std::mem::replace(&mut self.state, next)));
        self.text.extend_from_slice(piece);
        self.tokens.push(token);
        Ok(())
    }

    fn rollback(&mut self, n: usize) -> Result<(), ConstraintError> {
        let committed = self.tokens.len();
        if n > committed {
            return Err(ConstraintError::Rollback { n, committed });
        }
        self.tokens.truncate(committed - n);
        if let Some((length, state)) = self.past.drain(committed - n..).next() {
            self.text.truncate(length);
            self.state = state;
        }
        Ok(())
    }

    fn is_accepting(&mut self) -> Result<bool, ConstraintError> {
        Ok(match &self.state {
            State::Words(words) => words.iter().any(Vec::is_empty),
            _ => true,
        })
    }

    fn is_over(&self) -> bool {
        self.tokens.last().is_some_and(|token| self.vocabulary.ends().contains(token))
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(Self {
            monitor: self.monitor.fork(),
            vocabulary: self.vocabulary.clone(),
            text: self.text.clone(),
            tokens: self.tokens.clone(),
            past: self.past.clone(),
            state: self.state.clone(),
        })
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConstraintError>> {
        self.ask(context)
    }
}

impl std::fmt::Debug for MonitorConstraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonitorConstraint").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Whether a token may come: it begins one of the words, or completes one and goes on with what no word contains.
fn allowed(words: &[Vec<u8>], piece: &[u8]) -> bool {
    !piece.is_empty()
        && words
            .iter()
            .any(|word| word.starts_with(piece) || piece.strip_prefix(word.as_slice()).is_some_and(is_break))
}

/// Whether the bytes begin with a character that no word contains. The first bytes of a longer character are not known yet.
fn is_break(bytes: &[u8]) -> bool {
    let first = bytes.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    first.is_some_and(|c| !is_identifier(c))
}

fn after(words: &[Vec<u8>], piece: &[u8]) -> State {
    let rest: Vec<Vec<u8>> =
        words.iter().filter_map(|word| word.strip_prefix(piece)).map(<[u8]>::to_vec).collect();
    // A token that no word contains has ended one.
    if rest.is_empty() { State::Unasked } else { State::Words(rest) }
}
