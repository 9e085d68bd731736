//! What a strategy may need beside the prompt: other prompts, a scorer.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use goldcrest_sample::Constraint;

use crate::DecodeError;
use crate::speculate::{Curve, HeadFile, SharedLearnt};

/// A text to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Tokens behind the prompt.
    pub tokens: &'a [u32],
    /// Their text; empty where the model has no tokenizer.
    pub text: &'a str,
    /// Whether nothing follows.
    pub finished: bool,
}

/// The answer of a [`Scorer`], when it is there.
pub type Score<'a> = Pin<Box<dyn Future<Output = Result<f32, DecodeError>> + 'a>>;

/// Judges candidates: a test runner, a reward model, a rule. Higher is better; searches that read it as a probability
/// or a share clamp it to 0 to 1.
pub trait Scorer {
    /// The score of a candidate.
    fn score<'a>(&'a mut self, candidate: Candidate<'a>) -> Score<'a>;
}

/// A rule that answers at once is a scorer.
impl<F: FnMut(Candidate<'_>) -> f32> Scorer for F {
    fn score<'a>(&'a mut self, candidate: Candidate<'a>) -> Score<'a> {
        let score = self(candidate);
        Box::pin(async move { Ok(score) })
    }
}

/// The answer of a [`Remote`], when it is there: tokens of the model here.
pub type RemoteAnswer<'a> = Pin<Box<dyn Future<Output = Result<Vec<u32>, DecodeError>> + 'a>>;

/// A server that may be asked. Whoever makes one has the user's consent to send the conversation to it.
pub trait Remote {
    /// Sends the conversation and gives the answer's text as tokens of the model here, at most about `max_tokens`.
    fn answer(&mut self, max_tokens: usize) -> RemoteAnswer<'_>;
}

/// What a strategy may need beside the prompt.
#[derive(Default)]
pub struct Resources {
    /// Prompts to contrast with, such as the same question without its document.
    pub references: Vec<Vec<u32>>,
    /// Judges candidates.
    pub scorer: Option<Box<dyn Scorer>>,
    /// Judges candidates by the reward that a further model was aligned to, where that is another than `scorer`'s.
    pub baseline_scorer: Option<Box<dyn Scorer>>,
    /// What speculation learnt, in the place of what is kept beside the model.
    pub learnt: Option<SharedLearnt>,
    /// Times of passes by their number of rows; without them they are taken on the way.
    pub pass_times: Option<Curve>,
    /// The form that the answer has to have; for speculation alone.
    pub constraint: Option<Box<dyn Constraint>>,
    /// Tokens that the form may not end with: ends of generation that the caller wants to go beyond.
    pub refused: Vec<u32>,
    /// A draft head that was trained for the model.
    pub head: Option<Rc<HeadFile>>,
    /// A judge of guesses that was trained for the model.
    pub judge: Option<Rc<HeadFile>>,
    /// A server that may be asked, with the user's consent.
    pub remote: Option<Box<dyn Remote>>,
}
