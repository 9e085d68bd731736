//! The tokens that are still possible, with their logits.

use crate::error::SampleError;
use crate::math::exp_f32;

/// One possible next token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Token id.
    pub id: u32,
    /// Logit after the stages applied so far; always finite.
    pub logit: f32,
}

/// Exact figures of a whole row of logits, before any stage, as a reduction on the GPU returns them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowStats {
    /// Largest logit.
    pub max: f32,
    /// Lowest id that has the largest logit.
    pub argmax: u32,
    /// `ln Σ exp(logit)`.
    pub log_sum_exp: f32,
    /// Entropy of the softmax, in nats.
    pub entropy: f32,
    /// Probability of `argmax`.
    pub max_p: f32,
    /// Largest logit minus the second largest.
    pub top2_gap: f32,
}

/// The tokens that are still possible.
///
/// Either the whole distribution (`is_whole`), in which case probabilities are the softmax over the list, or only the
/// top K of a row, sorted, in which case probabilities need [`RowStats::log_sum_exp`].
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    list: Vec<Candidate>,
    sorted: bool,
    whole: bool,
    stats: Option<RowStats>,
}

impl Candidates {
    /// All tokens of a row; `row[i]` is the logit of token `i`.
    ///
    /// # Errors
    /// [`SampleError::NonFiniteLogits`] for NaN or an infinity, [`SampleError::NoCandidate`] for an empty row.
    pub fn from_row(row: &[f32]) -> Result<Self, SampleError> {
        Self::from_row_filtered(row, |_| true)
    }

