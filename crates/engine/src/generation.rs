//! The token loop: prefill, then decoding on the device where the request allows it, else with the host in the loop.

use std::collections::VecDeque;
use std::rc::Rc;

use goldcrest_gpu::Counters;
use web_time::Instant;

use crate::answer::AnswerText;
use crate::host_loop::{Chosen, HostLoop};
use crate::request::{Event, Finish, Request, Stats, TokenEvent};
use crate::{DecodeRun, EngineError, Runtime, Session};

/// A generation under way; ask it for events until [`Event::End`].
pub struct Generation<'s> {
    session: &'s mut Session,
    request: Request,
    prompt: Vec<u32>,
    /// Tokens of the prompt that were in the cache already.
    reused: usize,
    new_tokens: Vec<u32>,
    answer: AnswerText,
    phase: Phase,
    clock: Clock,
    abort: bool,
}

enum Phase {
    Prefill,
    Device { run: DecodeRun, ready: VecDeque<(u32, f32)> },
    Host(Box<HostLoop>),
    Ended,
}

struct Clock {
    started: Instant,
    prefilled: Option<Instant>,
    first_token: Option<Instant>,
    last_token: Option<Instant>,
    before: Counters,
    at_decode: Counters,
    passes_before: u64,
}

impl<'s> Generation<'s> {
    pub(crate) fn start(
        session: &'s mut Session,
        prompt: Vec<u32>,
        request: Request,
    ) -> Result<Self, EngineError> {
        let runtime_cell = Rc::clone(&session.runtime);
        let mut runtime = runtime_cell.try_borrow_mut().map_err(|_| EngineError::Busy)?;
        let (n_vocab, n_ctx) = (runtime.config().n_vocab, runtime.n_ctx());
        let Some((_, before_last)) = prompt.split_last() else { return Err(EngineError::EmptyPrompt) };
        if prompt.len() > n_ctx as usize {
            return Err(EngineError::PromptTooLong { n_prompt: prompt.len(), n_ctx });
        }
        if let Some(token) = prompt.iter().find(|t| **t >= n_vocab) {
            return Err(EngineError::BadToken { token: *token, n_vocab });
        }
        request.sampler.validate()?;
        request.sampler.validate_tokens(n_vocab)?;
        let answer = AnswerText::new(session.text.tokenizer(), &request.stop, request.ignore_eos)?;
        // The last token always runs, because its logits are what is asked for.
        let reused = session.cached.iter().zip(before_last).take_while(|(a, b)| a == b).count();
        let seq = *session.seq.get_or_insert_with(|| runtime.pool_mut().create());
        runtime.pool_mut().truncate(seq, reused)?;
        session.cached.truncate(reused);
        let clock = Clock {
            started: Instant::now(),
            prefilled: None,
            first_token: None,
            last_token: None,
            before: runtime.counters(),
            at_decode: runtime.counters(),
            passes_before: runtime.forward_passes(),
        };
        drop(runtime);
        let (phase, new_tokens) = (Phase::Prefill, Vec::new());
        Ok(Self { session, request, prompt, reused, new_tokens, answer, phase, clock, abort: false })
    }

    /// Tokens of the prompt.
    #[must_use]
    pub fn prompt(&self) -> &[u32] {
        &self.prompt
    }

    /// New tokens so far, an end-of-generation token included.
    #[must_use]
    pub fn tokens(&self) -> &[u32] {
        &self.new_tokens
    }

    /// Ends the generation at the next event.
    pub const fn abort(&mut self) {
        self.abort = true;
    }

