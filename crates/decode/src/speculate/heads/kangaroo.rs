//! The adapter behind an exit layer: `norm(x + attention(norm(x)))`, turned into logits by the model's own output matrix.
//!
//! Liu et al., arXiv 2404.18911: no feed-forward block, cells of its own.

use super::attention::{Attention, Cells};
use super::error::HeadError;
use super::file::Reader;
use super::matrix::{add, rms_norm};
use super::{HeadFile, Kind};
use crate::Shape;

/// The adapter, with a cell for every row that ran.
#[derive(Debug)]
pub(crate) struct Adapter {
    layer: u32,
    input_norm: Vec<f32>,
    attention: Attention,
    norm: Vec<f32>,
    eps: f32,
    cells: Cells,
}

impl Adapter {
    /// Reads `input_norm.weight`, `adapter.attn_q.weight` and its kin, and `norm.weight`; the setting `layer` names the layers that run
    /// before it.
    pub(crate) fn read(file: &HeadFile, shape: Shape) -> Result<Self, HeadError> {
        let reader = Reader { file, shape };
        reader.is(Kind::Kangaroo, "an adapter behind an exit layer")?;
        let n = reader.width();
        let needs = format!("a number of layers from 1 to {}", shape.n_layer);
        let layer: u32 = reader.setting("layer", None, &needs)?;
        if !(1..=shape.n_layer).contains(&layer) {
            return Err(reader.bad_setting("layer", &needs));
        }
        Ok(Self {
            layer,
            input_norm: reader.vector("input_norm.weight", n)?,
            attention: Attention::read(&reader, "adapter", n)?,
            norm: reader.vector("norm.weight", n)?,
            eps: reader.setting("eps", Some(1e-5), "a number")?,
            cells: Cells::default(),
        })
    }

    /// The layers that run before it.
    pub(crate) const fn layer(&self) -> u32 {
        self.layer
    }

    /// The row for the output matrix, of the row that comes next behind the exit layer.
    pub(crate) fn run(&mut self, x: &[f32]) -> Vec<f32> {
        let pos = self.cells.len();
        let normed = rms_norm(x, &self.input_norm, self.eps);
        let stream = add(x, &self.attention.run(&mut self.cells, &normed, pos, 0..pos));
        rms_norm(&stream, &self.norm, self.eps)
    }

    /// Keeps what it made of the first `n` rows.
    pub(crate) fn rollback(&mut self, n: usize) {
        self.cells.truncate(n);
    }
}
