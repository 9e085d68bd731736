//! SpecEE: a token is taken at an early layer where a small predictor is sure of it. The answer is another one.
//!
//! Xu et al., arXiv 2504.08850. Four tokens that may come are known before the pass, here those that were likely the last time.
//! At some layers their logits, as the model would end there, tell a predictor whether to stop; if it says so, and the layer
//! names one of the four, that one comes. The authors leave the cells of the layers above empty. Here the row of a token whose last
//! layers are missing waits before them, and goes on with the first pass that gets there: every row sees what it would
//! have seen, and the model's own choice is known in the end, for the report.

use goldcrest_engine::batch::{Batch, BatchRow, Place, Source, Tap, Visible, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_sample::SamplerParams;
use serde_json::json;
use web_time::Instant;

use super::heads::{CANDIDATES, Exits, shares};
use super::memory::{SUCCESSORS, Seen, SharedMemory};
use super::tally::Tally;
use goldcrest_engine::EngineError;

use crate::{DecodeError, Job, Lm, Row};

/// Tokens that may wait before a layer at once; then one runs through all of them.
const WAITING: usize = 7;

/// A token that has not run through all layers.
#[derive(Clone, Debug)]
struct Open {
    token: u32,
    /// The token before it.
    before: Option<u32>,
    entry: usize,
    pos: u32,
    /// The layer before which it waits, and its row there.
    layer: u32,
    row: Vec<f32>,
    /// What was taken behind it, if anything was.
    taken: Option<u32>,
}

/// The answer on its way.
struct Early {
    exits: Exits,
    threshold: f32,
    memory: SharedMemory,
    seq: SeqId,
    tokens: Vec<u32>,
    waiting: Vec<Open>,
    /// Tokens taken early, those of them that the whole model was asked about, and those where it named another.
    counts: [usize; 3],
    /// Layers that tokens were taken behind.
    layers: usize,
}

/// Writes the answer.
pub(crate) async fn run<L: Lm>(job: &mut Job<'_, L>, threshold: f32) -> Result<(), DecodeError> {
    let missing =
        || DecodeError::MissingResource { method: "speculate", what: "the file of predictors of exits" };
    let exits = Exits::read(job.resources.head.as_deref().ok_or_else(missing)?, job.model.shape())?;
    refuse_what_is_not_plain(job)?;
    let (tokens, memory) = (job.prompt.clone(), job.learnt().borrow().memory());
    let Some((_, before)) = tokens.split_last() else { return Err(EngineError::EmptyPrompt.into()) };
    let seq = job.model.prefilled(before).await?;
    let (waiting, counts) = (Vec::new(), [0; 3]);
    let mut early = Early { exits, threshold, memory, seq, tokens, waiting, counts, layers: 0 };
    let mut tally = Tally::default();
    let mut more = true;
    while more {
        let begun = Instant::now();
        let (token, logprob) = early.next(job).await?;
        tally.pass((1, 1.0), 0);
        tally.verify_ms += begun.elapsed().as_secs_f64() * 1e3;
        more = job.out.push(token, logprob).await;
        early.tokens.push(token);
    }
    early.catch_up(job).await?;
    let [taken, asked, other] = early.counts;
    let lossy = json!({ "rule": "specee", "early": taken, "agreed": asked - other, "taken": other });
    let mut report = tally.report("specee", Some(lossy));
    let steps = job.out.tokens().len().max(1);
    report["layers_a_token"] = (early.layers as f64 / steps as f64).into();
    job.report.insert("speculation".into(), report);
    let held = job.model.len(early.seq)?;
    job.keep(early.seq, early.tokens.into_iter().take(held).collect());
    Ok(())
}

/// An exit names the likeliest token, of all that there are.
fn refuse_what_is_not_plain<L: Lm>(job: &Job<'_, L>) -> Result<(), DecodeError> {
    if job.resources.constraint.is_some() {
        return Err(DecodeError::Unconstrained { method: "specee" });
    }
    if job.chain(0)?.spec() == SamplerParams::greedy().to_chain()?.spec() {
        return Ok(());
    }
    let (name, value) = ("temperature", job.sampler.temperature.to_string());
    let allowed = "0, and nothing else of a sampler, with specee".to_owned();
    Err(DecodeError::InvalidParameter { method: "speculate", name, value, allowed })
}

impl Early {
    /// The token behind the newest one, with its log-probability at the layer that named it.
    async fn next<L: Lm>(&mut self, job: &mut Job<'_, L>) -> Result<(u32, f32), DecodeError> {
        let token = self.tokens.last().copied().unwrap_or(0);
        let before = self.tokens.len().checked_sub(2).map(|at| self.tokens[at]);
        let (entry, pos) = (job.model.len(self.seq)?, job.model.next_pos(self.seq)?);
        let newest = Open { token, before, entry, pos, layer: 0, row: Vec::new(), taken: None };
        let candidates = self.candidates(&newest);
        let looked_at = match candidates.len() == CANDIDATES && self.waiting.len() < WAITING {
            true => self.exits.layers().to_vec(),
            false => Vec::new(),
        };
        let n_layer = job.model.shape().n_layer;
        let (mut running, mut known) = (vec![newest], None);
        for layer in self.stops(&looked_at, n_layer) {
            let looks = looked_at.contains(&layer).then_some(&candidates[..]);
            let rows = self.advance(job, &mut running, layer, looks).await?;
            let Some((_, row)) = rows.last().filter(|_| layer == n_layer || looks.is_some()) else {
                continue;
            };
            if layer == n_layer {
                self.layers += n_layer as usize;
                return Ok((row.argmax(), row.best_logprob()));
            }
            let logits = row.logits_at();
            let sure = self.exits.sure(layer, logits, known.as_deref()).unwrap_or(0.0);
            known = Some(shares(logits));
            let token = row.argmax();
            if sure > self.threshold && candidates.contains(&token) {
                if let Some(newest) = running.last_mut() {
                    newest.taken = Some(token);
                }
                self.waiting.append(&mut running);
                self.waiting.sort_by_key(|open| open.entry);
                self.counts[0] += 1;
                self.layers += layer as usize;
                return Ok((token, row.best_logprob()));
            }
        }
        Err(EngineError::BadBatch { reason: "its layer range leaves the model" }.into())
    }

    /// Runs what waits through the layers that are missing.
    async fn catch_up<L: Lm>(&mut self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let mut running = Vec::new();
        for layer in self.stops(&[], job.model.shape().n_layer) {
            self.advance(job, &mut running, layer, None).await?;
        }
        Ok(())
    }

    /// Where passes end: layers that are looked at, those before which tokens wait, and the last.
    fn stops(&self, looked_at: &[u32], n_layer: u32) -> Vec<u32> {
        let waiting = self.waiting.iter().map(|open| open.layer);
        let mut stops: Vec<u32> = waiting.chain(looked_at.iter().copied()).chain([n_layer]).collect();
        stops.sort_unstable();
        stops.dedup();
        stops
    }

    /// Runs tokens from the layer that they stand before to `layer`, and with them those that wait there. Rows are given
    /// of the newest where `looks` says of which tokens its logits are read, and of all behind the last layer.
    async fn advance<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        running: &mut Vec<Open>,
        layer: u32,
        looks: Option<&[u32]>,
    ) -> Result<Vec<(Open, Row)>, DecodeError> {
        let lowest = self.waiting.iter().map(|open| open.layer).min();
        let begin = running.first().map(|open| open.layer).or(lowest).unwrap_or(layer);
        running.extend(self.waiting.extract_if(.., |open| open.layer == begin));
        running.sort_by_key(|open| open.entry);
        if running.is_empty() || begin >= layer {
            return Ok(Vec::new());
        }
        let last = layer == job.model.shape().n_layer;
        let row = |(index, open): (usize, &Open)| {
            let (source, place) = match begin {
                0 => (Source::Token(open.token), Place::Append),
                _ => (Source::Embedding(open.row.clone()), Place::Entry(open.entry)),
            };
            let wants = match looks.filter(|_| index + 1 == running.len()) {
                _ if last => Wants { stats: true, top: SUCCESSORS as u32, ..Wants::default() },
                Some(tokens) => Wants { stats: true, logits_at: tokens.to_vec(), ..Wants::default() },
                None => Wants::default(),
            };
            BatchRow { source, pos: open.pos, seq: self.seq, place, visible: Visible::Causal, wants }
        };
        let rows = running.iter().enumerate().map(row).collect();
        let taps = if last { Vec::new() } else { vec![Tap::Read { layer }] };
        let batch = Batch { rows, layers: Some(begin..layer), taps, ..Batch::default() };
        let mut found = job.model.forward(&batch).await?;
        let read = found.taps.pop().unwrap_or_default();
        let width = (read.len() / running.len()).max(1);
        for (open, row) in running.iter_mut().zip(read.chunks_exact(width)) {
            (open.layer, open.row) = (layer, row.to_vec());
        }
        let rows = found.rows.into_iter();
        let rows: Vec<(Open, Row)> =
            rows.map(|found| (running[found.row].clone(), Row::new(found))).collect();
        if last {
            rows.iter().for_each(|(open, row)| self.learn(open, row));
        }
        Ok(rows)
    }

    /// Tokens that were likely behind this one and the one before it the last time.
    fn candidates(&self, open: &Open) -> Vec<u32> {
        let memory = self.memory.borrow();
        let pair = open.before.map_or(&[][..], |before| memory.after_pair((before, open.token)));
        let seen = if pair.len() < CANDIDATES { memory.after(open.token) } else { pair };
        seen.iter().take(CANDIDATES).map(|seen| seen.token).collect()
    }

    /// What the whole model says behind a token.
    fn learn(&mut self, open: &Open, row: &Row) {
        if let Some(taken) = open.taken {
            self.counts[1] += 1;
            self.counts[2] += usize::from(taken != row.argmax());
        }
        let seen = row.top(SUCCESSORS).into_iter().map(|(token, logprob)| Seen::new(token, logprob.exp()));
        let seen: Vec<Seen> = seen.collect();
        let mut memory = self.memory.borrow_mut();
        memory.remember(open.token, &seen);
        if let Some(before) = open.before {
            memory.remember_pair((before, open.token), &seen);
        }
    }
}
