//! Passes beside which a further model writes.

use std::pin::pin;
use std::time::Duration;

use web_time::Instant;

use super::drafter::Drafter;
use super::line::{Line, Round};
use super::tree::Tree;
use crate::{DecodeError, Job, Lm};

/// What was written while a pass ran.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beside {
    /// Passes of the model that wrote.
    pub(crate) passes: u64,
    /// Time that they took.
    pub(crate) took: Duration,
    /// How much longer the pass took.
    pub(crate) waited: Duration,
}

impl Line {
    /// [`Line::verify`], while the drafter writes on with a further model that can compute beside this one.
    pub(crate) async fn verify_beside<L: Lm, D: Drafter<L>>(
        &mut self,
        job: &mut Job<'_, L>,
        tree: &mut Tree,
        drafter: &mut D,
    ) -> Result<(Round, Beside), DecodeError> {
        let layout = tree.layout();
        let before = job.model.len(self.seq)?;
        // What it writes first is judged by the last row of the pass.
        let drawn = self.by_ratio || tree.is_drawn();
        let wants = self.verifying(drawn, drafter.reads_rows().unwrap_or(0));
        let (batch, ends) = (self.batch(job, tree, &layout, &wants)?, job.ender());
        let (begun, mut written) = (Instant::now(), None);
        let found = {
            let Job { model, others, .. } = &mut *job;
            let missing = DecodeError::MissingResource { method: "pearl", what: "a draft model" };
            let draft = others.first_mut().ok_or(missing)?;
            let work = pin!(async {
                let before = draft.passes();
                let result = drafter.write_on(draft, self, tree, &ends).await;
                written = Some((result, begun.elapsed(), draft.passes() - before));
            });
            model.forward_beside(&batch, work).await?
        };
        let waited = begun.elapsed();
        let mut beside = Beside::default();
        if let Some((result, took, passes)) = written {
            result?;
            beside = Beside { passes, took, waited: waited.saturating_sub(took) };
        }
        let said = self.read(&layout, found);
        let found = self.follow_by(job, tree, (&layout, wants, before), said).await?;
        Ok((self.take(job, &layout, before, found).await?, beside))
    }
}
