//! A linear head that tells mistakes from words that could as well stand there.

use super::error::HeadError;
use super::file::Reader;
use super::matrix::dot;
use super::{HeadFile, Kind};
use crate::Shape;

/// The head: logistic regression on the row behind the final norm of the guess itself.
#[derive(Debug)]
pub(crate) struct Judge {
    weight: Vec<f32>,
    bias: f32,
    /// The file's probability is that of a mistake that matters.
    important: bool,
}

impl Judge {
    /// Reads `judge.weight` and `judge.bias`; `scaler.mean` and `scaler.scale`, where the file has them, are what rows were
    /// brought to one scale with.
    pub(crate) fn read(file: &HeadFile, shape: Shape) -> Result<Self, HeadError> {
        let reader = Reader { file, shape };
        reader.is(Kind::Judge, "a judge")?;
        let n = reader.width();
        let mut weight = reader.vector("judge.weight", n)?;
        let mut bias = reader.bias("judge.bias", 1)?[0];
        if reader.has("scaler.scale") {
            let scale = reader.vector("scaler.scale", n)?;
            weight.iter_mut().zip(scale).for_each(|(weight, scale)| *weight /= scale);
        }
        bias -= dot(&weight, &reader.bias("scaler.mean", n)?);
        let says: String = reader.setting("says", Some("correct".to_owned()), "correct or important")?;
        let important = match says.as_str() {
            "correct" => false,
            "important" => true,
            _ => return Err(reader.bad_setting("says", "correct or important")),
        };
        Ok(Self { weight, bias, important })
    }

    /// The probability that a guess with this row is no mistake that matters.
    pub(crate) fn correct(&self, hidden: &[f32]) -> f32 {
        let p = 1.0 / (1.0 + (-dot(&self.weight, hidden) - self.bias).exp());
        if self.important { 1.0 - p } else { p }
    }
}
