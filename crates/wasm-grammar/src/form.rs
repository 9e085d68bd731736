//! A form at some point of a text.

use std::task::{Context, Poll, Waker};

use goldcrest_sample::{Constraint, ConstraintError};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Failure;
use crate::words::Words;

/// A form at some point of a text: which tokens may come, and on by one of them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Form {
    constraint: Box<dyn Constraint>,
    /// Where the answers to its questions go.
    words: Option<Words>,
}

/// What has to be known before the next token.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Question {
    /// The text so far.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<u32>,
}

impl Form {
    pub(crate) fn new(constraint: Box<dyn Constraint>, words: Option<Words>) -> Self {
        Self { constraint, words }
    }

    fn poll(&mut self) -> Poll<Result<(), ConstraintError>> {
        self.constraint.poll_ready(&mut Context::from_waker(Waker::noop()))
    }
}

#[wasm_bindgen]
impl Form {
    /// Which words may come next, if that has to be asked; [`Form::answer`] is due then.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    pub fn question(&mut self) -> Result<Option<Question>, JsValue> {
        match self.poll() {
            Poll::Ready(ready) => Ok(ready.map(|()| None).map_err(Failure::Constraint)?),
            Poll::Pending => Ok(self.words.as_ref().map(Words::question)),
        }
    }

    /// The words of which one has to come; none for any.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    pub fn answer(&mut self, words: Option<Vec<String>>) -> Result<(), JsValue> {
        if let Some(asked) = &self.words {
            asked.give(words);
        }
        match self.poll() {
            Poll::Ready(ready) => Ok(ready.map_err(Failure::Constraint)?),
            Poll::Pending => Ok(()),
        }
    }

    /// The tokens that may come next: bit `i % 32` of word `i / 32` stands for token `i`.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    pub fn mask(&mut self) -> Result<Vec<u32>, JsValue> {
        Ok(self.constraint.mask().map_err(Failure::Constraint)?.words().to_vec())
    }

    /// Goes on by a token.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    pub fn commit(&mut self, token: u32) -> Result<(), JsValue> {
        Ok(self.constraint.commit(token).map_err(Failure::Constraint)?)
    }

    /// Takes back the last `n` tokens.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    pub fn rollback(&mut self, n: usize) -> Result<(), JsValue> {
        Ok(self.constraint.rollback(n).map_err(Failure::Constraint)?)
    }

    /// Tokens that must follow; empty where there is a choice.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    pub fn forced(&mut self) -> Result<Vec<u32>, JsValue> {
        Ok(self.constraint.forced().map_err(Failure::Constraint)?)
    }

    /// Whether the text may end here.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    #[wasm_bindgen(js_name = isAccepting)]
    pub fn is_accepting(&mut self) -> Result<bool, JsValue> {
        Ok(self.constraint.is_accepting().map_err(Failure::Constraint)?)
    }

    /// Whether nothing may follow but the end.
    #[must_use]
    #[wasm_bindgen(js_name = isOver)]
    pub fn is_over(&self) -> bool {
        self.constraint.is_over()
    }

    /// An independent copy.
    #[must_use]
    pub fn fork(&self) -> Form {
        Self { constraint: self.constraint.fork(), words: self.words.clone() }
    }
}
