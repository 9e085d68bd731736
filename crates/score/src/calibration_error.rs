//! How far confidence and correctness are apart.

use crate::error::{ScoreError, as_many, probabilities};

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Lower and upper end of the confidences.
    pub range: (f64, f64),
    /// Predictions in it.
    pub n: usize,
    /// Mean confidence; 0 where there are none.
    pub confidence: f64,
    /// Share that was right; 0 where there are none.
    pub accuracy: f64,
}

/// A reliability diagram and its summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// Bins of equal width.
    pub bins: Vec<Bin>,
    /// Expected calibration error: `Σ n/N · |accuracy − confidence|`.
    pub ece: f64,
    /// The largest gap of a bin that is not empty.
    pub largest_gap: f64,
    /// Share of all that was right.
    pub accuracy: f64,
}

/// Sorts predictions into `n_bins` bins of equal width.
///
/// # Errors
/// [`ScoreError`] for lists that are empty or of unequal length, confidences outside 0 to 1, or no bins.
pub fn reliability(confidences: &[f64], right: &[bool], n_bins: usize) -> Result<Reliability, ScoreError> {
    probabilities("confidence", confidences)?;
    as_many("outcomes", right.len(), confidences.len())?;
    if n_bins == 0 {
        return Err(ScoreError::Empty { what: "bins" });
    }
    let bin_of = |confidence: f64| ((confidence * n_bins as f64) as usize).min(n_bins - 1);
    let bin = |index: usize| {
        let members = || confidences.iter().zip(right).filter(|(c, _)| bin_of(**c) == index);
        let n = members().count();
        let mean = |sum: f64| if n == 0 { 0.0 } else { sum / n as f64 };
        Bin {
            range: (index as f64 / n_bins as f64, (index + 1) as f64 / n_bins as f64),
            n,
            confidence: mean(members().map(|(c, _)| *c).sum()),
            accuracy: mean(members().filter(|(_, right)| **right).count() as f64),
        }
    };
    let bins: Vec<Bin> = (0..n_bins).map(bin).collect();
    let gap = |bin: &Bin| (bin.accuracy - bin.confidence).abs();
    let total = confidences.len() as f64;
    Ok(Reliability {
        ece: bins.iter().map(|bin| bin.n as f64 / total * gap(bin)).sum(),
        largest_gap: bins.iter().filter(|bin| bin.n > 0).map(gap).fold(0.0, f64::max),
        accuracy: right.iter().filter(|right| **right).count() as f64 / total,
        bins,
    })
}

/// h-calibration's gap around each event, sorted by probability: `|mean p·(1−o) − mean (1−p)·o|` over a window of `taps`
/// events (odd; what lies beyond the ends counts as 0).
///
/// # Errors
/// [`ScoreError`] for lists that are empty or of unequal length, probabilities outside 0 to 1, or an even window.
pub fn event_gaps(events: &[(f64, bool)], taps: usize) -> Result<Vec<f64>, ScoreError> {
    let mut sorted = events.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    probabilities("event probability", &sorted.iter().map(|event| event.0).collect::<Vec<_>>())?;
    if taps.is_multiple_of(2) {
        return Err(ScoreError::range("taps", taps, "an odd number"));
    }
    let signed = |(p, happened): &(f64, bool)| if *happened { p - 1.0 } else { *p };
    let half = taps / 2;
    let gap = |at: usize| {
        let window =
            sorted.get(at.saturating_sub(half)..(at + half + 1).min(sorted.len())).unwrap_or_default();
        (window.iter().map(signed).sum::<f64>() / taps as f64).abs()
    };
    Ok((0..sorted.len()).map(gap).collect())
}
