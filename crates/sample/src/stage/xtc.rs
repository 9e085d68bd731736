use super::{Ctx, LogitStage, require_whole};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;
use crate::rng::Purpose;

/// XTC, exclude top choices: with some probability removes all but the least probable of the tokens whose probability
/// is at least a threshold. It fires when the position's [`Purpose::Xtc`] number is not above `probability`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Xtc {
    /// How often it fires; 0 is off.
    pub probability: f32,
    /// Least probability of a top choice; above 0.5 is off, because two such tokens cannot exist.
    pub threshold: f32,
}

impl LogitStage for Xtc {
    fn name(&self) -> &'static str {
        "xtc"
    }

    fn spec(&self) -> String {
        format!("xtc(p={},thr={})", self.probability, self.threshold)
    }

    fn apply(&self, candidates: &mut Candidates, ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if self.probability <= 0.0 || self.threshold > 0.5 || ctx.uniform(Purpose::Xtc) > self.probability {
            return Ok(());
        }
        require_whole(candidates, self.name())?;
        candidates.sort();
        let top = candidates.probabilities().iter().take_while(|p| **p >= self.threshold).count();
        let mut place = 0;
        if top >= 2 {
            candidates.keep_if(|_| {
                place += 1;
                place >= top
            });
        }
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        if self.probability <= 0.0 || self.threshold > 0.5 { Some(known) } else { known.whole_only() }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
