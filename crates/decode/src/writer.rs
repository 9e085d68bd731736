//! The answer as a strategy writes it: tokens become text, stop rules are kept, the caller hears of it.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use goldcrest_engine::{AnswerText, Event, Finish, TokenEvent};
use web_time::Instant;

use crate::sequences::Wire;

/// The answer so far.
pub struct Writer {
    answer: AnswerText,
    max_tokens: usize,
    wire: Rc<Wire>,
    tokens: Vec<u32>,
    logprobs: Vec<f32>,
    finish: Option<Finish>,
    pub(crate) first_token: Option<Instant>,
    pub(crate) last_token: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(answer: AnswerText, max_tokens: usize, wire: Rc<Wire>) -> Self {
        let (tokens, logprobs) = (Vec::new(), Vec::new());
        Self { answer, max_tokens, wire, tokens, logprobs, finish: None, first_token: None, last_token: None }
    }

    /// Writes a token that will not be taken back, with its log-probability. Gives whether more may follow.
    pub async fn push(&mut self, token: u32, logprob: f32) -> bool {
        self.push_as(token, logprob, false).await
    }

    /// [`Writer::push`], saying whether the token was guessed.
    pub(crate) async fn push_as(&mut self, token: u32, logprob: f32, guessed: bool) -> bool {
        if self.finish.is_some() {
            return false;
        }
        let now = Instant::now();
        self.first_token.get_or_insert(now);
        self.last_token = Some(now);
        self.tokens.push(token);
        self.logprobs.push(logprob);
        let taken = self.answer.push(token);
        self.finish = taken.finish;
        let event = match taken.finish {
            None => Event::Token(TokenEvent { token, text: taken.text, logprob, top: Vec::new(), guessed }),
            Some(finish) => Event::End { finish, text: taken.text + &self.answer.finish(finish) },
        };
        self.wire.events.borrow_mut().push_back(event);
        yield_once().await;
        if self.finish.is_none() && self.tokens.len() >= self.max_tokens {
            self.end(Finish::Length);
        }
        self.finish.is_none()
    }

    /// Ends the answer, if it has not ended by itself.
    pub fn end(&mut self, finish: Finish) {
        if self.finish.is_none() {
            self.finish = Some(finish);
            let text = self.answer.finish(finish);
            self.wire.events.borrow_mut().push_back(Event::End { finish, text });
        }
    }

    /// Tokens written so far.
    #[must_use]
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Their log-probabilities.
    #[must_use]
    pub fn logprobs(&self) -> &[f32] {
        &self.logprobs
    }

    /// Why the answer ended, if it did.
    #[must_use]
    pub const fn finish(&self) -> Option<Finish> {
        self.finish
    }

    /// Tokens that may still be written.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.finish.is_some() { 0 } else { self.max_tokens - self.tokens.len().min(self.max_tokens) }
    }
}

/// Gives the caller a turn.
pub(crate) async fn yield_once() {
    let mut asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