    /// The tokens of a row whose bit is set in `mask` (bit `i % 32` of word `i / 32`; absent words count as zero).
    ///
    /// # Errors
    /// As [`Candidates::from_row`]. The logits of masked tokens are checked too.
    pub fn from_row_masked(row: &[f32], mask: &[u32]) -> Result<Self, SampleError> {
        Self::from_row_filtered(row, |id| {
            mask.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)
        })
    }

    /// The `K` largest logits of a row of more than `K`, with the exact figures of the whole row where known.
    /// Any order is accepted; the list is put into the crate's order.
    ///
    /// # Errors
    /// [`SampleError::BadCandidates`] when the two lengths differ or an id comes twice,
    /// [`SampleError::NonFiniteLogits`], [`SampleError::NoCandidate`].
    pub fn from_top(ids: &[u32], logits: &[f32], stats: Option<RowStats>) -> Result<Self, SampleError> {
        if ids.len() != logits.len() {
            return Err(SampleError::BadCandidates { n_ids: ids.len(), n_logits: logits.len() });
        }
        let mut seen = ids.to_vec();
        seen.sort_unstable();
        if seen.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(SampleError::BadCandidates { n_ids: ids.len(), n_logits: logits.len() });
        }
        let pairs = ids.iter().zip(logits).map(|(&id, &logit)| Candidate { id, logit });
        let mut candidates = Self::collect(pairs, |_| true)?;
        candidates.whole = false;
        candidates.stats = stats;
        candidates.sort();
        Ok(candidates)
    }

    /// All tokens that are possible, each with its logit: what a mask leaves of a row. Any order is accepted.
    ///
    /// # Errors
    /// As [`Candidates::from_top`].
    pub fn from_list(ids: &[u32], logits: &[f32]) -> Result<Self, SampleError> {
        let mut candidates = Self::from_top(ids, logits, None)?;
        candidates.close();
        Ok(candidates)
    }

    /// Attaches the exact figures of the row that the list was made of.
    #[must_use]
    pub fn with_stats(mut self, stats: RowStats) -> Self {
        self.stats = Some(stats);
        self
    }

    /// The candidates, in the crate's order if [`Candidates::sort`] ran since the last change of a logit.
    #[must_use]
    pub fn as_slice(&self) -> &[Candidate] {
        &self.list
    }

    /// Number of candidates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True when nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// True when the list holds every token that still has probability.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Exact figures of the untouched row; `None` when unknown or when a stage has changed a logit since.
    #[must_use]
    pub fn stats(&self) -> Option<&RowStats> {
        self.stats.as_ref()
    }

    /// Puts the list in the crate's order: logit descending, then id ascending.
    pub fn sort(&mut self) {
        if !self.sorted {
            self.list.sort_unstable_by_key(order_key);
            self.sorted = true;
        }
    }

    /// The first candidate in the crate's order.
    #[must_use]
    pub fn best(&self) -> Option<Candidate> {
        if self.sorted {
            return self.list.first().copied();
        }
        self.list.iter().min_by_key(|candidate| order_key(candidate)).copied()
    }

    /// Changes logits in place. `change` returns false to remove its candidate. Results beyond the range of f32
    /// become its ends.
    pub fn update(&mut self, mut change: impl FnMut(&mut Candidate) -> bool) {
        self.stats = None;
        self.sorted = false;
        self.list.retain_mut(|candidate| {
            let keep = change(candidate);
            // −0.0 becomes 0.0, so that equal logits have equal sort keys; overflow stays finite.
            candidate.logit = (candidate.logit + 0.0).clamp(f32::MIN, f32::MAX);
            keep
        });
    }

    /// Lowers or removes logits in place. `change` must not raise one, and returns false to remove its candidate. The best
    /// of a row stay the best of it as far down as the last of them stood, and the list ends there: no token that is not
    /// listed can be better.
    ///
    /// # Errors
    /// [`SampleError::NeedsFullRow`] when none of the best K stays above that line; the candidates are then unchanged.
    pub fn lower(
        &mut self,
        stage: &'static str,
        change: impl FnMut(&mut Candidate) -> bool,
    ) -> Result<(), SampleError> {
        if self.whole {
            self.update(change);
            return Ok(());
        }
        let floor = self.list.last().map_or(0, order_key);
        let mut lowered = self.clone();
        lowered.update(change);
        lowered.list.retain(|candidate| order_key(candidate) <= floor);
        lowered.sort();
        if lowered.is_empty() {
            return Err(SampleError::NeedsFullRow { stage });
        }
        *self = lowered;
        Ok(())
    }

    /// Multiplies every logit by a positive factor. The order stays, up to logits that rounding makes equal.
    pub fn scale(&mut self, factor: f32) {
        self.update(|candidate| {
            candidate.logit *= factor;
            true
        });
    }

    /// Keeps the first `n` in the crate's order; what is left is a whole distribution of its own.
    pub fn keep_first(&mut self, n: usize) {
        if !self.sorted && n > 0 && n < self.list.len() {
            self.list.select_nth_unstable_by_key(n - 1, order_key);
            self.list.truncate(n);
        }
        self.sort();
        self.list.truncate(n);
        self.close();
    }

    /// Keeps the candidates that `keep` accepts; what is left is a whole distribution of its own.
    pub fn keep_if(&mut self, mut keep: impl FnMut(&Candidate) -> bool) {
        self.list.retain(|candidate| keep(candidate));
        self.close();
    }

    /// Probabilities of the list, in list order: `exp(l − l_max)` over their sum, or over the sum of the whole row
    /// when only the top K are known and the row's figures are there.
    #[must_use]
    pub fn probabilities(&self) -> Vec<f32> {
        let mut weights = self.weights();
        let total = self.total_weight(&weights);
        for weight in &mut weights {
            *weight /= total;
        }
        weights
    }

    /// `exp(l − l_max)` in list order, in f32.
    pub(crate) fn weights(&self) -> Vec<f32> {
        let max = self.best().map_or(0.0, |best| best.logit);
        self.list.iter().map(|candidate| exp_f32(candidate.logit - max)).collect()
    }

    /// Sum of the weights, left to right in f32; for the top K of a row, the whole row's sum.
    pub(crate) fn total_weight(&self, weights: &[f32]) -> f32 {
        match (&self.stats, self.best()) {
            (Some(stats), Some(best)) if !self.whole => exp_f32(stats.log_sum_exp - best.logit),
            _ => weights.iter().fold(0.0, |sum, weight| sum + weight),
        }
    }

    /// `ln` of what [`Candidates::probabilities`] divides by, on the scale of the logits, in f64.
    pub(crate) fn log_total(&self) -> f64 {
        match (&self.stats, self.best()) {
            (Some(stats), Some(_)) if !self.whole => f64::from(stats.log_sum_exp),
            (_, best) => {
                let total: f32 = self.total_weight(&self.weights());
                best.map_or(0.0, |best| f64::from(best.logit)) + f64::from(total).ln()
            }
        }
    }

    /// Whether probabilities are exact: the whole distribution, or the best of a row whose figures are known.
    pub(crate) fn has_mass(&self) -> bool {
        self.whole || self.stats.is_some()
    }

    fn close(&mut self) {
        self.whole = true;
        self.stats = None;
    }

    fn from_row_filtered(row: &[f32], keep: impl Fn(u32) -> bool) -> Result<Self, SampleError> {
        let pairs = (0u32..).zip(row).map(|(id, &logit)| Candidate { id, logit });
        Self::collect(pairs, keep)
    }

    fn collect(
        pairs: impl Iterator<Item = Candidate>,
        keep: impl Fn(u32) -> bool,
    ) -> Result<Self, SampleError> {
        let mut list = Vec::with_capacity(pairs.size_hint().0);
        for Candidate { id, logit } in pairs {
            if !logit.is_finite() {
                return Err(SampleError::NonFiniteLogits { id });
            }
            if keep(id) {
                list.push(Candidate { id, logit: logit + 0.0 });
            }
        }
        if list.is_empty() {
            return Err(SampleError::NoCandidate);
        }
        Ok(Self { list, sorted: false, whole: true, stats: None })
    }
}

