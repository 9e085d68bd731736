//! A strategy under way, and the events that come of it.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use goldcrest_engine::batch::Wants;
use goldcrest_engine::{AnswerText, EngineError, Event, Finish, Prompt, Request, Runtime, Session, Stats};
use goldcrest_sample::Constraint;
use web_time::Instant;

use crate::form::Lasting;
use crate::job::Outcome;
use crate::sequences::Wire;
use crate::strategy::FormBy;
use crate::writer::Writer;
use crate::{Ask, DecodeError, Job, Lm, Method, Resources, Row, Sequences, Strategy};

type Running<'s> = Pin<Box<dyn Future<Output = Result<(Outcome, Stats), DecodeError>> + 's>>;

/// A strategy at work on a session's model; ask it for events until [`Event::End`].
pub struct Decoding<'s> {
    wire: Rc<Wire>,
    running: Option<Running<'s>>,
    ended: Option<(Outcome, Stats)>,
    prompt: Vec<u32>,
}

impl<'s> Decoding<'s> {
    /// Starts a strategy. `others` are further models of the same vocabulary, for the strategies that want them.
    ///
    /// # Errors
    /// Errors of the request, before the device does anything; [`DecodeError::VocabularyMismatch`],
    /// [`DecodeError::Unconstrained`]; [`DecodeError::InvalidParameter`] where a lossy rule meets a deterministic runtime.
    pub fn start(
        session: &'s mut Session,
        request: &Request,
        method: Method,
        resources: Resources,
        others: Vec<Rc<RefCell<Runtime>>>,
    ) -> Result<Self, DecodeError> {
        check_form(request.constraint.is_some(), method.form(), method.name())?;
        let prompt = session.encode(&method.rewrite(&request.prompt))?;
        if prompt.is_empty() {
            return Err(EngineError::EmptyPrompt.into());
        }
        let masks = method.form() == FormBy::Masks;
        let constraint = form(request, session.text().tokenizer().eog()).filter(|_| masks);
        // A form has an end of its own, which even an answer that is to go on must not pass.
        let ignore_eos = request.ignore_eos && constraint.is_none();
        let answer = AnswerText::new(session.text().tokenizer(), &request.stop, ignore_eos)?;
        let runtime = session.runtime().try_borrow().map_err(|_| EngineError::Busy)?;
        let (n_vocab, n_ctx) = (runtime.config().n_vocab, runtime.n_ctx());
        check_lossy(runtime.is_deterministic(), &method)?;
        drop(runtime);
        request.sampler.validate().map_err(EngineError::from)?;
        request.sampler.validate_tokens(n_vocab).map_err(EngineError::from)?;
        let mut resources = resources;
        if request.constraint.is_some() && !masks {
            resources.constraint.clone_from(&request.constraint);
            if request.ignore_eos {
                resources.refused = session.text().tokenizer().eog().to_vec();
            }
        }
        for other in &others {
            let theirs = other.try_borrow().map_err(|_| EngineError::Busy)?.config().n_vocab;
            if theirs != n_vocab {
                return Err(DecodeError::VocabularyMismatch { ours: n_vocab, theirs });
            }
        }
        let Some(room) = (n_ctx as usize + 1).checked_sub(prompt.len()) else {
            return Err(EngineError::PromptTooLong { n_prompt: prompt.len(), n_ctx }.into());
        };
        let max_tokens = request.max_tokens.unwrap_or(room).min(room);
        let sampler = request.sampler.clone();
        let answer = Some(answer);
        let ask = Ask { max_tokens, sampler, answer, resources, constraint, ..Ask::new(prompt.clone()) };
        let wire = Rc::new(Wire { aborted: Rc::clone(&ask.abort), ..Wire::default() });
        let running = Box::pin(run(session, ask, method, others, Rc::clone(&wire)));
        Ok(Self { wire, running: Some(running), ended: None, prompt })
    }

    /// Tokens of the prompt.
    #[must_use]
    pub fn prompt(&self) -> &[u32] {
        &self.prompt
    }

    /// The next event; none behind [`Event::End`].
    ///
    /// # Errors
    /// Whatever the strategy failed with.
    pub async fn next(&mut self) -> Result<Option<Event>, DecodeError> {
        poll_fn(|context| {
            loop {
                if let Some(event) = self.wire.events.borrow_mut().pop_front() {
                    return Poll::Ready(Ok(Some(event)));
                }
                let Some(running) = &mut self.running else { return Poll::Ready(Ok(None)) };
                match running.as_mut().poll(context) {
                    Poll::Ready(result) => {
                        self.running = None;
                        self.ended = Some(result?);
                    }
                    Poll::Pending if self.wire.events.borrow().is_empty() => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
        })
        .await
    }

    /// Ends the strategy at its next pass over the model; what it has written stays.
    pub fn abort(&self) {
        self.wire.aborted.set(true);
    }

    /// What came of it, behind the last event.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        match &self.ended {
            Some((outcome, _)) => Some(outcome),
            None => None,
        }
    }

