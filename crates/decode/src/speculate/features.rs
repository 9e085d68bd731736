//! What drafters with trained parts read of rows beside their logits, and rows that join at a later layer.

use std::rc::Rc;

use goldcrest_engine::batch::{Batch, BatchRow, Place, Source, StepResult, Tap, Wants};
use goldcrest_engine::kv::SeqId;

use super::heads::Matrix;
use super::tree::{Input, Layout, Tree};
use crate::{DecodeError, Job, Lm};

/// Rows of a prompt that are run and read together.
const AT_ONCE: usize = 64;

/// One row of values for each row of a pass; empty where nothing was asked for.
pub(crate) type Features = Vec<Vec<f32>>;

/// What is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    /// The row behind the final norm.
    pub(crate) hidden: bool,
    /// The rows before these layers, one behind another.
    pub(crate) before: Vec<u32>,
    /// Whether rows of the prompt are read too.
    pub(crate) prompt: bool,
    /// What rows that join at a layer are made with.
    pub(crate) transfers: Vec<Transfer>,
}

/// How a row is made that joins at a layer (hidden transfer; Wu et al., arXiv 2404.12022).
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    /// The layer before which it joins.
    pub(crate) layer: u32,
    /// What the row of its node is multiplied with there.
    pub(crate) weight: Rc<Matrix>,
}

impl Reads {
    /// Whether anything is read of every row.
    pub(crate) const fn rows(&self) -> bool {
        self.hidden || !self.before.is_empty()
    }

    /// The taps of a batch.
    pub(crate) fn taps(&self) -> Vec<Tap> {
        self.before.iter().map(|layer| Tap::Read { layer: *layer }).collect()
    }

    /// What a pass brought, by item: `order` says which item each row is.
    pub(crate) fn features(&self, found: &StepResult, order: &[usize]) -> Features {
        let mut features = vec![Vec::new(); order.len()];
        for (row, item) in order.iter().enumerate() {
            if self.hidden {
                features[*item] = found.rows.get(row).map(|row| row.hidden.clone()).unwrap_or_default();
            }
            for tap in &found.taps {
                let width = tap.len() / order.len();
                features[*item].extend(&tap[row * width..(row + 1) * width]);
            }
        }
        features
    }

    /// A fresh sequence that holds `tokens`, and what was read of them. What the caller may have run of them before is run
    /// again: nobody kept its rows.
    pub(crate) async fn prefilled<L: Lm>(
        &self,
        job: &mut Job<'_, L>,
        tokens: &[u32],
    ) -> Result<(SeqId, Features), DecodeError> {
        let seq = job.model.prefilled(&[]).await?;
        let wants = Wants { hidden: self.hidden, ..Wants::default() };
        let (mut features, mut pos) = (Vec::new(), 0..);
        for chunk in tokens.chunks(AT_ONCE) {
            let rows = chunk.iter().zip(&mut pos);
            let rows: Vec<BatchRow> =
                rows.map(|(token, pos)| BatchRow::token(*token, pos, seq).wanting(wants.clone())).collect();
            let order: Vec<usize> = (0..rows.len()).collect();
            let found = job.model.forward(&Batch { rows, taps: self.taps(), ..Batch::default() }).await?;
            features.extend(self.features(&found, &order));
        }
        Ok((seq, features))
    }

    /// Runs a batch; where rows join at layers, in parts that end there.
    pub(crate) async fn run<L: Lm>(
        &self,
        job: &mut Job<'_, L>,
        mut batch: Batch,
        tree: &Tree,
        layout: &Layout,
    ) -> Result<StepResult, DecodeError> {
        let n = tree.nodes().len();
        let joining = |row: usize, layer: u32| match tree.input(layout.order[row]) {
            Input::Transferred(i) => self.transfers.get(i).filter(|transfer| transfer.layer == layer),
            _ => None,
        };
        let some = (n..tree.rows()).any(|item| matches!(tree.input(item), Input::Transferred(_)));
        let mut layers: Vec<u32> = self.transfers.iter().map(|t| t.layer).filter(|_| some).collect();
        layers.dedup();
        let Some(seq) = batch.rows.first().map(|row| row.seq) else { return Ok(StepResult::default()) };
        let (mut begin, before) = (0, job.model.len(seq)?);
        for layer in layers {
            let rows = batch.rows.iter().cloned().map(|row| row.wanting(Wants::default())).collect();
            let (layers, taps) = (Some(begin..layer), vec![Tap::Read { layer }]);
            let part = Batch { rows, layers, taps, ..Batch::default() };
            let read = job.model.forward(&part).await?.taps.pop().unwrap_or_default();
            let width = read.len() / batch.rows.len();
            for (row, of) in batch.rows.iter_mut().enumerate() {
                (of.source, of.place) = (Source::Kept, Place::Entry(before + row));
                let Some(transfer) = joining(row, layer) else { continue };
                let behind = tree.extras()[layout.order[row] - n].behind;
                let node = layout.order.iter().position(|item| *item == behind).unwrap_or(0);
                of.source = Source::Embedding(transfer.weight.times(&read[node * width..(node + 1) * width]));
            }
            begin = layer;
        }
        batch.layers = (begin > 0).then(|| begin..job.model.shape().n_layer);
        job.model.forward(&batch).await
    }
}
