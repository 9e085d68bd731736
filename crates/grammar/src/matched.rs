//! A compiled grammar at some point of a text.

use goldcrest_sample::{Constraint, ConstraintError, TokenMask};
use llguidance::Matcher;
use llguidance::api::StopReason;

use crate::Vocabulary;

/// A compiled grammar at some point of a text.
pub struct GrammarConstraint {
    matcher: Matcher,
    vocabulary: Vocabulary,
    committed: usize,
}

impl GrammarConstraint {
    pub(crate) const fn new(matcher: Matcher, vocabulary: Vocabulary) -> Self {
        Self { matcher, vocabulary, committed: 0 }
    }

    /// Tokens committed.
    #[must_use]
    pub const fn committed(&self) -> usize {
        self.committed
    }

    fn fault(&self) -> ConstraintError {
        let at = self.committed;
        match self.matcher.stop_reason() {
            StopReason::NoExtensionBias | StopReason::NoExtension => ConstraintError::Stuck { at },
            StopReason::LexerTooComplex | StopReason::ParserTooComplex => {
                let reason = self.matcher.get_error().unwrap_or_default();
                ConstraintError::Limit { at, reason: first_line(&reason) }
            }
            _ => {
                let reason = self.matcher.get_error().unwrap_or_default();
                // The parser reports a dead end and an exceeded budget as one kind once it has stopped.
                match reason.contains("limit") || reason.contains("too ") {
                    true => ConstraintError::Limit { at, reason: first_line(&reason) },
                    false => ConstraintError::Stuck { at },
                }
            }
        }
    }
}

impl Constraint for GrammarConstraint {
    fn mask(&mut self) -> Result<TokenMask, ConstraintError> {
        let bits = self.matcher.compute_mask_or_eos().map_err(|_| self.fault())?;
        let mask = TokenMask::from_words(bits.into(), self.vocabulary.n_vocab());
        if mask.is_empty() && !self.is_over() {
            return Err(ConstraintError::Stuck { at: self.committed });
        }
        Ok(mask)
    }

    fn commit(&mut self, token: u32) -> Result<(), ConstraintError> {
        let refused = ConstraintError::Refused { token, at: self.committed };
        if token >= self.vocabulary.n_vocab() {
            return Err(refused);
        }
        match self.matcher.try_consume_tokens(&[token]) {
            Ok(1) => {
                self.committed += 1;
                Ok(())
            }
            Ok(_) => Err(refused),
            Err(_) => Err(self.fault()),
        }
    }

    fn rollback(&mut self, n: usize) -> Result<(), ConstraintError> {
        if n > self.committed {
            return Err(ConstraintError::Rollback { n, committed: self.committed });
        }
        self.matcher.rollback(n).map_err(|_| self.fault())?;
        self.committed -= n;
        Ok(())
    }

    fn forced(&mut self) -> Result<Vec<u32>, ConstraintError> {
        if self.is_over() {
            return Ok(Vec::new());
        }
        let forced = self.matcher.compute_ff_tokens();
        if self.matcher.is_error() { Err(self.fault()) } else { Ok(forced) }
    }

    fn is_accepting(&mut self) -> Result<bool, ConstraintError> {
        self.matcher.is_accepting().map_err(|_| self.fault())
    }

    fn is_over(&self) -> bool {
        self.matcher.is_stopped() && !self.matcher.is_error()
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(Self {
            matcher: self.matcher.clone(),
            vocabulary: self.vocabulary.clone(),
            committed: self.committed,
        })
    }
}

impl std::fmt::Debug for GrammarConstraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrammarConstraint").field("committed", &self.committed).finish_non_exhaustive()
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