    /// Times and counts, behind the last event.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.ended.as_ref().map(|(_, stats)| *stats).unwrap_or_default()
    }
}

/// What a session's model says of the token behind a prompt, all logits included.
///
/// # Errors
/// Errors of the prompt, and what a forward pass may fail with.
pub async fn row_behind(session: &Session, prompt: &Prompt) -> Result<Row, DecodeError> {
    wanted_behind(session, prompt, &Wants { stats: true, row: true, ..Wants::default() }).await
}

/// The model's hidden row behind a prompt, after the final norm.
///
/// # Errors
/// As [`row_behind`].
pub async fn state_behind(session: &Session, prompt: &Prompt) -> Result<Vec<f32>, DecodeError> {
    let wants = Wants { hidden: true, ..Wants::default() };
    Ok(wanted_behind(session, prompt, &wants).await?.hidden().to_vec())
}

#[allow(clippy::await_holding_refcell_ref, reason = "the borrow is tried: who comes meanwhile is told Busy")]
async fn wanted_behind(session: &Session, prompt: &Prompt, wants: &Wants) -> Result<Row, DecodeError> {
    let tokens = session.encode(prompt)?;
    let mut runtime = session.runtime().try_borrow_mut().map_err(|_| EngineError::Busy)?;
    let cached = session.sequence().map(|seq| (seq, session.cached().to_vec()));
    let mut model = Sequences::new(&mut *runtime, Rc::default(), cached);
    Ok(model.open(&tokens, wants).await?.1)
}

/// Runs a strategy on any model to its end.
///
/// # Errors
/// Whatever the strategy failed with.
pub async fn decode_with<L: Lm>(lm: &mut L, ask: Ask, method: &Method) -> Result<Outcome, DecodeError> {
    decode_among(lm, Vec::new(), ask, method).await
}

