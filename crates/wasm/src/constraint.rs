//! A constraint on the other side of the border: the module of grammars, or whatever else has these functions.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use goldcrest::sample::{Constraint, ConstraintError, TokenMask};
use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::events::Events;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "
/** Says token by token what may come. Every function may throw, which ends the generation with what it threw. */
export interface TokenConstraint {
  /** Before each mask: a promise is waited for. */
  ready(): Promise<void> | undefined;
  /** The tokens that may come next: bit `i % 32` of word `i / 32` stands for token `i`. */
  mask(): Uint32Array;
  /** Goes on by a token. */
  commit(token: number): void;
  /** Takes back the last `n` tokens. */
  rollback(n: number): void;
  /** Tokens that must follow; empty where there is a choice. */
  forced(): Uint32Array;
  /** Whether the text may end here. */
  isAccepting(): boolean;
  /** Whether nothing may follow but the end. */
  isOver(): boolean;
  /** An independent copy. */
  fork(): TokenConstraint;
}
";

#[wasm_bindgen]
extern "C" {
    /// Says token by token what may come.
    #[wasm_bindgen(typescript_type = "TokenConstraint")]
    pub type TokenConstraint;

    #[wasm_bindgen(method, catch)]
    fn ready(this: &TokenConstraint) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn mask(this: &TokenConstraint) -> Result<Vec<u32>, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn commit(this: &TokenConstraint, token: u32) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn rollback(this: &TokenConstraint, n: usize) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn forced(this: &TokenConstraint) -> Result<Vec<u32>, JsValue>;

    #[wasm_bindgen(method, catch, js_name = isAccepting)]
    fn is_accepting(this: &TokenConstraint) -> Result<bool, JsValue>;

    #[wasm_bindgen(method, js_name = isOver)]
    fn is_over(this: &TokenConstraint) -> bool;

    #[wasm_bindgen(method)]
    fn fork(this: &TokenConstraint) -> TokenConstraint;
}

/// The caller's constraint, as the engine takes it.
pub(crate) struct Outside {
    constraint: TokenConstraint,
    n_vocab: u32,
    /// Where what it throws is kept, for the caller to have back as it was.
    events: Rc<Events>,
    /// What it has promised before the next mask.
    promised: Option<JsFuture>,
}

impl Outside {
    pub(crate) fn new(constraint: TokenConstraint, n_vocab: u32, events: &Rc<Events>) -> Self {
        Self { constraint, n_vocab, events: Rc::clone(events), promised: None }
    }

    fn or_failed<T>(&self, result: Result<T, JsValue>) -> Result<T, ConstraintError> {
        result.map_err(|thrown| {
            self.events.thrown.borrow_mut().replace(thrown);
            ConstraintError::Failed { reason: "it threw".to_owned() }
        })
    }
}

impl Constraint for Outside {
    fn mask(&mut self) -> Result<TokenMask, ConstraintError> {
        let words = self.or_failed(self.constraint.mask())?;
        Ok(TokenMask::from_words(words, self.n_vocab))
    }

    fn commit(&mut self, token: u32) -> Result<(), ConstraintError> {
        self.or_failed(self.constraint.commit(token))
    }

    fn rollback(&mut self, n: usize) -> Result<(), ConstraintError> {
        self.or_failed(self.constraint.rollback(n))
    }

    fn forced(&mut self) -> Result<Vec<u32>, ConstraintError> {
        self.or_failed(self.constraint.forced())
    }

    fn is_accepting(&mut self) -> Result<bool, ConstraintError> {
        self.or_failed(self.constraint.is_accepting())
    }

    fn is_over(&self) -> bool {
        self.constraint.is_over()
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(Self::new(self.constraint.fork(), self.n_vocab, &self.events))
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConstraintError>> {
        if self.promised.is_none() {
            match self.constraint.ready().map(JsCast::dyn_into::<Promise>) {
                Err(thrown) => return Poll::Ready(self.or_failed(Err(thrown))),
                Ok(Err(_at_once)) => return Poll::Ready(Ok(())),
                Ok(Ok(promise)) => self.promised = Some(JsFuture::from(promise)),
            }
        }
        let Some(promised) = &mut self.promised else { return Poll::Ready(Ok(())) };
        let answer = Future::poll(Pin::new(promised), context);
        if answer.is_ready() {
            self.promised = None;
        }
        answer.map(|answer| self.or_failed(answer).map(|_done| ()))
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("n_vocab", &self.n_vocab).finish_non_exhaustive()
    }
}