/// Ascending keys give logits descending, ids ascending. Finite logits without −0.0 only.
fn order_key(candidate: &Candidate) -> u64 {
    let bits = candidate.logit.to_bits();
    let ascending = if bits >> 31 == 1 { !bits } else { bits | 0x8000_0000 };
    u64::from(!ascending) << 32 | u64::from(candidate.id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
    use super::*;

    fn ids(candidates: &Candidates) -> Vec<u32> {
        candidates.as_slice().iter().map(|candidate| candidate.id).collect()
    }

    #[test]
    fn order_is_logit_descending_then_id_ascending() {
        let mut row = Candidates::from_row(&[-0.0, 3.0, 0.0, -5.0, 3.0, 0.0]).unwrap();
        row.sort();
        assert_eq!(ids(&row), [1, 4, 0, 2, 5, 3]);
        assert_eq!(row.best().unwrap().id, 1);
    }

    #[test]
    fn keep_first_equals_sorting_everything() {
        let row: Vec<f32> = (0..500).map(|i| ((i * 7919) % 101) as f32 - 50.0).collect();
        for n in [1, 2, 100, 499, 500, 501] {
            let mut fast = Candidates::from_row(&row).unwrap();
            fast.keep_first(n);
            let mut slow = Candidates::from_row(&row).unwrap();
            slow.sort();
            assert_eq!(ids(&fast), &ids(&slow)[..n.min(500)]);
        }
    }

    #[test]
    fn faulty_rows_are_refused() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(
                Candidates::from_row(&[0.0, bad]),
                Err(SampleError::NonFiniteLogits { id: 1 }),
                "{bad}"
            );
        }
        assert_eq!(Candidates::from_row(&[]), Err(SampleError::NoCandidate));
        assert_eq!(Candidates::from_row_masked(&[1.0, 2.0], &[0]), Err(SampleError::NoCandidate));
        assert!(matches!(
            Candidates::from_top(&[1, 1], &[0.0, 0.0], None),
            Err(SampleError::BadCandidates { .. })
        ));
        assert!(matches!(Candidates::from_top(&[1], &[], None), Err(SampleError::BadCandidates { .. })));
    }

    #[test]
    fn a_mask_keeps_its_tokens_only() {
        let row: Vec<f32> = (0..40).map(|i| i as f32).collect();
        let mut masked = Candidates::from_row_masked(&row, &[0b101, 0b10]).unwrap();
        masked.sort();
        assert_eq!(ids(&masked), [33, 2, 0]);
    }

    #[test]
    fn changes_leave_neither_minus_zero_nor_infinities() {
        let mut row = Candidates::from_row(&[1.0, -1.0e-45, 0.0, 3.0e38]).unwrap();
        row.scale(0.1);
        row.sort();
        assert_eq!(ids(&row), [3, 0, 1, 2], "-0.0 equals 0.0, so the lower id comes first");
        row.scale(1.0e20);
        assert!(row.as_slice().iter().all(|candidate| candidate.logit.is_finite()));
        assert!(row.probabilities().iter().all(|p| p.is_finite()));
    }
}
