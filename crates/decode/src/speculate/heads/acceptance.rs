//! A head on the draft model's hidden row that says whether the token it has just read will be accepted (SpecDec++; Huang, Guo
//! and Wang, arXiv 2405.19715).

use super::error::HeadError;
use super::file::Reader;
use super::matrix::{Matrix, add, silu};
use super::{HeadFile, Kind};
use crate::Shape;

/// Residual blocks `x + SiLU(W x + b)` and a matrix with two rows behind them.
#[derive(Debug)]
pub(crate) struct Acceptance {
    blocks: Vec<(Matrix, Vec<f32>)>,
    /// Blocks that a row goes through; the released code repeats one.
    depth: usize,
    linear: Matrix,
    bias: Vec<f32>,
    /// The row that stands for acceptance.
    accept: usize,
}

impl Acceptance {
    /// Reads `block.K.weight`, `block.K.bias`, `linear.weight` and `linear.bias` for a draft model of this shape.
    pub(crate) fn read(file: &HeadFile, shape: Shape) -> Result<Self, HeadError> {
        let reader = Reader { file, shape };
        reader.is(Kind::Acceptance, "a head that says what will be accepted")?;
        let n = reader.width();
        let count = if reader.has("block.0.weight") { reader.count("block.", ".weight")? } else { 0 };
        let block = |k: usize| {
            let weight = reader.matrix(&format!("block.{k}.weight"), n, n)?;
            Ok::<_, HeadError>((weight, reader.bias(&format!("block.{k}.bias"), n)?))
        };
        let blocks: Vec<_> = (0..count).map(block).collect::<Result<_, _>>()?;
        let depth: usize = reader.setting("blocks", Some(count), "a number of blocks")?;
        if depth > 0 && count == 0 || depth > 64 {
            return Err(reader.bad_setting("blocks", "a number up to 64, with block.0.weight in the file"));
        }
        let accept: usize = reader.setting("accept", Some(1), "0 or 1")?;
        if accept > 1 {
            return Err(reader.bad_setting("accept", "0 or 1"));
        }
        let (linear, bias) = (reader.matrix("linear.weight", 2, n)?, reader.bias("linear.bias", 2)?);
        Ok(Self { blocks, depth, linear, bias, accept })
    }

    /// The probability that the token of this row will be accepted.
    pub(crate) fn accepts(&self, hidden: &[f32]) -> f32 {
        let mut x = hidden.to_vec();
        for (weight, bias) in self.blocks.iter().cycle().take(self.depth) {
            x = add(&x, &silu(&add(&weight.times(&x), bias)));
        }
        let logits = add(&self.linear.times(&x), &self.bias);
        1.0 / (1.0 + (logits[1 - self.accept] - logits[self.accept]).exp())
    }
}
