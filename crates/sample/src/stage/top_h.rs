use super::{Ctx, LogitStage};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Candidates that the readings of the published programs look at.
const RANKED: usize = 100;

/// Which of the three published readings of top-H counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TopHVariant {
    /// Hugging Face's: the first 100, renormalised; the longest prefix whose partial sum of `−q ln q` is at most α times
    /// the entropy of those 100.
    #[default]
    HuggingFace,
    /// The authors' program: as above without renormalising, so that the mass outside the 100 counts.
    Authors,
    /// The paper's: the longest prefix whose own entropy, renormalised, is at most α times that of the whole row.
    Paper,
}

impl TopHVariant {
    /// Every reading with its name in settings.
    pub const NAMES: [(&'static str, Self); 3] =
        [("hf", Self::HuggingFace), ("authors", Self::Authors), ("paper", Self::Paper)];

    /// The name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, variant)| *variant == self).map_or("hf", |(name, _)| name)
    }
}

/// Top-H: keeps the most probable candidates as long as their entropy stays within a share of the row's (arXiv
/// 2509.02510). The set grows with the entropy, yet stays small where heat makes everything possible.
///
/// At least one candidate is kept. In f64.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopH {
    /// Share of the entropy, the paper's α; 0 is off.
    pub share: f32,
    /// The reading.
    pub variant: TopHVariant,
}

impl TopH {
    /// How many of the sorted candidates stay; none if the best known do not settle it.
    fn kept(&self, candidates: &Candidates) -> Option<usize> {
        let log_total = candidates.log_total();
        let logs = candidates.as_slice().iter().map(|candidate| f64::from(candidate.logit) - log_total);
        let share = f64::from(self.share);
        if self.variant == TopHVariant::Paper {
            let logs: Vec<f64> = logs.collect();
            let entropy = match candidates.stats() {
                Some(stats) if !candidates.is_whole() => f64::from(stats.entropy),
                _ => logs.iter().map(|log_p| -log_p.exp() * log_p).sum(),
            };
            return prefix_of_own_entropy(&logs, share * entropy, candidates.is_whole());
        }
        if !candidates.is_whole() && candidates.len() < RANKED {
            return None;
        }
        let mut first: Vec<f64> = logs.take(RANKED).collect();
        if self.variant == TopHVariant::HuggingFace {
            let log_mass = first.iter().map(|log_p| log_p.exp()).sum::<f64>().ln();
            first.iter_mut().for_each(|log_p| *log_p -= log_mass);
        }
        let parts: Vec<f64> = first.iter().map(|log_p| -log_p.exp() * log_p).collect();
        let limit = share * parts.iter().sum::<f64>();
        let mut sum = 0.0;
        let within = parts.iter().take_while(|part| {
            sum += **part;
            sum <= limit
        });
        Some(within.count().max(1))
    }
}

/// `H(q) = A/Γ + ln Γ` of a prefix, with `A = Σ −p ln p` and `Γ = Σ p`.
fn prefix_of_own_entropy(logs: &[f64], limit: f64, whole: bool) -> Option<usize> {
    let (mut mass, mut sum) = (0.0, 0.0);
    let over = logs.iter().position(|log_p| {
        mass += log_p.exp();
        sum -= log_p.exp() * log_p;
        sum / mass + mass.ln() > limit
    });
    // One candidate has entropy 0, up to rounding.
    over.map(|first| first.max(1)).or_else(|| whole.then_some(logs.len()))
}

impl LogitStage for TopH {
    fn name(&self) -> &'static str {
        "top_h"
    }

    fn spec(&self) -> String {
        format!("top_h({},variant={})", self.share, self.variant.name())
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if candidates.is_empty() {
            return Err(SampleError::NoCandidate);
        }
        if self.share <= 0.0 {
            return Ok(());
        }
        if self.variant != TopHVariant::HuggingFace && !candidates.has_mass() {
            return Err(SampleError::NeedsFullRow { stage: self.name() });
        }
        candidates.sort();
        let kept = self.kept(candidates).ok_or(SampleError::NeedsFullRow { stage: self.name() })?;
        candidates.keep_first(kept);
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        match self.variant {
            _ if self.share <= 0.0 => Some(known),
            TopHVariant::HuggingFace => known.cut_by_rank(RANKED),
            TopHVariant::Authors => known.cut_by_rank(RANKED).and(known.cut_by_mass()),
            TopHVariant::Paper => known.cut_by_mass(),
        }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
