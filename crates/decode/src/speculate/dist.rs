//! A distribution over few tokens: what a chain leaves of a row.

use goldcrest_sample::{Chain, Choose, SampleError};

use crate::{DecodeError, Row};

/// Tokens with their probabilities, which sum to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Dist {
    /// Ascending by token.
    pairs: Vec<(u32, f64)>,
}

impl Dist {
    /// The distribution in proportion to weights; none if they sum to nothing.
    #[must_use]
    pub fn of_weights(weights: impl IntoIterator<Item = (u32, f64)>) -> Option<Self> {
        let mut pairs: Vec<(u32, f64)> = weights.into_iter().filter(|(_, weight)| *weight > 0.0).collect();
        let total: f64 = pairs.iter().map(|(_, weight)| weight).sum();
        pairs.sort_unstable_by_key(|(token, _)| *token);
        pairs.iter_mut().for_each(|(_, weight)| *weight /= total);
        (total > 0.0).then_some(Self { pairs })
    }

    /// What a chain draws from behind a row, for the token at `position`.
    ///
    /// # Errors
    /// [`SampleError::NeedsFullRow`] where the best 256 do not say, or the chain's end is no draw from a distribution.
    pub fn behind(chain: &Chain, row: &Row, position: u32) -> Result<Self, DecodeError> {
        let needs_row = || DecodeError::from(SampleError::NeedsFullRow { stage: "distribution" });
        let mut candidates = row.candidates()?;
        chain.apply(&mut candidates, position)?;
        let best = candidates.best().ok_or(SampleError::NoCandidate)?;
        if chain.end() == Choose::Greedy {
            return Ok(Self { pairs: vec![(best.id, 1.0)] });
        }
        if !candidates.is_whole() {
            return Err(needs_row());
        }
        let weight = |logit: f32| f64::from(logit - best.logit).exp();
        Self::of_weights(candidates.as_slice().iter().map(|c| (c.id, weight(c.logit)))).ok_or_else(needs_row)
    }

    /// Probability of a token.
    #[must_use]
    pub fn p(&self, token: u32) -> f64 {
        let found = self.pairs.binary_search_by_key(&token, |(id, _)| *id);
        found.map_or(0.0, |at| self.pairs[at].1)
    }

    /// Tokens that can come, with their probabilities, ascending by token.
    #[must_use]
    pub fn pairs(&self) -> &[(u32, f64)] {
        &self.pairs
    }

    /// The likeliest token, the lowest among equals, with its probability.
    #[must_use]
    pub fn best(&self) -> (u32, f64) {
        let later = |best: (u32, f64), next: &(u32, f64)| if next.1 > best.1 { *next } else { best };
        self.pairs.iter().fold((0, 0.0), later)
    }

    /// What `other` leaves to be given: `norm(max(self - other, 0))`. By rounding nothing may be left; then `self`.
    #[must_use]
    pub fn residual(&self, other: &Self) -> Self {
        let left = self.pairs.iter().map(|(token, p)| (*token, p - other.p(*token)));
        Self::of_weights(left).unwrap_or_else(|| self.clone())
    }

    /// The distribution if a token is known not to come; none if it was the only one.
    #[must_use]
    pub fn without(&self, token: u32) -> Option<Self> {
        Self::of_weights(self.pairs.iter().copied().filter(|(id, _)| *id != token))
    }

    /// The token at a share `u` in `[0, 1)` of the whole.
    #[must_use]
    pub fn draw(&self, u: f32) -> u32 {
        let mut sum = 0.0;
        let passed = self.pairs.iter().find(|(_, p)| {
            sum += p;
            sum > f64::from(u)
        });
        passed.or(self.pairs.last()).map_or(0, |(token, _)| *token)
    }
}
