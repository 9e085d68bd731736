//! A second model that keeps up with the answer: its sequence is brought to the newest token before each guess.

use std::ops::Range;

use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_sample::SampleError;
use web_time::Instant;

use super::line::Line;
use goldcrest_engine::EngineError;

use crate::{DecodeError, Lm, Row, Sequences};

/// Tokens that are run as one batch; more are prefilled.
const AT_ONCE: usize = 16;

/// A draft model's sequence.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    seq: Option<SeqId>,
    held: Vec<u32>,
    /// The layers that run, if not all do.
    layers: Option<Range<u32>>,
    /// Seconds that a pass of the draft model took, as a running mean.
    pub(crate) pass: f32,
}

impl Follower {
    /// With some layers of the model.
    pub(crate) fn of_layers(layers: Range<u32>) -> Self {
        Self { layers: Some(layers), ..Self::default() }
    }

    /// Brings the sequence to `tokens`, whatever it held before, and gives it with the row behind the last of them.
    pub(crate) async fn follow<L: Lm>(
        &mut self,
        model: &mut Sequences<'_, L>,
        tokens: &[u32],
        wants: &Wants,
    ) -> Result<(SeqId, Row), DecodeError> {
        let Some(last) = tokens.len().checked_sub(1) else { return Err(EngineError::EmptyPrompt.into()) };
        let common = self.held.iter().zip(tokens).take_while(|(a, b)| a == b).count().min(last);
        let (seq, common) = match self.seq {
            Some(seq) if tokens.len() - common <= AT_ONCE => (seq, common),
            old => {
                if let Some(seq) = old {
                    model.free(seq)?;
                }
                (model.prefilled(&tokens[..last]).await?, last)
            }
        };
        model.truncate(seq, common)?;
        self.seq = Some(seq);
        self.held = tokens.to_vec();
        let pos = model.next_pos(seq)?;
        let mut rows: Vec<BatchRow> =
            tokens[common..].iter().zip(pos..).map(|(t, pos)| BatchRow::token(*t, pos, seq)).collect();
        if let Some(row) = rows.last_mut() {
            row.wants = wants.clone();
        }
        let row = self.timed(model, rows).await?.pop().unwrap_or_default();
        Ok((seq, row))
    }

    /// Appends a guess, and gives the row behind it.
    pub(crate) async fn guess<L: Lm>(
        &mut self,
        model: &mut Sequences<'_, L>,
        seq: SeqId,
        token: u32,
        wants: &Wants,
    ) -> Result<Row, DecodeError> {
        self.held.push(token);
        let pos = model.next_pos(seq)?;
        let rows = vec![BatchRow::token(token, pos, seq).wanting(wants.clone())];
        Ok(self.timed(model, rows).await?.pop().unwrap_or_default())
    }

    async fn timed<L: Lm>(
        &mut self,
        model: &mut Sequences<'_, L>,
        rows: Vec<BatchRow>,
    ) -> Result<Vec<Row>, DecodeError> {
        let begun = Instant::now();
        let batch = Batch { rows, layers: self.layers.clone(), ..Batch::default() };
        let rows = model.forward(&batch).await?.rows.into_iter().map(Row::new).collect();
        let took = begun.elapsed().as_secs_f32();
        self.pass = if self.pass > 0.0 { self.pass + 0.2 * (took - self.pass) } else { took };
        Ok(rows)
    }
}

/// Whether rows were too short to say what a guess is drawn from; then they come whole from now on.
pub(crate) fn wants_whole(line: &mut Line, error: &DecodeError) -> bool {
    let short = matches!(error, DecodeError::Engine(EngineError::Sample(SampleError::NeedsFullRow { .. })));
    let first = short && !line.whole;
    line.whole |= first;
    first
}
