//! Trees that the device follows by itself: of the pass only the path comes back, with its tokens.

use goldcrest_engine::EngineError;
use goldcrest_engine::batch::{BEST, Batch, Walk, Wants};
use goldcrest_sample::SamplerParams;

use super::line::{Line, STREAM};
use super::tree::{Layout, Tree};
use super::walk::Path;
use crate::{DecodeError, Job, Lm};

impl Line {
    /// Whether the device can follow a tree: where nobody reads the rows, the sampler is one that it draws by, and the exact rule
    /// holds without a form. A pass without guesses has nothing to follow.
    pub(super) fn walks(&self, tree: &Tree, reads: Option<u32>) -> bool {
        let unread = reads.is_none() && !self.reads.rows() && tree.extras().is_empty();
        let exact = self.form.is_none() && !self.accept.reads();
        let listed =
            (0..tree.rows()).all(|node| tree.drawn(node).is_none_or(|q| q.pairs().len() <= BEST as usize));
        unread
            && exact
            && listed
            && (tree.rows() > 1 || tree.is_drawn())
            && (self.greedy || self.draws.is_some())
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
        let list = |node: &usize| tree.drawn(*node).map_or_else(Vec::new, |q| list(q.pairs()));
        let lists = layout.order.iter().filter(|_| tree.is_drawn()).map(list).collect();
        let (stream, thrown) = (STREAM, self.dice.thrown);
        let walk = Walk { parents, lists, expected: tree.expected(), stream, thrown };
        let wants = Wants { drawn: Some(0), ..Wants::default() };
        let sampler = self.draws.clone().unwrap_or_else(SamplerParams::greedy);
        let batch = self.batch(job, tree, layout, &wants)?;
        let batch = Batch { sampler: Some(sampler), walk: Some(walk), ..batch };
        let walked = job.model.forward(&batch).await?.walked;
        let (mut path, mut logprobs) = (Path::default(), Vec::new());
        self.dice.thrown = walked.thrown;
        for (row, token, logprob) in walked.path {
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

/// A distribution as a device has it.
fn list(pairs: &[(u32, f64)]) -> Vec<(u32, f32)> {
    pairs.iter().map(|(token, p)| (*token, *p as f32)).collect()
}
