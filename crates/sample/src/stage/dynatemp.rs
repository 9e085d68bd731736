use super::{Ctx, LogitStage, require_whole};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Dynamic temperature: between `max(0, t − range)` and `t + range`, by the entropy of the candidates.
///
/// `T = low + (high − low) · (H / ln n)^exponent`, n candidates; a single candidate is left alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DynamicTemperature {
    /// Middle of the range, above 0.
    pub t: f32,
    /// Half-width of the range; 0 makes it an ordinary temperature.
    pub range: f32,
    /// Exponent of the normalised entropy, above 0.
    pub exponent: f32,
}

/// Colder than this would overflow f32 logits; the draw is then the argmax anyway.
const COLDEST: f64 = 1e-6;

impl DynamicTemperature {
    /// The temperature for these candidates, in f64.
    #[must_use]
    pub fn temperature(&self, candidates: &Candidates) -> f64 {
        let entropy: f64 = candidates
            .probabilities()
            .iter()
            .map(|p| f64::from(*p))
            .filter(|p| *p > 0.0)
            .map(|p| -p * p.ln())
            .sum();
        let low = f64::from((self.t - self.range).max(0.0));
        let high = f64::from(self.t + self.range);
        let spread = (entropy / (candidates.len() as f64).ln()).clamp(0.0, 1.0);
        (low + (high - low) * spread.powf(f64::from(self.exponent))).max(COLDEST)
    }
}

impl LogitStage for DynamicTemperature {
    fn name(&self) -> &'static str {
        "dynatemp"
    }

    fn spec(&self) -> String {
        format!("dynatemp(t={},range={},exp={})", self.t, self.range, self.exponent)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if self.range <= 0.0 {
            if self.t != 1.0 {
                candidates.scale(1.0 / self.t);
            }
            return Ok(());
        }
        require_whole(candidates, self.name())?;
        if candidates.len() > 1 {
            let temperature = self.temperature(candidates);
            candidates.scale((1.0 / temperature) as f32);
        }
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        match known {
            _ if self.range > 0.0 => known.whole_only(),
            _ if self.t != 1.0 => Some(known.changed()),
            _ => Some(known),
        }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
