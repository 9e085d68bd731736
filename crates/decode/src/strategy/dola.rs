//! DoLa: what the last layers add to what an early layer already says.
//!
//! Chuang et al., "DoLa: decoding by contrasting layers improves factuality in large language models", 2024. The early row goes
//! through the final norm: without it the distances to the last row of small models are saturated, and the choice of a layer
//! arbitrary.

use super::Strategy;
use crate::lockstep::{self, Feeds, Rows};
use crate::mix::{log_softmax, mix};
use crate::{Args, DecodeError, Job, Lm, Row};

/// The last layer less an early one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layers {
    /// The one of every second layer of the lower half that is farthest from the last.
    Low,
    /// The same of the upper half.
    High,
}

/// The last layer less an early one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dola {
    layers: Layers,
    /// The early layer; 0 takes, at every token, the candidate whose row is farthest from the last.
    pub layer: usize,
    /// Weight of the early layer.
    pub weight: f32,
    /// Least share of the best token's probability that a token must have in the last row.
    pub beta: f32,
}

impl Strategy for Dola {
    const NAME: &'static str = "dola";
    const SUMMARY: &'static str = "what the last layers add to an early one";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        let half = args.one_of("layers", "low", &["low", "high"])?;
        Ok(Self {
            layers: if half == "low" { Layers::Low } else { Layers::High },
            layer: args.count("layer", 0, 0..=1000)?,
            weight: args.number("weight", 1.0, 0.0..=10.0)?,
            beta: args.number("beta", 0.1, 0.0..=1.0)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let n_layer = job.model.shape().n_layer;
        let exits = self.candidates(n_layer)?;
        let mut chosen = Vec::new();
        let feeds = Feeds { exits: exits.clone(), ..Feeds::default() };
        lockstep::run(job, feeds, |_, rows: &Rows| {
            let base = rows.base.logits();
            let early: Vec<&[f32]> = rows.early.iter().map(Row::logits).collect();
            let at = farthest(base, &early);
            chosen.push(exits.get(at).copied().unwrap_or(0));
            let early = log_softmax(early.get(at).copied().unwrap_or(base), 1.0);
            mix(base, &[(1.0, base), (-self.weight, &early)], self.beta)
        })
        .await?;
        job.report.insert("layers".into(), chosen.into());
        Ok(())
    }
}

impl Dola {
    fn candidates(&self, n_layer: u32) -> Result<Vec<u32>, DecodeError> {
        // The embeddings are no layer, and the last row is what they are compared with.
        let fixed = u32::try_from(self.layer).unwrap_or(u32::MAX);
        if fixed > 0 {
            return if fixed < n_layer {
                Ok(vec![fixed])
            } else {
                let allowed = format!("0 to {}", n_layer.saturating_sub(1));
                let (method, name) = (Self::NAME, "layer");
                Err(DecodeError::InvalidParameter { method, name, value: fixed.to_string(), allowed })
            };
        }
        // Of deep models the authors take the first and the last 20 layers.
        let (low, high) = if n_layer <= 40 { (n_layer / 2, n_layer / 2) } else { (20, n_layer - 20) };
        let range = if self.layers == Layers::Low { 2..low } else { high.max(1)..n_layer };
        let layers: Vec<u32> = range.step_by(2).collect();
        Ok(if layers.is_empty() { vec![(n_layer / 2).max(1).min(n_layer)] } else { layers })
    }
}

/// Which row is farthest from `base` by the Jensen-Shannon divergence; the first of equals.
fn farthest(base: &[f32], rows: &[&[f32]]) -> usize {
    let base = log_softmax(base, 1.0);
    let mut best = (0, f64::NEG_INFINITY);
    for (at, row) in rows.iter().enumerate() {
        let distance = jensen_shannon(&base, &log_softmax(row, 1.0));
        if distance > best.1 {
            best = (at, distance);
        }
    }
    best.0
}

/// The divergence of two rows of log-probabilities, in nats.
fn jensen_shannon(a: &[f32], b: &[f32]) -> f64 {
    let half = |a: f64, b: f64| {
        let (p, q) = (a.exp(), b.exp());
        if p > 0.0 { 0.5 * p * (a - (0.5 * (p + q)).ln()) } else { 0.0 }
    };
    let both = |(a, b): (&f32, &f32)| {
        let (a, b) = (f64::from(*a), f64::from(*b));
        half(a, b) + half(b, a)
    };
    a.iter().zip(b).map(both).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::MASKED;

    const LAST: [f32; 4] = [2.0, 1.0, 0.0, -1.0];
    const LAYER_2: [f32; 4] = [1.8, 1.1, 0.1, -0.9];
    const LAYER_8: [f32; 4] = [0.2, 1.5, 0.3, 0.1];

    #[test]
    fn the_worked_distances_and_row() {
        let distance = |row: &[f32]| jensen_shannon(&log_softmax(&LAST, 1.0), &log_softmax(row, 1.0));
        assert!((distance(&LAYER_2) - 0.002_672).abs() < 1e-6, "{}", distance(&LAYER_2));
        assert!((distance(&LAYER_8) - 0.138_150).abs() < 1e-6, "{}", distance(&LAYER_8));
        assert_eq!(farthest(&LAST, &[&LAYER_2, &LAYER_8]), 1);
        let (last, early) = (log_softmax(&LAST, 1.0), log_softmax(&LAYER_8, 1.0));
        let row = mix(&last, &[(1.0, &last), (-1.0, &early)], 0.1);
        for (got, expected) in row.iter().zip([1.458_824, -0.841_176, -0.641_176, MASKED]) {
            assert!((got - expected).abs() < 1e-5, "{got}, {expected}");
        }
    }

    #[test]
    fn candidates_are_every_second_layer_of_a_half() {
        let with = |layers, layer| Dola { layers, layer, weight: 1.0, beta: 0.1 };
        assert_eq!(with(Layers::Low, 0).candidates(12).unwrap_or_default(), [2, 4]);
        assert_eq!(with(Layers::High, 0).candidates(12).unwrap_or_default(), [6, 8, 10]);
        assert_eq!(with(Layers::High, 0).candidates(48).unwrap_or_default().first(), Some(&28));
        assert_eq!(with(Layers::Low, 7).candidates(12).unwrap_or_default(), [7]);
        assert!(with(Layers::Low, 12).candidates(12).is_err());
        assert_eq!(with(Layers::Low, 0).candidates(2).unwrap_or_default(), [1]);
    }
}
