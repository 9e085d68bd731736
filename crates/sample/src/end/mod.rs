//! The ends of a chain: what picks the token, and what it learns from a token that was taken.

mod adaptive;
mod draw;
mod mirostat;

pub use adaptive::AdaptiveP;
pub use draw::{draw, greedy};
pub use mirostat::{Mirostat, MirostatVersion, Surprise};

use crate::candidates::{Candidate, Candidates};
use crate::error::SampleError;
use crate::known::Known;

/// How the chain's end picks a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choose {
    /// The largest logit, lowest id among equals.
    Greedy,
    /// One categorical draw, see [`crate::draw`].
    Draw,
    /// A draw among as many candidates as hold the surprise at a target.
    Mirostat(Mirostat),
    /// A draw that seeks candidates of a target probability.
    AdaptiveP(AdaptiveP),
}

/// What an end remembers between tokens: Mirostat its bound in bits, adaptive-p the two sums of its mean.
pub(crate) type Memory = [f64; 2];

impl Choose {
    /// The memory before the first token.
    pub(crate) fn memory(&self) -> Memory {
        match self {
            Self::Greedy | Self::Draw => [0.0; 2],
            Self::Mirostat(end) => [2.0 * f64::from(end.tau), 0.0],
            Self::AdaptiveP(end) => end.memory(),
        }
    }

    /// The token, and what the memory is told should it be taken. `u` is the position's uniform number.
    pub(crate) fn pick(
        &self,
        candidates: &mut Candidates,
        memory: Memory,
        u: f32,
    ) -> Result<(Candidate, f64), SampleError> {
        match self {
            Self::Greedy => Ok((greedy(candidates)?, 0.0)),
            Self::Draw => Ok((draw(candidates, u)?, 0.0)),
            Self::Mirostat(end) => end.pick(candidates, memory[0], u),
            Self::AdaptiveP(end) => end.pick(candidates, memory, u),
        }
    }

    /// The memory after a token that told it `told`.
    pub(crate) fn learn(&self, memory: Memory, told: f64) -> Memory {
        match self {
            Self::Greedy | Self::Draw => memory,
            Self::Mirostat(end) => [end.learn(memory[0], told), 0.0],
            Self::AdaptiveP(end) => end.learn(memory, told),
        }
    }

    /// Whether the end can do with what is known, at best.
    pub(crate) fn can_do_with(&self, known: Known) -> bool {
        match self {
            Self::Greedy => true,
            Self::Draw => known.cut_by_mass().is_some(),
            Self::Mirostat(end) => end.can_do_with(known),
            Self::AdaptiveP(_) => known == Known::Whole,
        }
    }

    /// The end as a chain description has it.
    pub(crate) fn spec(&self) -> String {
        match self {
            Self::Greedy => "greedy".to_owned(),
            Self::Draw => "draw".to_owned(),
            Self::Mirostat(end) => end.spec(),
            Self::AdaptiveP(end) => end.spec(),
        }
    }
}
