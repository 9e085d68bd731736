use super::{Ctx, LogitStage};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Keeps the candidates whose probability is at least `p` times the largest one: `l ≥ l_max + ln p`, in f32.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinP {
    /// Share of the largest probability; 0 is off, 1 keeps only ties of the maximum.
    pub p: f32,
}

impl MinP {
    /// The addend to the largest logit that gives the threshold: `ln p`, computed in f64 and rounded once.
    #[must_use]
    pub fn log_threshold(p: f32) -> f32 {
        f64::from(p).ln() as f32
    }
}

impl LogitStage for MinP {
    fn name(&self) -> &'static str {
        "min_p"
    }

    fn spec(&self) -> String {
        format!("min_p({})", self.p)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        let Some(best) = candidates.best() else { return Err(SampleError::NoCandidate) };
        if self.p <= 0.0 {
            return Ok(());
        }
        let threshold = best.logit + Self::log_threshold(self.p);
        let all_pass = candidates.as_slice().iter().all(|candidate| candidate.logit >= threshold);
        if all_pass && candidates.is_whole() {
            return Ok(());
        }
        if all_pass {
            return Err(SampleError::NeedsFullRow { stage: self.name() });
        }
        candidates.keep_if(|candidate| candidate.logit >= threshold);
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        if self.p <= 0.0 { Some(known) } else { known.cut_by_rank(1) }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
