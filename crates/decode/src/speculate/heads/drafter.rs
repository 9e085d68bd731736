//! A head on the host as a drafter.

use super::super::drafter::{Drafter, Turn};
use super::super::features::{Features, Reads};
use super::super::line::{Line, Round};
use super::super::tree::Tree;
use super::{DraftHead, Embeddings, Fed, Outputs, Reach};
use crate::{DecodeError, Lm};

/// A head with its vocabulary, and rows that it was not fed yet.
pub(crate) struct Headed {
    head: Box<dyn DraftHead>,
    outputs: Outputs,
    embeddings: Embeddings,
    reach: Reach,
    /// Rows with the token behind each.
    pending: Vec<(Vec<f32>, u32)>,
    fed: usize,
}

impl Headed {
    pub(crate) const fn new(
        head: Box<dyn DraftHead>,
        outputs: Outputs,
        embeddings: Embeddings,
        reach: Reach,
    ) -> Self {
        Self { head, outputs, embeddings, reach, pending: Vec::new(), fed: 0 }
    }

    fn take(&mut self, round: &Round) {
        let rows = round.path.nodes.iter().map(|node| round.features[*node].clone());
        self.pending.extend(rows.zip(round.path.tokens.iter().copied()));
    }
}

impl<L: Lm> Drafter<L> for Headed {
    fn reads(&self) -> Reads {
        let before = self.head.reads_before().to_vec();
        Reads { hidden: before.is_empty(), before, prompt: self.head.reads_prompt(), transfers: Vec::new() }
    }

    fn begin(&mut self, line: &mut Line, prompt: Features, first: &Round) {
        // The token behind a row of the prompt is the prompt's next one.
        self.pending = prompt.into_iter().zip(line.tokens.iter().skip(1).copied()).collect();
        self.take(first);
    }

    async fn propose(&mut self, turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError> {
        for (_, token) in &self.pending {
            self.embeddings.ensure(turn.job.model.lm(), *token).await?;
        }
        self.head.rollback(self.fed);
        let rows: Vec<Fed<'_>> = self
            .pending
            .iter()
            .map(|(hidden, token)| Fed { hidden, embedding: self.embeddings.of_token(*token) })
            .collect();
        self.head.feed(&rows);
        self.fed += rows.len();
        self.pending.clear();
        let reach = Reach { depth: self.reach.depth.min(turn.limit.depth), ..self.reach };
        let total = turn.limit.rows.saturating_sub(1);
        Ok(self.head.propose(turn.line.root(), reach, total, &self.outputs, &self.embeddings))
    }

    fn observe(&mut self, _: &mut Line, _: &Tree, round: &Round) {
        self.take(round);
    }
}
