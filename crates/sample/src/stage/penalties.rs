use std::collections::BTreeMap;

use super::{Ctx, LogitStage, require_whole};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Repetition, frequency and presence penalties over a window of the accepted tokens.
///
/// For every distinct token of the window, with `c` occurrences, in f32 and in this order:
///
/// 1. `l ← l · repeat` if `l ≤ 0`, else `l / repeat`;
/// 2. `l ← (l − c · frequency) − presence`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalties {
    /// Tokens looked back at; 0 switches the stage off, −1 means all accepted tokens.
    pub last_n: i32,
    /// Repetition penalty; 1 is off.
    pub repeat: f32,
    /// Subtracted once per occurrence; 0 is off.
    pub frequency: f32,
    /// Subtracted once per distinct token; 0 is off.
    pub presence: f32,
}

impl LogitStage for Penalties {
    fn name(&self) -> &'static str {
        "penalties"
    }

    fn spec(&self) -> String {
        let Self { last_n, repeat, frequency, presence } = self;
        format!("penalties(last_n={last_n},repeat={repeat},freq={frequency},present={presence})")
    }

    fn apply(&self, candidates: &mut Candidates, ctx: &Ctx<'_>) -> Result<(), SampleError> {
        let window = ctx.window(self.last_n);
        if self.is_off() || window.is_empty() {
            return Ok(());
        }
        if !self.only_lowers() {
            require_whole(candidates, self.name())?;
        }
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        for &token in window {
            *counts.entry(token).or_default() += 1;
        }
        candidates.lower(self.name(), |candidate| {
            if let Some(&count) = counts.get(&candidate.id) {
                candidate.logit = self.penalised(candidate.logit, count);
            }
            true
        })
    }

    fn after(&self, known: Known) -> Option<Known> {
        match known {
            _ if self.is_off() || self.last_n == 0 => Some(known),
            _ if self.only_lowers() => Some(known.changed()),
            _ => known.whole_only(),
        }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}

impl Penalties {
    fn is_off(&self) -> bool {
        self.repeat == 1.0 && self.frequency == 0.0 && self.presence == 0.0
    }

    fn only_lowers(&self) -> bool {
        self.repeat >= 1.0 && self.frequency >= 0.0 && self.presence >= 0.0
    }

    fn penalised(&self, logit: f32, count: u32) -> f32 {
        let logit = if logit <= 0.0 { logit * self.repeat } else { logit / self.repeat };
        logit - count as f32 * self.frequency - self.presence
    }
}
