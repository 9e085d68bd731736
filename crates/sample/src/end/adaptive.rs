use super::{Memory, draw};
use crate::candidates::{Candidate, Candidates};
use crate::error::SampleError;

/// Logit of a candidate of exactly the probability sought, and how steeply it falls from there.
const PEAK: f64 = 5.0;
const STEEPNESS: f64 = 10.0;
/// Distance in probability at which half the steepness is reached.
const WIDTH: f64 = 0.3;

/// Adaptive-p, after llama.cpp: draws candidates whose probability is near a target, and moves the target so that the
/// probabilities of the tokens taken have it as their mean. The mean forgets with the factor `decay` a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveP {
    /// Target probability.
    pub target: f32,
    /// Share of the past in the mean.
    pub decay: f32,
}

impl AdaptiveP {
    pub(super) fn memory(&self) -> Memory {
        let length = (1.0 - f64::from(self.decay)).recip();
        [f64::from(self.target) * length, length]
    }

    /// The probability sought next.
    fn sought(&self, [sum, count]: Memory) -> f64 {
        (2.0 * f64::from(self.target) - sum / count).clamp(0.0, 1.0)
    }

    pub(super) fn pick(
        &self,
        candidates: &mut Candidates,
        memory: Memory,
        u: f32,
    ) -> Result<(Candidate, f64), SampleError> {
        if !candidates.is_whole() {
            return Err(SampleError::NeedsFullRow { stage: "adaptive_p" });
        }
        let (sought, log_total) = (self.sought(memory), candidates.log_total());
        let p = |logit: f32| (f64::from(logit) - log_total).exp();
        let mut shaped = candidates.clone();
        shaped.update(|candidate| {
            let distance = (p(candidate.logit) - sought).abs() / WIDTH;
            candidate.logit = (PEAK - STEEPNESS * distance * distance / (1.0 + distance)) as f32;
            true
        });
        let picked = draw(&mut shaped, u)?;
        let before = candidates.as_slice().iter().find(|candidate| candidate.id == picked.id);
        let told = before.map_or(0.0, |candidate| p(candidate.logit));
        *candidates = shaped;
        Ok((picked, told))
    }

    pub(super) fn learn(&self, [sum, count]: Memory, told: f64) -> Memory {
        let decay = f64::from(self.decay);
        [told + decay * sum, 1.0 + decay * count]
    }

    pub(super) fn spec(&self) -> String {
        format!("adaptive_p(target={},decay={})", self.target, self.decay)
    }
}
