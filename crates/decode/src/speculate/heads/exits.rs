//! Predictors of SpecEE: whether the token that an early layer names is the one to take.

use super::error::HeadError;
use super::file::Reader;
use super::matrix::{Matrix, add};
use super::{HeadFile, Kind};
use crate::Shape;

/// Tokens whose logits a predictor reads.
pub(crate) const CANDIDATES: usize = 4;
/// Their logits, their shares of each other, and what those gained since the layer that was looked at before.
const FEATURES: usize = 3 * CANDIDATES;

/// A predictor for each of some layers.
#[derive(Debug)]
pub(crate) struct Exits {
    layers: Vec<u32>,
    predictors: Vec<Predictor>,
}

/// `sigmoid(down · relu(up · features + bias) + bias)`.
#[derive(Debug)]
struct Predictor {
    up: Matrix,
    up_bias: Vec<f32>,
    down: Matrix,
    down_bias: f32,
}

impl Exits {
    /// Reads `exit.K.up.weight` [h, 12], `.up.bias`, `exit.K.down.weight` [1, h] and `.down.bias` for each of `layers`.
    pub(crate) fn read(file: &HeadFile, shape: Shape) -> Result<Self, HeadError> {
        let reader = Reader { file, shape };
        reader.is(Kind::Exits, "predictors of exits")?;
        let count = reader.count("exit.", ".up.weight")?;
        let predictor = |k: usize| {
            let name = |part: &str| format!("exit.{k}.{part}");
            let width = reader.length(&name("up.weight"))?;
            Ok(Predictor {
                up: reader.matrix(&name("up.weight"), width, FEATURES)?,
                up_bias: reader.bias(&name("up.bias"), width)?,
                down: reader.matrix(&name("down.weight"), 1, width)?,
                down_bias: reader.bias(&name("down.bias"), 1)?[0],
            })
        };
        let layers = reader.layers("layers", count)?;
        Ok(Self { layers, predictors: (0..count).map(predictor).collect::<Result<_, HeadError>>()? })
    }

    /// The layers before which a token may be taken, ascending.
    pub(crate) fn layers(&self) -> &[u32] {
        &self.layers
    }

    /// How sure the predictor of a layer is, by the candidates' logits there and the shares at the layer before.
    pub(crate) fn sure(&self, layer: u32, logits: &[f32], before: Option<&[f32]>) -> Option<f32> {
        let at = self.layers.iter().position(|known| *known == layer)?;
        let predictor = &self.predictors[at];
        let hidden = add(&predictor.up.times(&features(logits, before)), &predictor.up_bias);
        let hidden: Vec<f32> = hidden.iter().map(|x| x.max(0.0)).collect();
        let out = predictor.down.times(&hidden).iter().sum::<f32>() + predictor.down_bias;
        Some(1.0 / (1.0 + (-out).exp()))
    }
}

/// Shares that logits have among themselves.
pub(crate) fn shares(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exps: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f32 = exps.iter().sum();
    exps.iter().map(|e| e / sum).collect()
}

/// What a predictor reads; at the first layer that is looked at nothing was gained.
fn features(logits: &[f32], before: Option<&[f32]>) -> Vec<f32> {
    let shares = shares(logits);
    let gained: Vec<f32> =
        shares.iter().zip(before.unwrap_or(&shares)).map(|(now, then)| now - then).collect();
    [logits, &shares, &gained].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_logits_shares_and_what_shares_gained() {
        let logits = [3.0, 2.0, 1.0, 0.0];
        let want = [0.6439, 0.2369, 0.0871, 0.0321];
        assert!(shares(&logits).iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-4));
        let first = features(&logits, None);
        assert_eq!((&first[..4], &first[8..]), (&logits[..], &[0.0; 4][..]));
        let next = features(&logits, Some(&[0.25; 4]));
        assert!((next[8] - 0.3939).abs() < 1e-4 && (next[11] + 0.2179).abs() < 1e-4, "{next:?}");
    }
}
