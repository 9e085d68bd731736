//! The measurements: greedy generations of a session, as `run` makes them.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use goldcrest::model::kv_bytes_read;
use goldcrest::{CostOptions, Engine, Event, Prompt, Request, Session, Stats, cost_curve};

use super::report::{Decode, Prefill, SmallM, Spread};
use crate::context::Context;
use crate::error::CliError;

/// What the measurements share.
pub(super) struct Bench<'a> {
    pub(super) engine: &'a Engine,
    pub(super) context: &'a Context,
    pub(super) reps: u32,
    /// Time in which the host waited for the device.
    pub(super) waited: Rc<Cell<Duration>>,
    pub(super) weight_bytes: u64,
    pub(super) memory_bytes_per_s: f64,
}

impl Bench<'_> {
    /// A short prompt and one token, in milliseconds.
    pub(super) fn first_ttft(&self) -> Result<f64, CliError> {
        Ok(self.generate(&mut self.engine.session(), 8, 1)?.ttft_ms)
    }

    /// Whole prompts of `n_prompt` tokens and one new token, each in an empty cache.
    pub(super) fn prefill(&self, n_prompt: usize) -> Result<Prefill, CliError> {
        let mut session = self.engine.session();
        let (mut speeds, mut firsts) = (Vec::new(), Vec::new());
        for rep in 0..=self.reps {
            session.reset()?;
            let stats = self.generate(&mut session, n_prompt, 1)?;
            if rep > 0 {
                // The last token of a prompt runs with the first step of the answer.
                let alone = rate(1, stats.ttft_ms);
                speeds.push(if n_prompt > 1 { rate(n_prompt - 1, stats.prefill_ms) } else { alone });
                firsts.push(stats.ttft_ms);
            }
        }
        self.tell(&format!("prefill of {n_prompt}"), &speeds);
        Ok(Prefill { n_prompt, tokens_per_s: Spread::of(speeds), ttft_ms: Spread::of(firsts) })
    }

    /// Generations behind `depth` tokens that stay in the cache.
    pub(super) fn decode(&self, depth: usize, n_tokens: usize) -> Result<Decode, CliError> {
        let device = Rc::clone(self.engine.runtime().borrow().device());
        let mut session = self.engine.session();
        self.generate(&mut session, depth + 1, n_tokens)?;
        let before = device.counters();
        let (mut speeds, mut host) = (Vec::new(), Duration::ZERO);
        for _ in 0..self.reps {
            let (started, waited) = (Instant::now(), self.waited.get());
            let stats = self.generate(&mut session, depth + 1, n_tokens)?;
            host += started.elapsed().saturating_sub(self.waited.get() - waited);
            speeds.push(rate(stats.decode_tokens, stats.decode_ms));
        }
        self.tell(&format!("decode behind {depth}"), &speeds);
        let after = device.counters();
        let n = n_tokens as f64 * f64::from(self.reps);
        let per_token = |from: u64, to: u64| (to - from) as f64 / n;
        let tokens_per_s = Spread::of(speeds);
        let bytes_moved = self.weight_bytes as f64 + self.kv_bytes(depth, n_tokens);
        Ok(Decode {
            depth,
            n_tokens,
            tokens_per_s,
            host_ms_per_token: host.as_secs_f64() * 1e3 / n,
            dispatches_per_token: per_token(before.dispatches, after.dispatches),
            submits_per_token: per_token(before.submits, after.submits),
            bytes_read_back_per_token: per_token(before.bytes_read, after.bytes_read),
            bytes_moved_per_token: bytes_moved,
            bandwidth_share: tokens_per_s.median * bytes_moved / self.memory_bytes_per_s,
        })
    }

    /// Steps of few rows behind `depth` tokens.
    pub(super) fn small_m(&self, depth: usize) -> Result<Vec<SmallM>, CliError> {
        let options = CostOptions { depth, reps: self.reps as usize, ..CostOptions::default() };
        let mut runtime = self.engine.runtime().borrow_mut();
        let costs = pollster::block_on(cost_curve(&mut runtime, &options))?;
        Ok(SmallM::all(&costs))
    }

    /// Keys and values that one of `n_tokens` tokens behind `depth` others reads, on average.
    fn kv_bytes(&self, depth: usize, n_tokens: usize) -> f64 {
        let runtime = self.engine.runtime().borrow();
        let read = |i: usize| kv_bytes_read(runtime.config(), (depth + i + 1) as u32) as f64;
        (0..n_tokens).map(read).sum::<f64>() / n_tokens as f64
    }

    fn generate(&self, session: &mut Session, n_prompt: usize, n_new: usize) -> Result<Stats, CliError> {
        let n_vocab = self.engine.runtime().borrow().config().n_vocab;
        // Any tokens do; they differ, so that experts are chosen as in text.
        let prompt = (0..n_prompt as u32).map(|i| i.wrapping_mul(7919).wrapping_add(17) % n_vocab).collect();
        let prompt = Prompt::Tokens(prompt);
        let request = Request { max_tokens: Some(n_new), ignore_eos: true, ..Request::greedy(prompt) };
        let mut generation = session.generate(request)?;
        while let Some(event) = pollster::block_on(generation.next())? {
            if self.context.interrupt.is_set() && !matches!(event, Event::End { .. }) {
                return Err(CliError::Interrupted);
            }
        }
        Ok(generation.stats()?)
    }

    fn tell(&self, what: &str, speeds: &[f64]) {
        let speed = Spread::of(speeds.to_vec()).median;
        self.context.report.notice(&format!("{what} tokens: {speed:.2} tok/s"));
    }
}

fn rate(n: usize, ms: f64) -> f64 {
    n as f64 * 1e3 / ms
}
