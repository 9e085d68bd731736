use super::{Ctx, LogitStage};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Epsilon cut-off: keeps the candidates of probability `epsilon` and up, and at least the best one (Hewitt, Manning and
/// Liang, 2022).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epsilon {
    /// Least probability; 0 is off.
    pub epsilon: f32,
}

impl LogitStage for Epsilon {
    fn name(&self) -> &'static str {
        "epsilon"
    }

    fn spec(&self) -> String {
        format!("epsilon({})", self.epsilon)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if self.epsilon <= 0.0 {
            return Ok(());
        }
        cut_below(candidates, f64::from(self.epsilon), self.name())
    }

    fn after(&self, known: Known) -> Option<Known> {
        if self.epsilon <= 0.0 { Some(known) } else { known.cut_by_mass() }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}

/// Keeps the best candidate and all of probability `least` and up, in f64.
pub(super) fn cut_below(
    candidates: &mut Candidates,
    least: f64,
    stage: &'static str,
) -> Result<(), SampleError> {
    if candidates.is_empty() {
        return Err(SampleError::NoCandidate);
    }
    if !candidates.has_mass() {
        return Err(SampleError::NeedsFullRow { stage });
    }
    candidates.sort();
    let log_least = least.ln() + candidates.log_total();
    let passing = candidates.as_slice().iter().take_while(|c| f64::from(c.logit) >= log_least).count();
    if passing < candidates.len() {
        candidates.keep_first(passing.max(1));
    } else if !candidates.is_whole() {
        return Err(SampleError::NeedsFullRow { stage });
    }
    Ok(())
}
