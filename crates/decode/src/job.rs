//! What a strategy works with: the prompt, the model's sequences, the answer it writes.

use std::cell::Cell;
use std::rc::Rc;

use goldcrest_engine::batch::Wants;
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{AnswerText, Finish};
use goldcrest_sample::{Chain, Choice, Constraint, SampleError, SamplerParams};
use goldcrest_tokenizer::Encode;
use serde_json::{Map, Value};

use crate::form::Forms;
use crate::speculate::SharedLearnt;
use crate::writer::Writer;
use crate::{Candidate, DecodeError, Lm, Resources, Row, Sequences};

/// What is asked of a strategy.
pub struct Ask {
    /// Tokens to continue; at least one.
    pub prompt: Vec<u32>,
    /// Most new tokens.
    pub max_tokens: usize,
    /// How tokens are chosen where the strategy samples.
    pub sampler: SamplerParams,
    /// Turns tokens into text and knows what ends an answer.
    pub answer: Option<AnswerText>,
    /// What the strategy may need beside the prompt.
    pub resources: Resources,
    /// The form that the answer must have.
    pub constraint: Option<Box<dyn Constraint>>,
    /// Set, it ends the answer at the next pass over a model; what is written stays.
    pub abort: Rc<Cell<bool>>,
}

impl Ask {
    /// A greedy continuation without text, up to 64 tokens.
    #[must_use]
    pub fn new(prompt: Vec<u32>) -> Self {
        let (sampler, resources) = (SamplerParams::greedy(), Resources::default());
        let (answer, constraint, abort) = (None, None, Rc::default());
        Self { prompt, max_tokens: 64, sampler, answer, resources, constraint, abort }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// New tokens, an end-of-generation token included.
    pub tokens: Vec<u32>,
    /// Their log-probabilities, as the strategy saw them.
    pub logprobs: Vec<f32>,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// What the strategy reports of itself, beside `passes` and `rows`.
    pub report: Map<String, Value>,
}

/// A strategy at work. `L` is the model; `others` are the further models it was given.
pub struct Job<'a, L: Lm> {
    /// Tokens to continue.
    pub prompt: Vec<u32>,
    /// The model that answers.
    pub model: Sequences<'a, L>,
    /// Further models: a draft, an amateur, a small sibling.
    pub others: Vec<Sequences<'a, L>>,
    /// How tokens are chosen where the strategy samples.
    pub sampler: SamplerParams,
    /// Prompts and scorer that were given.
    pub resources: Resources,
    /// The answer.
    pub out: Writer,
    /// What the strategy reports of itself.
    pub report: Map<String, Value>,
    fresh: AnswerText,
    kept: Option<(SeqId, Vec<u32>)>,
}

impl<'a, L: Lm> Job<'a, L> {
    pub(crate) fn new(ask: Ask, model: Sequences<'a, L>, fresh: AnswerText, out: Writer) -> Self {
        Self {
            prompt: ask.prompt,
            model,
            others: Vec::new(),
            sampler: ask.sampler,
            resources: ask.resources,
            out,
            report: Map::new(),
            fresh,
            kept: None,
        }
    }

    /// Holds the answer to a form, whichever of the models writes it.
    pub(crate) fn hold_to(&mut self, form: &dyn Constraint) {
        let n_prompt = self.prompt.len();
        for model in std::iter::once(&mut self.model).chain(&mut self.others) {
            let fresh = self.fresh.clone();
            model.hold_to(Forms::new(form.fork(), n_prompt, move |token| fresh.ends(token)));
        }
    }

    /// A sequence that holds the prompt, and the row behind it.
    ///
    /// # Errors
    /// As [`Sequences::open`].
    pub async fn open(&mut self, wants: &Wants) -> Result<(SeqId, Row), DecodeError> {
        let prompt = self.prompt.clone();
        self.model.open(&prompt, wants).await
    }

