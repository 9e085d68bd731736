use super::{Ctx, LogitStage, require_some, require_whole};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Adds a constant to the logits of named tokens; −∞ bans a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Bias {
    /// (token, addend), ascending by token, each token once.
    pairs: Vec<(u32, f32)>,
}

impl Bias {
    /// A bias list; the addends of a token named more than once are summed.
    #[must_use]
    pub fn new(pairs: &[(u32, f32)]) -> Self {
        let mut pairs = pairs.to_vec();
        pairs.sort_by_key(|pair| pair.0);
        pairs.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        Self { pairs }
    }
}

impl LogitStage for Bias {
    fn name(&self) -> &'static str {
        "bias"
    }

    fn spec(&self) -> String {
        let pairs: Vec<String> = self.pairs.iter().map(|(id, bias)| format!("{id}={bias}")).collect();
        format!("bias({})", pairs.join(","))
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        if self.pairs.iter().all(|pair| pair.1 == 0.0) {
            return Ok(());
        }
        let raises = self.pairs.iter().any(|pair| pair.1 > 0.0);
        if raises {
            require_whole(candidates, self.name())?;
        }
        candidates.lower(self.name(), |candidate| {
            if let Ok(at) = self.pairs.binary_search_by_key(&candidate.id, |pair| pair.0)
                && let Some((_, bias)) = self.pairs.get(at)
            {
                candidate.logit += bias;
            }
            candidate.logit != f32::NEG_INFINITY
        })?;
        require_some(candidates)
    }

    fn after(&self, known: Known) -> Option<Known> {
        let pairs = || self.pairs.iter().map(|pair| pair.1);
        match known {
            _ if pairs().all(|addend| addend == 0.0) => Some(known),
            _ if pairs().all(|addend| addend <= 0.0) => Some(known.changed()),
            _ => known.whole_only(),
        }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(self.clone())
    }
}
