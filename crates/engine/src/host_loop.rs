//! Decoding with the host in the loop: chains that need the whole row, and constraints.

use std::collections::VecDeque;
use std::future::poll_fn;

use goldcrest_sample::{Chain, Constraint, ConstraintError, SampleError, TokenMask};

use crate::batch::{Batch, BatchRow, StepResult};
use crate::choosing;
use crate::kv::SeqId;
use crate::{EngineError, Request, Runtime};

/// What the next token is.
pub(crate) enum Chosen {
    /// A token, its log-probability, and the best alternatives.
    Token { token: u32, logprob: f32, top: Vec<(u32, f32)> },
    /// The constraint's text is complete.
    Over,
}

/// The state behind the choice of a token.
pub(crate) struct HostLoop {
    chain: Chain,
    constraint: Option<Box<dyn Constraint>>,
    /// Tokens without alternative that have not been handed out.
    forced: VecDeque<u32>,
    /// Ends of generation that are not to be chosen.
    banned: Vec<u32>,
    n_top: usize,
    n_chosen: usize,
}

impl HostLoop {
    /// Takes the constraint out of the request.
    pub(crate) fn new(request: &mut Request, prompt: &[u32], ends: &[u32]) -> Result<Self, EngineError> {
        let mut chain = request.sampler.to_chain()?;
        prompt.iter().for_each(|token| chain.accept(*token));
        let constraint = request.constraint.take();
        let banned = if request.ignore_eos { ends.to_vec() } else { Vec::new() };
        let n_top = request.logprobs.unwrap_or(0);
        Ok(Self { chain, constraint, forced: VecDeque::new(), banned, n_top, n_chosen: 0 })
    }

    /// Whether the constraint's text is complete.
    pub(crate) fn is_over(&self) -> bool {
        self.constraint.as_ref().is_some_and(|constraint| constraint.is_over())
    }

    /// The next token. `inputs` are the tokens that are not in the cache yet, the last of which it follows; those that run
    /// are in the cache afterwards. Tokens without alternative are handed out before they run, so that they run together.
    pub(crate) async fn next(
        &mut self,
        runtime: &mut Runtime,
        seq: SeqId,
        inputs: &[u32],
    ) -> Result<Chosen, EngineError> {
        if let Some(token) = self.next_forced()? {
            return Ok(Chosen::Token { token, logprob: 0.0, top: Vec::new() });
        }
        if self.is_over() {
            return Ok(Chosen::Over);
        }
        let first = runtime.pool().sequence(seq)?.next_pos();
        let mut rows: Vec<BatchRow> =
            inputs.iter().zip(first..).map(|(token, pos)| BatchRow::token(*token, pos, seq)).collect();
        let position = first + inputs.len() as u32;
        if let Some(last) = rows.last_mut() {
            last.wants = choosing::wants(&self.chain, runtime.config().n_vocab, self.n_top);
        }
        let batch = Batch { rows, ..Batch::default() };
        let (mut result, mask) = self.run(runtime, &batch).await?;
        let row = result.rows.first_mut().ok_or(EngineError::NothingToSample)?;
        if let Some(mask) = &mask {
            if mask.is_empty() {
                // Nothing may follow but the end that the caller wants to go beyond.
                return Ok(Chosen::Over);
            }
            row.top.retain(|(token, _)| mask.contains(*token));
        }
        let choice = match choosing::choose(runtime, &self.chain, row, mask.as_ref(), position).await {
            // The constraint allows something, and the sampler's bans leave nothing of it.
            Err(EngineError::Sample(SampleError::NoCandidate)) if mask.is_some() => {
                return Err(ConstraintError::Stuck { at: self.n_chosen }.into());
            }
            choice => choice?,
        };
        let token = choice.id;
        if let Some(constraint) = &mut self.constraint {
            constraint.commit(token)?;
        }
        self.chain.commit(&choice);
        self.n_chosen += 1;
        let lse = row.stats.map_or(0.0, |s| s.log_sum_exp);
        let top = row.top.iter().take(self.n_top).map(|(token, logit)| (*token, logit - lse)).collect();
        let logprob = choosing::logit_of(row, token).unwrap_or(choice.logit) - lse;
        Ok(Chosen::Token { token, logprob, top })
    }

    fn next_forced(&mut self) -> Result<Option<u32>, EngineError> {
        if let Some(constraint) = &mut self.constraint
            && self.forced.is_empty()
        {
            self.forced.extend(constraint.forced()?);
        }
        let Some(token) = self.forced.pop_front() else { return Ok(None) };
        if let Some(constraint) = &mut self.constraint {
            constraint.commit(token)?;
        }
        self.chain.accept(token);
        self.n_chosen += 1;
        Ok(Some(token))
    }

    /// Runs the batch; the mask that applies to its last row is made while the device is at work.
    async fn run(
        &mut self,
        runtime: &mut Runtime,
        batch: &Batch,
    ) -> Result<(StepResult, Option<TokenMask>), EngineError> {
        let Some(constraint) = &mut self.constraint else { return Ok((runtime.forward(batch).await?, None)) };
        poll_fn(|context| constraint.poll_ready(context)).await?;
        let mut made = None;
        let mut make = || {
            let mut mask = constraint.mask()?;
            self.banned.iter().for_each(|token| mask.refuse(*token));
            made = Some(mask.clone());
            Ok(mask)
        };
        let result = runtime.forward_masked(batch, &mut make).await?;
        Ok((result, made))
    }
}
