use std::collections::BTreeSet;

use super::{Ctx, LogitStage, require_whole};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Locally typical sampling: keeps the candidates whose surprise is closest to the entropy, until their mass is
/// greater than `p`. The most probable token may be dropped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Typical {
    /// Mass to exceed; 1 is off.
    pub p: f32,
}

impl Typical {
    /// The kept ids in the order in which they were taken: by `|−ln p − H|` ascending, equal ones in the crate's
    /// order. Computed in f64.
    #[must_use]
    pub fn selection(&self, candidates: &mut Candidates) -> Vec<u32> {
        candidates.sort();
        let log_total = f64::from(candidates.weights().iter().sum::<f32>()).ln();
        let max = candidates.best().map_or(0.0, |best| f64::from(best.logit));
        let rows: Vec<(u32, f64)> = candidates
            .as_slice()
            .iter()
            .map(|candidate| (candidate.id, f64::from(candidate.logit) - max - log_total))
            .collect();
        let entropy = -rows.iter().map(|(_, log_p)| log_p.exp() * log_p).sum::<f64>();
        let mut by_shift = rows;
        by_shift.sort_by(|a, b| (-a.1 - entropy).abs().total_cmp(&(-b.1 - entropy).abs()));
        let mut mass = 0.0;
        let mut kept = Vec::new();
        for (id, log_p) in by_shift {
            mass += log_p.exp();
            kept.push(id);
            if mass > f64::from(self.p) {
                break;
            }
        }
        kept
    }
}

impl LogitStage for Typical {
    fn name(&self) -> &'static str {
        "typical"
    }

    fn spec(&self) -> String {
        format!("typical({})", self.p)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if self.p >= 1.0 {
            return Ok(());
        }
        require_whole(candidates, self.name())?;
        let kept: BTreeSet<u32> = self.selection(candidates).into_iter().collect();
        candidates.keep_if(|candidate| kept.contains(&candidate.id));
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        if self.p >= 1.0 { Some(known) } else { known.whole_only() }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