/// As [`decode_with`], with further models.
///
/// # Errors
/// Whatever the strategy failed with.
pub async fn decode_among<L: Lm>(
    lm: &mut L,
    others: Vec<&mut L>,
    ask: Ask,
    method: &Method,
) -> Result<Outcome, DecodeError> {
    let ask = formed(ask, method.form(), method.name())?;
    let prompt = method.rewrite(&Prompt::Tokens(ask.prompt.clone()));
    drive(lm, others, ask, prompt, async |job: &mut Job<'_, L>| method.run(job).await).await
}

/// As [`decode_with`], by a strategy that need not be in the list of names.
///
/// # Errors
/// Whatever the strategy failed with.
pub async fn decode_by<L: Lm, S: Strategy>(
    lm: &mut L,
    ask: Ask,
    strategy: &S,
) -> Result<Outcome, DecodeError> {
    let ask = formed(ask, S::FORM, S::NAME)?;
    let prompt = strategy.rewrite(&Prompt::Tokens(ask.prompt.clone()));
    drive(lm, Vec::new(), ask, prompt, async |job: &mut Job<'_, L>| strategy.run(job).await).await
}

/// What a lossy rule takes depends on how many guesses there was time for, and on what was seen before.
fn check_lossy(deterministic: bool, method: &Method) -> Result<(), DecodeError> {
    let Method::Speculate(speculate) = method else { return Ok(()) };
    let Some(rule) = speculate.lossy().filter(|_| deterministic) else { return Ok(()) };
    let allowed = "what leaves the answer as it is, where the model was loaded to be deterministic".into();
    let (method, name) = ("speculate", if rule == speculate.drafter { "drafter" } else { "accept" });
    Err(DecodeError::InvalidParameter { method, name, value: rule.to_owned(), allowed })
}

/// Refuses a form that the strategy cannot honour.
fn check_form(asked: bool, by: FormBy, method: &'static str) -> Result<(), DecodeError> {
    if asked && by == FormBy::Nothing { Err(DecodeError::Unconstrained { method }) } else { Ok(()) }
}

/// The request with its form where the strategy takes it.
fn formed(mut ask: Ask, by: FormBy, method: &'static str) -> Result<Ask, DecodeError> {
    let asked = ask.constraint.is_some() || ask.resources.constraint.is_some();
    check_form(asked, by, method)?;
    let given = ask.constraint.take().or(ask.resources.constraint.take());
    match by {
        FormBy::Itself => ask.resources.constraint = given,
        _ => ask.constraint = given,
    }
    Ok(ask)
}

/// The request's form, which ends a text that is to go on only where nothing else may follow.
fn form(request: &Request, ends: &[u32]) -> Option<Box<dyn Constraint>> {
    let inner = request.constraint.clone()?;
    Some(if request.ignore_eos { Box::new(Lasting { inner, ends: ends.into() }) } else { inner })
}

async fn drive<L: Lm>(
    lm: &mut L,
    others: Vec<&mut L>,
    mut ask: Ask,
    prompt: Prompt,
    run: impl AsyncFnOnce(&mut Job<'_, L>) -> Result<(), DecodeError>,
) -> Result<Outcome, DecodeError> {
    if let Prompt::Tokens(tokens) = prompt {
        ask.prompt = tokens;
    }
    let wire = Rc::new(Wire { aborted: Rc::clone(&ask.abort), ..Wire::default() });
    let answer = match ask.answer.take() {
        Some(answer) => answer,
        None => AnswerText::without_text(Vec::new())?,
    };
    let out = Writer::new(answer.clone(), ask.max_tokens, Rc::clone(&wire));
    let model = Sequences::new(lm, Rc::clone(&wire), None);
    let constraint = ask.constraint.take();
    let mut job = Job::new(ask, model, answer, out);
    job.others.extend(others.into_iter().map(|lm| Sequences::new(lm, Rc::clone(&wire), None)));
    constraint.iter().for_each(|form| job.hold_to(form.as_ref()));
    match run(&mut job).await {
        Err(DecodeError::Engine(EngineError::Aborted)) => job.out.end(Finish::Aborted),
        other => other?,
    }
    let (outcome, kept) = job.finish();
    if let Some((seq, _)) = kept {
        lm.pool_mut().free(seq).map_err(DecodeError::Engine)?;
    }
    Ok(outcome)
}

#[allow(
    clippy::await_holding_refcell_ref,
    reason = "every borrow is tried: who comes meanwhile is told Busy"
)]
async fn run(
    session: &mut Session,
    mut ask: Ask,
    method: Method,
    others: Vec<Rc<RefCell<Runtime>>>,
    wire: Rc<Wire>,
) -> Result<(Outcome, Stats), DecodeError> {
    let cell = Rc::clone(session.runtime());
    let mut runtime = cell.try_borrow_mut().map_err(|_| EngineError::Busy)?;
    let mut guards = Vec::new();
    for other in &others {
        guards.push(other.try_borrow_mut().map_err(|_| EngineError::Busy)?);
    }
    let (started, before, passes) = (Instant::now(), runtime.counters(), runtime.forward_passes());
    let Some(answer) = ask.answer.take() else { return Err(EngineError::EmptyPrompt.into()) };
    let out = Writer::new(answer.clone(), ask.max_tokens, Rc::clone(&wire));
    let n_prompt = ask.prompt.len();
    let cached = session.sequence().map(|seq| (seq, session.cached().to_vec()));
    let model = Sequences::new(&mut *runtime, Rc::clone(&wire), cached);
    let constraint = ask.constraint.take();
    let mut job = Job::new(ask, model, answer, out);
    job.others.extend(guards.iter_mut().map(|lm| Sequences::new(&mut **lm, Rc::clone(&wire), None)));
    constraint.iter().for_each(|form| job.hold_to(form.as_ref()));
    match method.run(&mut job).await {
        Err(DecodeError::Engine(EngineError::Aborted)) => job.out.end(Finish::Aborted),
        other => other?,
    }
    let (first, last) = (job.out.first_token, job.out.last_token);
    let (outcome, kept) = job.finish();
    let after = runtime.counters();
    let ms = |from: Instant, to: Option<Instant>| to.map_or(0.0, |to| (to - from).as_secs_f64() * 1e3);
    let decoded = outcome.tokens.len();
    let stats = Stats {
        prefill_tokens: n_prompt,
        ttft_ms: ms(started, first),
        decode_tokens: decoded,
        decode_ms: first.map_or(0.0, |first| ms(first, last)),
        forward_passes: runtime.forward_passes() - passes,
        submits: after.submits - before.submits,
        readbacks: after.readbacks - before.readbacks,
        dispatches_per_token: (after.dispatches - before.dispatches) as f64 / decoded.max(1) as f64,
        ..Stats::default()
    };
    if let Some((seq, tokens)) = kept {
        session.replace_cache(&mut runtime, seq, tokens)?;
    }
    Ok((outcome, stats))
}
