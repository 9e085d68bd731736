//! Trees that the device follows by itself: of the pass only the path comes back, with its tokens.

use goldcrest_engine::EngineError;
use goldcrest_engine::batch::{Batch, Walk, Wants};
use goldcrest_sample::SamplerParams;

use super::line::Line;
use super::tree::{Layout, Tree};
use super::walk::Path;
use crate::{DecodeError, Job, Lm};

impl Line {
    /// Whether the device can follow a tree: where nobody reads the rows, the sampler is one that it draws by, and the exact rule
    /// holds without a form. A pass without guesses has nothing to follow.
    pub(super) fn walks(&self, tree: &Tree, reads: Option<u32>) -> bool {
        let unread = reads.is_none() && !self.reads.rows() && tree.extras().is_empty();
        let exact = self.form.is_none() && !self.accept.reads() && !tree.is_drawn();
        unread && exact && tree.rows() > 1 && (self.greedy || self.draws.is_some())
    }

    /// Runs a tree, which the device follows; gives the path with the log-probabilities of its tokens.
    pub(super) async fn walk<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        tree: &Tree,
        layout: &Layout,
    ) -> Result<(Path, Vec<f32>), DecodeError> {
        let mut row_of = vec![0; layout.order.len()];
        layout.order.iter().zip(0..).for_each(|(node, row)| row_of[*node] = row);
        let parents = layout.order.iter().map(|node| row_of[tree.nodes()[*node].parent]).collect();
        let wants = Wants { drawn: Some(0), ..Wants::default() };
        let sampler = self.draws.clone().unwrap_or_else(SamplerParams::greedy);
        let batch = self.batch(job, tree, layout, &wants)?;
        let batch = Batch { sampler: Some(sampler), walk: Some(Walk { parents }), ..batch };
        let walked = job.model.forward(&batch).await?.walked;
        let (mut path, mut logprobs) = (Path::default(), Vec::new());
        for (row, token, logprob) in walked {
            path.nodes.push(*layout.order.get(row).ok_or(EngineError::BadResult)?);
            path.tokens.push(token);
            logprobs.push(logprob);
            if !self.greedy {
                self.chain.accept(token);
            }
        }
        Ok((path, logprobs))
    }
}
