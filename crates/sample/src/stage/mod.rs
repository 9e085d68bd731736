//! The stages of a sampler chain, one a file.
//!
//! A stage is a function of the row and of what has been accepted before ([`Ctx`]); none of the stages here keeps
//! state of its own, so a chain can be forked or rolled back by forking or cutting its history.

mod bias;
mod dry;
mod dynatemp;
mod epsilon;
mod eta;
mod min_p;
mod no_cite;
mod no_repeat_ngram;
mod penalties;
mod temperature;
mod top_h;
mod top_k;
mod top_n_sigma;
mod top_p;
mod typical;
mod xtc;

pub use bias::Bias;
pub use dry::Dry;
pub use dynatemp::DynamicTemperature;
pub use epsilon::Epsilon;
pub use eta::Eta;
pub use min_p::MinP;
pub use no_cite::NoCite;
pub use no_repeat_ngram::NoRepeatNgram;
pub use penalties::Penalties;
pub use temperature::Temperature;
pub use top_h::{TopH, TopHVariant};
pub use top_k::TopK;
pub use top_n_sigma::TopNSigma;
pub use top_p::TopP;
pub use typical::Typical;
pub use xtc::Xtc;

use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;
use crate::rng::{Purpose, uniform};

/// What a stage may look at besides the row.
#[derive(Debug, Clone, Copy)]
pub struct Ctx<'a> {
    /// Tokens accepted so far, oldest first; the caller decides whether prompt tokens are among them.
    pub history: &'a [u32],
    /// Seed of the request.
    pub seed: u64,
    /// Lineage of the sequence: a fork has a number of its own.
    pub sequence: u32,
    /// Position, in the sequence, of the token that is being chosen.
    pub position: u32,
}

impl Ctx<'_> {
    /// The uniform number of this position for `purpose`.
    #[must_use]
    pub fn uniform(&self, purpose: Purpose) -> f32 {
        uniform(self.seed, self.sequence, self.position, purpose)
    }

    /// The last `last_n` accepted tokens; all of them for −1.
    #[must_use]
    pub fn window(&self, last_n: i32) -> &[u32] {
        let n = usize::try_from(last_n).unwrap_or(usize::MAX).min(self.history.len());
        self.history.get(self.history.len() - n..).unwrap_or_default()
    }
}

/// One step of a sampler chain.
pub trait LogitStage: std::fmt::Debug + Send + Sync {
    /// The stage's name in chain descriptions.
    fn name(&self) -> &'static str;

    /// The stage as it is written in a chain description; reading it back gives an equal stage.
    fn spec(&self) -> String;

    /// Removes candidates or changes their logits.
    ///
    /// # Errors
    /// [`SampleError::NeedsFullRow`] when the top K are not enough; the candidates are then unchanged.
    /// [`SampleError::NoCandidate`] when nothing is left.
    fn apply(&self, candidates: &mut Candidates, ctx: &Ctx<'_>) -> Result<(), SampleError>;

    /// What is known behind the stage of what was known before it, at best; none if it then always asks for the row. A
    /// stage that does not say is taken to need every token.
    fn after(&self, known: Known) -> Option<Known> {
        known.whole_only()
    }

    /// Takes note of the token that was chosen.
    fn accept(&mut self, _token: u32) {}

    /// Forgets everything accepted.
    fn reset(&mut self) {}

    /// A copy with the same state.
    fn fork(&self) -> Box<dyn LogitStage>;
}

/// Refuses to go on with the top K of a row.
fn require_whole(candidates: &Candidates, stage: &'static str) -> Result<(), SampleError> {
    if candidates.is_whole() { Ok(()) } else { Err(SampleError::NeedsFullRow { stage }) }
}

/// Refuses an empty result.
fn require_some(candidates: &Candidates) -> Result<(), SampleError> {
    if candidates.is_empty() { Err(SampleError::NoCandidate) } else { Ok(()) }
}
