//! Early exit with a trained adapter behind the exit layer (Kangaroo; Liu et al., arXiv 2404.18911).
//!
//! A guess runs through the first layers in a fork of the answer's sequence; what comes out of them goes through the adapter, on the
//! host. The rows of tokens that came are read of the pass that verified them, so that guesses leave nothing in the adapter's cells.

use goldcrest_engine::batch::{Batch, BatchRow, Tap};
use goldcrest_engine::kv::SeqId;
use web_time::Instant;

use super::drafter::Turn;
use super::features::{Features, Reads};
use super::heads::{Adapter, Embeddings, Outputs, Reader, missing};
use super::line::Round;
use super::scribe::{Scribe, planned};
use crate::{DecodeError, Job, Lm, Row};

/// Class of its guesses.
const CLASS: usize = 22;

/// The first layers with the adapter behind them, as a writer.
#[derive(Debug)]
pub(crate) struct Adapted {
    adapter: Adapter,
    outputs: Outputs,
    seq: Option<SeqId>,
    /// Seconds of a guess, as a running mean.
    pass: f32,
    /// Rows behind the exit layer that the adapter was not given yet.
    pending: Features,
    fed: usize,
}

impl Adapted {
    /// By the file that the job was given; `layer` is the exit that was asked for, 0 for the adapter's.
    pub(crate) async fn read<L: Lm>(job: &mut Job<'_, L>, layer: usize) -> Result<Self, DecodeError> {
        let file = job.resources.head.clone().ok_or_else(missing)?;
        let shape = job.model.shape();
        let adapter = Adapter::read(&file, shape)?;
        let own = adapter.layer();
        if layer != 0 && layer != own as usize {
            let allowed = format!("{own}, which the adapter was trained for, or 0");
            let (method, value) = ("exit", layer.to_string());
            return Err(DecodeError::InvalidParameter { method, name: "layer", value, allowed });
        }
        let reader = Reader { file: &file, shape };
        let lm = job.model.lm();
        let embeddings = Embeddings::fetch(lm, reader.draft_tokens()?).await?;
        let outputs = Outputs::read(&reader, reader.width(), &embeddings, lm.ties_embeddings())?;
        Ok(Self { adapter, outputs, seq: None, pass: 0.0, pending: Features::new(), fed: 0 })
    }

    /// Runs one token through the first layers, at the end of the fork, and the adapter.
    async fn pass<L: Lm>(&mut self, turn: &mut Turn<'_, '_, L>, token: u32) -> Result<Row, DecodeError> {
        let Some(seq) = self.seq else { return Ok(Row::default()) };
        let begun = Instant::now();
        let model = &mut turn.job.model;
        let (layer, pos) = (self.adapter.layer(), model.next_pos(seq)?);
        let (rows, taps) = (vec![BatchRow::token(token, pos, seq)], vec![Tap::Read { layer }]);
        let batch = Batch { rows, taps, layers: Some(0..layer), ..Batch::default() };
        let x = model.forward(&batch).await?.taps.pop().unwrap_or_default();
        let row = self.adapter.run(&x);
        let logits = self.outputs.logits(0, &[row]).pop().unwrap_or_default();
        let logits = self.outputs.of_all(&logits, model.shape().n_vocab);
        let took = begun.elapsed().as_secs_f32();
        self.pass = if self.pass > 0.0 { self.pass + 0.2 * (took - self.pass) } else { took };
        Ok(Row::mixed(logits, &Row::default()))
    }
}

impl<L: Lm> Scribe<L> for Adapted {
    fn class(&self) -> usize {
        CLASS
    }

    fn reads(&self) -> Reads {
        Reads { before: vec![self.adapter.layer()], prompt: true, ..Reads::default() }
    }

    fn open(&mut self, prompt: Features, first: &Round) {
        self.pending = prompt;
        <Self as Scribe<L>>::learn(self, 0, 0, first);
    }

    fn length(&self, turn: &Turn<'_, '_, L>, most: usize) -> usize {
        planned(turn, CLASS, most, self.pass)
    }

    async fn begin(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<Row, DecodeError> {
        self.adapter.rollback(self.fed);
        self.fed += self.pending.len();
        for row in self.pending.drain(..) {
            self.adapter.run(&row);
        }
        self.seq = Some(turn.job.model.fork(turn.line.seq)?);
        let root = turn.line.root();
        self.pass(turn, root).await
    }

    async fn next(&mut self, turn: &mut Turn<'_, '_, L>, token: u32) -> Result<Row, DecodeError> {
        self.pass(turn, token).await
    }

    fn end(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<(), DecodeError> {
        self.seq.take().map_or(Ok(()), |seq| turn.job.model.free(seq))
    }

    fn learn(&mut self, _: usize, _: usize, round: &Round) {
        self.pending.extend(round.path.nodes.iter().map(|node| round.features[*node].clone()));
    }
}
