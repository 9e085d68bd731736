use std::collections::BTreeSet;

use super::{Ctx, LogitStage, require_some};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Bans every token that would complete an n-gram already present among the accepted tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoRepeatNgram {
    /// Length of the n-gram; 0 is off.
    pub n: u32,
}

impl LogitStage for NoRepeatNgram {
    fn name(&self) -> &'static str {
        "no_repeat_ngram"
    }

    fn spec(&self) -> String {
        format!("no_repeat_ngram({})", self.n)
    }

    fn apply(&self, candidates: &mut Candidates, ctx: &Ctx<'_>) -> Result<(), SampleError> {
        let banned = self.banned(ctx.history);
        if banned.is_empty() {
            return Ok(());
        }
        candidates.lower(self.name(), |candidate| !banned.contains(&candidate.id))?;
        require_some(candidates)
    }

    fn after(&self, known: Known) -> Option<Known> {
        Some(if self.n == 0 { known } else { known.changed() })
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}

impl NoRepeatNgram {
    fn banned(&self, history: &[u32]) -> BTreeSet<u32> {
        let Some((n, head)) = (self.n as usize)
            .checked_sub(1)
            .and_then(|head| Some((head + 1, history.get(history.len().checked_sub(head)?..)?)))
        else {
            return BTreeSet::new();
        };
        history
            .windows(n)
            .filter_map(|gram| gram.split_last())
            .filter(|(_, before)| *before == head)
            .map(|(last, _)| *last)
            .collect()
    }
}