    /// The next event; none behind [`Event::End`].
    ///
    /// # Errors
    /// [`EngineError::Gpu`] if the device failed: the generation is over and can be started again on a new device.
    /// [`EngineError::NonFiniteLogits`], [`EngineError::Busy`].
    #[allow(
        clippy::await_holding_refcell_ref,
        reason = "every borrow is tried: who comes meanwhile is told Busy"
    )]
    pub async fn next(&mut self) -> Result<Option<Event>, EngineError> {
        if matches!(self.phase, Phase::Ended) {
            return Ok(None);
        }
        let runtime = Rc::clone(&self.session.runtime);
        let mut runtime = runtime.try_borrow_mut().map_err(|_| EngineError::Busy)?;
        let event = self.step(&mut runtime).await;
        if event.is_err() {
            // What the device still has to say is of no use; the cache keeps what is certain.
            self.settle(&mut runtime)?;
        }
        event.map(Some)
    }

    /// Times and counts so far.
    ///
    /// # Errors
    /// [`EngineError::Busy`].
    pub fn stats(&self) -> Result<Stats, EngineError> {
        let runtime = self.session.runtime.try_borrow().map_err(|_| EngineError::Busy)?;
        let (now, c) = (runtime.counters(), &self.clock);
        let ms = |from: Instant, to: Option<Instant>| to.map_or(0.0, |to| (to - from).as_secs_f64() * 1e3);
        let decoded = (now.dispatches - c.at_decode.dispatches) as f64;
        Ok(Stats {
            prefill_tokens: self.prompt.len() - self.reused,
            reused_tokens: self.reused,
            prefill_ms: ms(c.started, c.prefilled),
            ttft_ms: ms(c.started, c.first_token),
            decode_tokens: self.new_tokens.len(),
            decode_ms: c.prefilled.map_or(0.0, |from| ms(from, c.last_token)),
            forward_passes: runtime.forward_passes() - c.passes_before,
            submits: now.submits - c.before.submits,
            readbacks: now.readbacks - c.before.readbacks,
            dispatches_per_token: decoded / self.new_tokens.len().max(1) as f64,
        })
    }

    async fn step(&mut self, runtime: &mut Runtime) -> Result<Event, EngineError> {
        if self.abort {
            return self.end(runtime, Finish::Aborted);
        }
        if matches!(self.phase, Phase::Prefill) {
            if let Some(event) = self.prefill(runtime).await? {
                return Ok(event);
            }
            self.begin_decode(runtime)?;
        }
        if let Phase::Host(host) = &self.phase
            && host.is_over()
        {
            return self.end(runtime, Finish::GrammarEnd);
        }
        let room = runtime.n_ctx() as usize - self.prompt.len() + 1;
        let most = self.request.max_tokens.unwrap_or(room).min(room);
        if self.new_tokens.len() >= most {
            return self.end(runtime, Finish::Length);
        }
        let (token, logprob, top) = match &mut self.phase {
            Phase::Device { run, ready } => {
                let left = most - self.new_tokens.len();
                let (token, logprob) =
                    next_on_device(runtime, run, ready, left, self.request.steps_per_submit).await?;
                (token, logprob, Vec::new())
            }
            Phase::Host(_) => match self.next_on_host(runtime).await? {
                Chosen::Token { token, logprob, top } => (token, logprob, top),
                Chosen::Over => return self.end(runtime, Finish::GrammarEnd),
            },
            Phase::Prefill | Phase::Ended => return self.end(runtime, Finish::Aborted),
        };
        self.take(runtime, token, logprob, top)
    }

    /// One chunk of the prompt; none when all but the last token is in the cache.
    async fn prefill(&mut self, runtime: &mut Runtime) -> Result<Option<Event>, EngineError> {
        let (from, to) = (self.session.cached.len(), self.prompt.len() - 1);
        if from == to {
            return Ok(None);
        }
        let Some(seq) = self.session.seq else { return Ok(None) };
        let mut chunks = 0;
        let mut one_chunk = |_: usize| {
            chunks += 1;
            chunks == 1
        };
        match runtime.prefill(seq, &self.prompt[from..to], &mut one_chunk).await {
            Ok(()) | Err(EngineError::Aborted) => {}
            Err(error) => return Err(error),
        }
        let done = runtime.pool().sequence(seq)?.len();
        self.session.cached.extend(&self.prompt[from..done]);
        Ok(Some(Event::Prefill { done: done - self.reused, total: to - self.reused }))
    }

    fn begin_decode(&mut self, runtime: &mut Runtime) -> Result<(), EngineError> {
        self.clock.prefilled = Some(Instant::now());
        self.clock.at_decode = runtime.counters();
        let (Some(seq), Some(last)) = (self.session.seq, self.prompt.last()) else {
            return Err(EngineError::EmptyPrompt);
        };
        let on_device = self.request.constraint.is_none()
            && self.request.logprobs.unwrap_or(0) == 0
            && runtime.pool().sequence(seq)?.is_contiguous()
            && runtime.decodes_on_device(&self.request.sampler);
        self.phase = if on_device {
            let run = runtime.start_decode(seq, *last, &self.request.sampler, &self.prompt)?;
            Phase::Device { run, ready: VecDeque::new() }
        } else {
            let ends = self.session.text.tokenizer().eog();
            Phase::Host(Box::new(HostLoop::new(&mut self.request, &self.prompt, ends)?))
        };
        Ok(())
    }

    /// One token with the host in the loop.
    async fn next_on_host(&mut self, runtime: &mut Runtime) -> Result<Chosen, EngineError> {
        let Phase::Host(host) = &mut self.phase else { return Err(EngineError::EmptyPrompt) };
        let Some(seq) = self.session.seq else { return Err(EngineError::EmptyPrompt) };
        let cached = self.session.cached.len();
        let all = self.prompt.iter().chain(&self.new_tokens);
        let inputs: Vec<u32> = all.skip(cached).copied().collect();
        let chosen = host.next(runtime, seq, &inputs).await?;
        let n_run = runtime.pool().sequence(seq)?.len() - cached;
        self.session.cached.extend(inputs.iter().take(n_run));
        Ok(chosen)
    }

    /// Accounts for a token: text, ends, limits.
    fn take(
        &mut self,
        runtime: &mut Runtime,
        token: u32,
        logprob: f32,
        top: Vec<(u32, f32)>,
    ) -> Result<Event, EngineError> {
        let now = Instant::now();
        self.clock.first_token.get_or_insert(now);
        self.clock.last_token = Some(now);
        self.new_tokens.push(token);
        let taken = self.answer.push(token);
        let Some(finish) = taken.finish else {
            return Ok(Event::Token(TokenEvent { token, text: taken.text, logprob, top, guessed: false }));
        };
        self.settle(runtime)?;
        Ok(Event::End { finish, text: taken.text + &self.answer.finish(finish) })
    }

    fn end(&mut self, runtime: &mut Runtime, finish: Finish) -> Result<Event, EngineError> {
        self.settle(runtime)?;
        Ok(Event::End { finish, text: self.answer.finish(finish) })
    }

    /// Brings the cache's bookkeeping in line with the tokens that were taken.
    fn settle(&mut self, runtime: &mut Runtime) -> Result<(), EngineError> {
        if let Phase::Device { run, .. } = std::mem::replace(&mut self.phase, Phase::Ended) {
            let steps = run.submitted().min(self.new_tokens.len());
            runtime.end_decode(run, self.new_tokens.len())?;
            if steps > 0 {
                self.session.cached.extend(self.prompt.last());
                self.session.cached.extend(&self.new_tokens[..steps - 1]);
            }
        }
        Ok(())
    }
}

impl Drop for Generation<'_> {
    fn drop(&mut self) {
        let runtime = Rc::clone(&self.session.runtime);
        if let Ok(mut runtime) = runtime.try_borrow_mut() {
            // An unknown sequence has no bookkeeping left to mend.
            let _settled = self.settle(&mut runtime);
        }
    }
}

/// The next token of a run, with further steps submitted so that the device does not wait for the host.
async fn next_on_device(
    runtime: &mut Runtime,
    run: &mut DecodeRun,
    ready: &mut VecDeque<(u32, f32)>,
    left: usize,
    steps_per_submit: usize,
) -> Result<(u32, f32), EngineError> {
    let (k, ahead) = runtime.decode_pace();
    let (k, ahead) = if steps_per_submit > 0 { (steps_per_submit, ahead) } else { (k, ahead) };
    if ready.is_empty() {
        while run.in_flight() < ahead * k && run.in_flight() < left {
            runtime.submit_decode(run, k.min(left - run.in_flight()))?;
        }
        ready.extend(runtime.take_decoded(run).await?.iter().map(|t| (t.token, t.logprob)));
    }
    ready.pop_front().ok_or(EngineError::NothingToSample)
}
