use super::{Ctx, LogitStage};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Nucleus: keeps the first candidates up to and including the one that brings their mass to `p`.
///
/// In f32, with `w[i] = exp(l[i] − l[0])` in the crate's order and `total` their left-to-right sum: the first `i` with
/// `w[0] + … + w[i] ≥ p · total` is the last one kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopP {
    /// Mass to reach; 1 is off, 0 keeps one candidate.
    pub p: f32,
}

impl LogitStage for TopP {
    fn name(&self) -> &'static str {
        "top_p"
    }

    fn spec(&self) -> String {
        format!("top_p({})", self.p)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if self.p >= 1.0 {
            return Ok(());
        }
        if !candidates.is_whole() && candidates.stats().is_none() {
            return Err(SampleError::NeedsFullRow { stage: self.name() });
        }
        candidates.sort();
        let weights = candidates.weights();
        let target = self.p * candidates.total_weight(&weights);
        let mut sum = 0.0f32;
        let reached = weights.iter().position(|weight| {
            sum += weight;
            sum >= target
        });
        match reached {
            Some(last) => candidates.keep_first(last + 1),
            None if candidates.is_whole() => {}
            None => return Err(SampleError::NeedsFullRow { stage: self.name() }),
        }
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        if self.p >= 1.0 { Some(known) } else { known.cut_by_mass() }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