    /// The sequences of one of the models: 0 is the main one, the others follow.
    ///
    /// # Errors
    /// [`DecodeError::MissingResource`] if there is no such model.
    pub(crate) fn sequences(&mut self, model: usize) -> Result<&mut Sequences<'a, L>, DecodeError> {
        let missing = DecodeError::MissingResource { method: "the strategy", what: "another model" };
        match model.checked_sub(1) {
            None => Ok(&mut self.model),
            Some(other) => self.others.get_mut(other).ok_or(missing),
        }
    }

    /// The sampler's chain with the prompt as its history, drawing from the stream of `lineage`.
    ///
    /// # Errors
    /// [`SampleError::InvalidParameter`].
    pub fn chain(&self, lineage: u32) -> Result<Chain, DecodeError> {
        let mut chain = self.sampler.to_chain()?.fork(lineage);
        self.prompt.iter().for_each(|token| chain.accept(*token));
        Ok(chain)
    }

    /// Whether the token ends an answer.
    #[must_use]
    pub fn ends(&self, token: u32) -> bool {
        self.fresh.ends(token)
    }

    /// Tokens of a text that stands within a prompt; none where the model has no tokenizer.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let options = Encode { add_special: false, parse_special: false };
        self.fresh.tokenizer().map(|tokenizer| tokenizer.encode(text, options)).unwrap_or_default()
    }

    /// [`Job::ends`] without the job.
    pub(crate) fn ender(&self) -> impl Fn(u32) -> bool + use<L> {
        let fresh = self.fresh.clone();
        move |token| fresh.ends(token)
    }

    /// The text of tokens behind the prompt, and why they are a whole answer, if they are: a token that ends it, a stop
    /// text, or as many tokens as were asked for.
    #[must_use]
    pub fn text(&self, tokens: &[u32]) -> (String, Option<Finish>) {
        let mut answer = self.fresh.clone();
        let mut text = String::new();
        for token in tokens {
            let taken = answer.push(*token);
            text.push_str(&taken.text);
            if let Some(finish) = taken.finish {
                return (text + &answer.finish(finish), Some(finish));
            }
        }
        let full = tokens.len() >= self.out.room() + self.out.tokens().len();
        (text + &answer.finish(Finish::Length), full.then_some(Finish::Length))
    }

    /// The caller's judgement of tokens behind the prompt.
    ///
    /// # Errors
    /// [`DecodeError::MissingResource`] if there is no scorer, [`DecodeError::Scorer`].
    pub async fn score(&mut self, method: &'static str, tokens: &[u32]) -> Result<f32, DecodeError> {
        let (text, finish) = self.text(tokens);
        let Some(scorer) = &mut self.resources.scorer else {
            return Err(DecodeError::MissingResource { method, what: "a scorer" });
        };
        scorer.score(Candidate { tokens, text: &text, finished: finish.is_some() }).await
    }

    /// What speculation learnt: of the caller's, or what is kept beside the model.
    pub(crate) fn learnt(&mut self) -> SharedLearnt {
        self.resources.learnt.clone().unwrap_or_else(|| self.model.lm().learnt())
    }

    /// Writes tokens that were decided on together, up to where the answer ends.
    pub async fn write(&mut self, tokens: &[u32], logprobs: &[f32]) {
        for (token, logprob) in tokens.iter().zip(logprobs) {
            if !self.out.push(*token, *logprob).await {
                return;
            }
        }
    }

    /// Leaves a sequence that holds exactly `tokens` to the caller, who may continue it without running them again.
    pub fn keep(&mut self, seq: SeqId, tokens: Vec<u32>) {
        self.model.release(seq);
        self.kept = Some((seq, tokens));
    }

    pub(crate) fn finish(mut self) -> (Outcome, Option<(SeqId, Vec<u32>)>) {
        self.out.end(Finish::Length);
        let mut report = std::mem::take(&mut self.report);
        report.insert("passes".into(), self.model.passes().into());
        report.insert("rows".into(), self.model.rows().into());
        if !self.others.is_empty() {
            let passes: u64 = self.others.iter().map(Sequences::passes).sum();
            report.insert("other_passes".into(), passes.into());
        }
        let (tokens, logprobs) = (self.out.tokens().to_vec(), self.out.logprobs().to_vec());
        (Outcome { tokens, logprobs, finish: self.out.finish(), report }, self.kept.take())
    }
}

/// Takes the token behind a row: the one that the device drew, or the chain's choice; with its log-probability under the model.
///
/// # Errors
/// As [`choose`].
pub(crate) fn take(chain: &mut Chain, row: &Row, position: u32) -> Result<(u32, f32), DecodeError> {
    if let Some(token) = row.drawn() {
        chain.accept(token);
        return Ok((token, row.logprob(token)));
    }
    let (choice, logprob) = choose(chain, row, position)?;
    chain.commit(&choice);
    Ok((choice.id, logprob))
}

/// The token that a chain chooses from a row for the position behind `seq`'s last entry, with its log-probability
/// under the model. Commit the choice if the token is taken.
///
/// # Errors
/// [`SampleError::NeedsFullRow`] if the chain cannot decide on the best 256: ask for the row.
pub(crate) fn choose(chain: &Chain, row: &Row, position: u32) -> Result<(Choice, f32), DecodeError> {
    // Sorting a whole row of 49,152 takes milliseconds, which the best 256 of it mostly save.
    if let Some(mut best) = row.best(chain)? {
        match chain.choose(&mut best, position) {
            Err(SampleError::NeedsFullRow { .. }) => {}
            other => {
                let choice = other?;
                return Ok((choice, row.logprob(choice.id)));
            }
        }
    }
    let choice = chain.choose(&mut row.candidates()?, position)?;
    Ok((choice, row.logprob(choice.id)))
}
