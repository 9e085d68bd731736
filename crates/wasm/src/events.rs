//! Where the events of a generation go, and where its questions are answered.

use std::cell::RefCell;

use goldcrest::EngineError;
use goldcrest::decode::{Candidate, DecodeError, Remote, RemoteAnswer, Score, Scorer};
use goldcrest::tokenizer::{Encode, Tokenizer};
use js_sys::{Function, Promise};
use serde_json::{Value, json};
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::error::Failure;
use crate::source::Signal;
use crate::turn::Turn;

/// The caller's function, and the signal that ends the generation.
pub(crate) struct Events {
    pub(crate) on_event: Function,
    pub(crate) signal: Signal,
    /// For a device that computes while it is called, so that the event loop turns only if it is given a turn.
    pub(crate) turn: Option<Turn>,
    /// What the function threw at a question, for the caller to have back as it was.
    pub(crate) thrown: RefCell<Option<JsValue>>,
}

impl Events {
    /// Tells the function, and waits for the promise that it may return.
    pub(crate) async fn emit(&self, event: Value) -> Result<(), Failure> {
        self.tell(event).await.map_err(Failure::Thrown)?;
        if let Some(turn) = &self.turn {
            turn.give().await;
        }
        Ok(())
    }

    async fn tell(&self, event: Value) -> Result<JsValue, JsValue> {
        let returned = self.on_event.call1(&JsValue::UNDEFINED, &event.to_string().into())?;
        match returned.dyn_into::<Promise>() {
            Ok(promise) => JsFuture::from(promise).await,
            Err(value) => Ok(value),
        }
    }

    /// Asks the function something; `None` if it threw.
    async fn ask(&self, question: Value) -> Option<JsValue> {
        let answer = self.tell(question).await;
        answer.map_err(|thrown| self.thrown.borrow_mut().replace(thrown)).ok()
    }
}

/// The caller's judgement: an event `score`, whose answer is a number.
pub(crate) struct AskedScorer(pub(crate) Rc<Events>);

impl Scorer for AskedScorer {
    fn score<'a>(&'a mut self, candidate: Candidate<'a>) -> Score<'a> {
        let Candidate { tokens, text, finished } = candidate;
        let question = json!({ "type": "score", "text": text, "tokens": tokens, "finished": finished });
        Box::pin(async move {
            let score = self.0.ask(question).await.and_then(|answer| answer.as_f64());
            let score = score.filter(|score| score.is_finite());
            let reason = || "the scorer gave no number".to_owned();
            score.map(|score| score as f32).ok_or_else(|| DecodeError::Scorer { reason: reason() })
        })
    }
}

/// The caller's server: an event `remote`, whose answer is a text.
pub(crate) struct AskedRemote {
    pub(crate) events: Rc<Events>,
    pub(crate) tokenizer: Arc<Tokenizer>,
}

impl Remote for AskedRemote {
    fn answer(&mut self, max_tokens: usize) -> RemoteAnswer<'_> {
        Box::pin(async move {
            let question = json!({ "type": "remote", "max_tokens": max_tokens });
            let text = self.events.ask(question).await.and_then(|answer| answer.as_string());
            if self.events.signal.aborted() {
                return Err(EngineError::Aborted.into());
            }
            let reason = || "the function gave no text".to_owned();
            let text = text.ok_or_else(|| DecodeError::Remote { reason: reason() })?;
            let plain = Encode { add_special: false, parse_special: false };
            Ok(self.tokenizer.encode(&text, plain))
        })
    }
}
