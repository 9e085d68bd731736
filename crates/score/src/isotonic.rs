//! Isotonic regression: the rising step function that fits best, by pooling adjacent violators.

use crate::error::{ScoreError, as_many, some};

/// A rising step function from confidence to probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Isotonic {
    /// (confidence, probability), rising in both.
    steps: Vec<(f64, f64)>,
}

impl Isotonic {
    /// Fits the function to confidences and what came of them (1 right, 0 wrong, or anything between).
    ///
    /// # Errors
    /// [`ScoreError`] for lists that are empty or of unequal length, or values that are not finite.
    pub fn fit(confidences: &[f64], outcomes: &[f64]) -> Result<Self, ScoreError> {
        some("confidences", confidences)?;
        as_many("outcomes", outcomes.len(), confidences.len())?;
        if let Some(bad) = confidences.iter().chain(outcomes).find(|value| !value.is_finite()) {
            return Err(ScoreError::range("value", bad, "finite"));
        }
        let mut pairs: Vec<(f64, f64)> = confidences.iter().copied().zip(outcomes.iter().copied()).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut blocks: Vec<Block> = Vec::new();
        for (confidence, outcome) in pairs {
            let mut block = Block { sum: outcome, members: vec![confidence] };
            // Equal confidences are one step whatever came of them.
            while let Some(last) =
                blocks.pop_if(|last| last.mean() > block.mean() || last.members.last() == Some(&confidence))
            {
                block = last.joined(block);
            }
            blocks.push(block);
        }
        let steps = blocks.iter().flat_map(|block| block.members.iter().map(|c| (*c, block.mean())));
        Ok(Self { steps: steps.collect() })
    }

    /// The probability at `confidence`: that of the nearest step at or below it, or the first step's.
    #[must_use]
    pub fn probability(&self, confidence: f64) -> f64 {
        let after = self.steps.partition_point(|(c, _)| *c <= confidence);
        self.steps.get(after.saturating_sub(1)).map_or(0.0, |(_, p)| *p)
    }

    /// The fitted values in the order of rising confidence.
    #[must_use]
    pub fn fitted(&self) -> Vec<f64> {
        self.steps.iter().map(|(_, p)| *p).collect()
    }
}

struct Block {
    sum: f64,
    members: Vec<f64>,
}

impl Block {
    fn mean(&self) -> f64 {
        self.sum / self.members.len() as f64
    }

    fn joined(mut self, other: Self) -> Self {
        self.sum += other.sum;
        self.members.extend(other.members);
        self
    }
}
