use super::{Ctx, LogitStage, require_whole};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Keeps `l ≥ l_max − n·σ`, σ the population deviation of the candidates' logits. Temperature does not change the set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopNSigma {
    /// Number of deviations; 0 is off.
    pub n: f32,
}

impl LogitStage for TopNSigma {
    fn name(&self) -> &'static str {
        "top_n_sigma"
    }

    fn spec(&self) -> String {
        format!("top_n_sigma({})", self.n)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        let Some(best) = candidates.best() else { return Err(SampleError::NoCandidate) };
        if self.n <= 0.0 {
            return Ok(());
        }
        require_whole(candidates, self.name())?;
        let count = candidates.len() as f64;
        let logits = || candidates.as_slice().iter().map(|candidate| f64::from(candidate.logit));
        let mean = logits().sum::<f64>() / count;
        let variance = logits().map(|logit| (logit - mean).powi(2)).sum::<f64>() / count;
        let threshold = f64::from(best.logit) - f64::from(self.n) * variance.sqrt();
        candidates.keep_if(|candidate| f64::from(candidate.logit) >= threshold);
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        if self.n <= 0.0 { Some(known) } else { known.whole_only() }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
