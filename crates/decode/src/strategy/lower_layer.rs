//! Lower-layer contrast: the contrast of two models at their ends, plus the same contrast at a lower layer.
//!
//! LOL (Chen et al., "Lower layer matters: alleviating hallucination via multi-layer fusion contrastive decoding with
//! truthfulness refocused", 2024). The published amateur is the model tuned to hallucinate; here it is the further
//! model, such as a smaller sibling. The prompt itself may ask for the truth, which is the method's second half. The weights
//! were never published: the defaults are ours.

use super::Strategy;
use crate::lockstep::{self, Feeds, Rows};
use crate::mix::{log_softmax, mix};
use crate::{Args, DecodeError, Job, Lm, Row};

/// The fused contrast of two layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowerLayer {
    /// Weight of the amateur at the end.
    pub lambda: f32,
    /// Weight of the amateur at the lower layer.
    pub lambda_low: f32,
    /// Weight of the lower layer's contrast.
    pub weight: f32,
    /// The lower layer; 0 is the middle.
    pub layer: usize,
    /// Least share of the best token's probability that a token must have in the model's own last row.
    pub beta: f32,
}

impl Strategy for LowerLayer {
    const NAME: &'static str = "lower_layer";
    const SUMMARY: &'static str =
        "two models contrasted at the end and at a lower layer (LOL; needs another model)";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            lambda: args.number("lambda", 1.0, 0.0..=10.0)?,
            lambda_low: args.number("lambda_low", 1.0, 0.0..=10.0)?,
            weight: args.number("weight", 0.5, 0.0..=10.0)?,
            layer: args.count("layer", 0, 0..=1000)?,
            beta: args.number("beta", 0.1, 0.0..=1.0)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let ours = job.model.shape().n_layer;
        let Some(other) = job.others.first() else {
            return Err(DecodeError::MissingResource { method: Self::NAME, what: "another model" });
        };
        let theirs = other.shape().n_layer;
        let exit = u32::try_from(self.layer).unwrap_or(u32::MAX);
        let exit = if exit == 0 { (ours / 2).max(1) } else { exit };
        if exit >= ours.max(2) {
            let (method, name, allowed) = (Self::NAME, "layer", format!("0 to {}", ours.saturating_sub(1)));
            return Err(DecodeError::InvalidParameter { method, name, value: exit.to_string(), allowed });
        }
        // A model of another depth is read at the same share of its layers.
        let their_exit = (exit * theirs / ours.max(1)).max(1);
        let feeds = Feeds { exits: vec![exit], other: Some(vec![their_exit]), ..Feeds::default() };
        let mixed = |_, rows: &Rows| {
            let [low, last] = [0, 1].map(|at| rows.other.get(at).map(Row::logits).unwrap_or_default());
            let early = rows.early.first().map(Row::logits).unwrap_or_default();
            self.mixed(rows.base.logits(), early, last, low)
        };
        lockstep::run(job, feeds, mixed).await
    }
}

impl LowerLayer {
    fn mixed(&self, base: &[f32], early: &[f32], amateur: &[f32], amateur_early: &[f32]) -> Vec<f32> {
        let [early, amateur, amateur_early] =
            [early, amateur, amateur_early].map(|row| log_softmax(row, 1.0));
        let shares = [
            (1.0, base),
            (-self.lambda, &amateur[..]),
            (self.weight, &early[..]),
            (-self.weight * self.lambda_low, &amateur_early[..]),
        ];
        mix(base, &shares, self.beta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::MASKED;

    #[test]
    fn the_worked_row_and_what_the_gate_is_for() {
        let base = log_softmax(&[3.0, 2.6, 1.0, -1.0], 1.0);
        let (early, amateur) = ([1.0, 1.4, 0.2, 0.0], [3.4, 1.0, 0.5, -3.0]);
        let amateur_early = [1.2, 0.6, 0.4, 0.0];
        let open = LowerLayer { lambda: 1.0, lambda_low: 1.0, weight: 0.5, layer: 0, beta: 0.0 };
        let row = open.mixed(&base, &early, &amateur, &amateur_early);
        for (got, expected) in row.iter().zip([-0.645_533, 1.854_467, 0.254_467, 1.854_467]) {
            assert!((got - expected).abs() < 1e-5, "{got}, {expected}");
        }
        // Token 3, which the model finds implausible, would tie for the best.
        let gated = LowerLayer { beta: 0.1, ..open }.mixed(&base, &early, &amateur, &amateur_early);
        assert_eq!((gated[3], gated[1] > gated[2]), (MASKED, true));
    }
}
