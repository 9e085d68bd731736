//! How sure a model is of what it writes.

use goldcrest_sample::RowStats;

use crate::{Args, DecodeError};

/// The figure of a row that routing goes by; more is surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The probability of the best token. Of these three it tells right from wrong best on a 135M model (AUROC 0.75).
    MaxP,
    /// Minus the entropy in nats (0.73).
    Entropy,
    /// Minus the free energy, the log-sum-exp of the logits (0.57): for heads that were trained as classifiers.
    Energy,
}

/// A signal and the mean of it from which a model counts as sure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sure {
    /// The signal.
    pub by: Signal,
    /// The least mean; of the entropy, the most.
    pub threshold: f32,
}

impl Sure {
    /// Parameters `by` and `threshold`.
    ///
    /// # Errors
    /// [`DecodeError::InvalidParameter`].
    pub fn read(args: &mut Args) -> Result<Self, DecodeError> {
        let (by, default) = match args.one_of("by", "max_p", &["max_p", "entropy", "energy"])? {
            "entropy" => (Signal::Entropy, 1.5),
            "energy" => (Signal::Energy, 10.0),
            _ => (Signal::MaxP, 0.6),
        };
        Ok(Self { by, threshold: args.number("threshold", default, -1e6..=1e6)? })
    }

    /// The signal of a row.
    #[must_use]
    pub fn of(&self, row: &RowStats) -> f32 {
        match self.by {
            Signal::MaxP => row.max_p,
            Signal::Entropy => -row.entropy,
            Signal::Energy => row.log_sum_exp,
        }
    }

    /// Whether rows of these signals are sure on average.
    #[must_use]
    pub fn enough(&self, signals: &[f32]) -> bool {
        let mean = signals.iter().sum::<f32>() / signals.len().max(1) as f32;
        mean >= if self.by == Signal::Entropy { -self.threshold } else { self.threshold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Row;

    #[test]
    fn the_worked_figures() {
        let sure = |by| Sure { by, threshold: 0.0 };
        for (logits, energy, max_p, entropy) in [
            ([6.0, 1.0, 0.0], 6.009_174, 0.990_867, 0.057_293),
            ([1.0, -4.0, -5.0], 1.009_174, 0.990_867, 0.057_293),
            ([1.0, 0.8, 0.7], 1.939_831, 0.390_694, 1.090_636),
        ] {
            let row = Row::mixed(logits.to_vec(), &Row::default()).stats();
            for (by, expected) in
                [(Signal::Energy, energy), (Signal::MaxP, max_p), (Signal::Entropy, -entropy)]
            {
                let got = sure(by).of(&row);
                assert!((got - expected).abs() < 1e-5, "{by:?}: {got}, {expected}");
            }
        }
    }

    #[test]
    fn a_threshold_of_the_entropy_is_a_most() {
        let sure = Sure { by: Signal::Entropy, threshold: 1.0 };
        assert!(sure.enough(&[-0.5, -1.4]) && !sure.enough(&[-0.5, -1.6]));
    }
}
