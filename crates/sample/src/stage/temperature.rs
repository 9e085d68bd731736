use super::{Ctx, LogitStage};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Divides the logits by the temperature: in f32, `l · (1 / t)`, as GPU kernels do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Temperature {
    /// Above 0; 1 is off. Greedy choice is [`crate::Choose::Greedy`], not a temperature of 0.
    pub t: f32,
}

impl LogitStage for Temperature {
    fn name(&self) -> &'static str {
        "temp"
    }

    fn spec(&self) -> String {
        format!("temp({})", self.t)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if self.t != 1.0 {
            candidates.scale(1.0 / self.t);
        }
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        Some(if self.t == 1.0 { known } else { known.changed() })
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
