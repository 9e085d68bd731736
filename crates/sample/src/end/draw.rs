//! Greedy choice and the categorical draw.

use crate::candidates::{Candidate, Candidates};
use crate::error::SampleError;

/// The candidate with the largest logit, the lowest id among equals.
///
/// # Errors
/// [`SampleError::NoCandidate`].
pub fn greedy(candidates: &Candidates) -> Result<Candidate, SampleError> {
    candidates.best().ok_or(SampleError::NoCandidate)
}

/// Draws with one uniform number `u` in `[0, 1)`. GPU kernels follow the same steps, all in f32:
///
/// 1. order the candidates by logit descending, id ascending;
/// 2. `w[i] = exp(l[i] − l[0])`;
/// 3. `total = w[0] + w[1] + …`, left to right;
/// 4. take the first `i` whose running sum `w[0] + … + w[i]` is **greater than** `u · total`;
/// 5. if rounding leaves none, take the last `i` with `w[i] > 0`.
///
/// A candidate of weight 0 is never taken: its running sum equals its predecessor's.
///
/// Everything but step 2 is exact IEEE arithmetic. The exponential of a GPU may differ from [`crate::exp_f32`] in its last
/// bits, so a draw whose `u · total` falls within a few units in the last place of a border may name its neighbour.
///
/// When only the top K of a row are known, `total` is the whole row's, from its log-sum-exp, and a draw that falls
/// outside the K asks for the row.
///
/// # Errors
/// [`SampleError::NoCandidate`]; [`SampleError::NeedsFullRow`] as said.
pub fn draw(candidates: &mut Candidates, u: f32) -> Result<Candidate, SampleError> {
    if !candidates.is_whole() && candidates.stats().is_none() {
        return Err(SampleError::NeedsFullRow { stage: "draw" });
    }
    candidates.sort();
    let weights = candidates.weights();
    let target = u * candidates.total_weight(&weights);
    let mut sum = 0.0f32;
    let mut last = None;
    for (candidate, weight) in candidates.as_slice().iter().zip(weights) {
        sum += weight;
        if sum > target {
            return Ok(*candidate);
        }
        if weight > 0.0 {
            last = Some(*candidate);
        }
    }
    if !candidates.is_whole() {
        return Err(SampleError::NeedsFullRow { stage: "draw" });
    }
    last.ok_or(SampleError::NoCandidate)
}
