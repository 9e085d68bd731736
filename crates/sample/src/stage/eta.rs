use super::epsilon::cut_below;
use super::{Ctx, LogitStage};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Eta cut-off: an epsilon cut-off that gives way where the distribution is flat. Keeps the candidates of probability
/// `min(ε, √ε · exp(−H))` and up, H the entropy in nats, and at least the best one (Hewitt, Manning and Liang, 2022).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eta {
    /// The paper's ε; 0 is off.
    pub epsilon: f32,
}

impl Eta {
    /// The least probability for these candidates, in f64.
    #[must_use]
    pub fn cutoff(&self, candidates: &Candidates) -> f64 {
        let epsilon = f64::from(self.epsilon);
        let entropy = match candidates.stats() {
            Some(stats) if !candidates.is_whole() => f64::from(stats.entropy),
            _ => {
                let log_total = candidates.log_total();
                let logs = candidates.as_slice().iter().map(|c| f64::from(c.logit) - log_total);
                logs.map(|log_p| -log_p.exp() * log_p).sum()
            }
        };
        epsilon.min(epsilon.sqrt() * (-entropy).exp())
    }
}

impl LogitStage for Eta {
    fn name(&self) -> &'static str {
        "eta"
    }

    fn spec(&self) -> String {
        format!("eta({})", self.epsilon)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if self.epsilon <= 0.0 {
            return Ok(());
        }
        if !candidates.has_mass() {
            return Err(SampleError::NeedsFullRow { stage: self.name() });
        }
        let cutoff = self.cutoff(candidates);
        cut_below(candidates, cutoff, self.name())
    }

    fn after(&self, known: Known) -> Option<Known> {
        if self.epsilon <= 0.0 { Some(known) } else { known.cut_by_mass() }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
