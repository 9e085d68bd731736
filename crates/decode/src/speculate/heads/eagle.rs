//! EAGLE and FSPAD: one decoder layer that writes the next hidden row, from the last one and the embedding of the token behind.
//!
//! - `eagle`: `z = W [e; f]` goes through the layer (Li et al., arXiv 2401.15077; the tree is that of 2406.16858);
//! - `eagle3`: f begins as `W` of rows before three layers; the attention takes `[norm(e); norm(f)]`, and the output has a
//!   norm and a matrix of its own (Li et al., arXiv 2503.01840);
//! - `fspad`: z is a gated product of a higher dimension, `D (SiLU(G [e; f]) · U [e; f])`, and the row that goes on and the row
//!   that is turned into logits are made by a matrix each (Gui et al., arXiv 2408.15562, by its description: no code was
//!   published).
//!
//! Guesses leave cells behind that are dropped before the accepted tokens are fed with the model's own rows.

use super::error::HeadError;
use super::file::Reader;
use super::layer::{Cells, Layer};
use super::matrix::{Matrix, add, mul, rms_norm, silu};
use super::{DraftHead, Fed, Guess};

/// What differs between them.
#[derive(Debug)]
enum Form {
    Eagle {
        fuse: Matrix,
        bias: Vec<f32>,
    },
    Eagle3 {
        fuse: Matrix,
        embedding_norm: Vec<f32>,
        hidden_norm: Vec<f32>,
        norm: Vec<f32>,
        eps: f32,
        before: Vec<u32>,
    },
    Fspad {
        gate: Matrix,
        up: Matrix,
        down: Matrix,
        feature: Matrix,
        logits: Matrix,
    },
}

/// The head.
#[derive(Debug)]
pub(crate) struct Eagle {
    form: Form,
    layer: Layer,
    cells: Cells,
    /// Rows that were fed.
    fed: usize,
    /// What the layer made of the last fed row.
    last: Vec<f32>,
    slots: Vec<Slot>,
}

/// A guess whose row ran.
#[derive(Debug)]
struct Slot {
    parent: Option<usize>,
    depth: usize,
    cell: usize,
    out: Vec<f32>,
}

impl Eagle {
    /// Reads `fc.weight` and the layer `layer`.
    pub(crate) fn read(reader: &Reader<'_>) -> Result<Self, HeadError> {
        let n = reader.width();
        let form =
            Form::Eagle { fuse: reader.matrix("fc.weight", n, 2 * n)?, bias: reader.bias("fc.bias", n)? };
        Ok(Self::new(form, Layer::read(reader, "layer", n)?))
    }

    /// Reads `fc.weight`, `embedding_norm.weight`, `hidden_norm.weight`, `norm.weight` and the layer `layer`; the setting
    /// `layers` names the three layers before which rows are read.
    pub(crate) fn read_third(reader: &Reader<'_>) -> Result<Self, HeadError> {
        let n = reader.width();
        let form = Form::Eagle3 {
            fuse: reader.matrix("fc.weight", n, 3 * n)?,
            embedding_norm: reader.vector("embedding_norm.weight", n)?,
            hidden_norm: reader.vector("hidden_norm.weight", n)?,
            norm: reader.vector("norm.weight", n)?,
            eps: reader.setting("eps", Some(1e-5), "a number")?,
            before: reader.layers("layers", 3)?,
        };
        Ok(Self::new(form, Layer::read(reader, "layer", 2 * n)?))
    }

    /// Reads `gate.weight`, `up.weight`, `down.weight`, `feature.weight`, `logits.weight` and the layer `layer`.
    pub(crate) fn read_fspad(reader: &Reader<'_>) -> Result<Self, HeadError> {
        let (n, inner) = (reader.width(), reader.length("gate.weight")?);
        let form = Form::Fspad {
            gate: reader.matrix("gate.weight", inner, 2 * n)?,
            up: reader.matrix("up.weight", inner, 2 * n)?,
            down: reader.matrix("down.weight", n, inner)?,
            feature: reader.matrix("feature.weight", n, n)?,
            logits: reader.matrix("logits.weight", n, n)?,
        };
        Ok(Self::new(form, Layer::read(reader, "layer", n)?))
    }

    fn new(form: Form, layer: Layer) -> Self {
        Self { form, layer, cells: Cells::default(), fed: 0, last: Vec::new(), slots: Vec::new() }
    }

    /// Runs the layer on a hidden row and the embedding of the token behind it.
    fn run(&mut self, f: &[f32], e: &[f32], pos: usize, seen: impl Iterator<Item = usize>) -> Vec<f32> {
        let both = || [e, f].concat();
        match &self.form {
            Form::Eagle { fuse, bias } => {
                let z = add(&fuse.times(&both()), bias);
                self.layer.run(&mut self.cells, &z, &z, pos, seen)
            }
            Form::Eagle3 { embedding_norm, hidden_norm, eps, .. } => {
                let x = [rms_norm(e, embedding_norm, *eps), rms_norm(f, hidden_norm, *eps)].concat();
                self.layer.run(&mut self.cells, &x, f, pos, seen)
            }
            Form::Fspad { gate, up, down, .. } => {
                let z = down.times(&mul(&silu(&gate.times(&both())), &up.times(&both())));
                self.layer.run(&mut self.cells, &z, &z, pos, seen)
            }
        }
    }

    /// The row that the next guess goes on from.
    fn onward(&self, out: &[f32]) -> Vec<f32> {
        match &self.form {
            Form::Fspad { feature, .. } => feature.times(out),
            _ => out.to_vec(),
        }
    }

    /// The row that is turned into logits.
    fn outward(&self, out: &[f32]) -> Vec<f32> {
        match &self.form {
            Form::Eagle { .. } => out.to_vec(),
            Form::Eagle3 { norm, eps, .. } => rms_norm(out, norm, *eps),
            Form::Fspad { logits, .. } => logits.times(out),
        }
    }
}

impl DraftHead for Eagle {
    fn reads_prompt(&self) -> bool {
        true
    }

    fn reads_before(&self) -> &[u32] {
        match &self.form {
            Form::Eagle3 { before, .. } => before,
            _ => &[],
        }
    }

    fn feed(&mut self, rows: &[Fed<'_>]) {
        for row in rows {
            let fused = match &self.form {
                Form::Eagle3 { fuse, .. } => fuse.times(row.hidden),
                _ => row.hidden.to_vec(),
            };
            let pos = self.fed;
            self.last = self.run(&fused, row.embedding, pos, 0..pos);
            self.fed += 1;
        }
    }

    fn rollback(&mut self, len: usize) {
        self.cells.truncate(len);
        self.fed = self.fed.min(len);
        self.slots.clear();
    }

    fn behind(&mut self, guesses: &[Guess<'_>]) -> Vec<Vec<f32>> {
        let mut rows = Vec::new();
        for guess in guesses {
            let slot = match guess.parent {
                // The root was fed with the row before it.
                None => {
                    Slot { parent: None, depth: 0, cell: self.fed.saturating_sub(1), out: self.last.clone() }
                }
                Some(parent) => {
                    let above = std::iter::successors(Some(parent), |slot| self.slots[*slot].parent);
                    let cells: Vec<usize> = above.map(|slot| self.slots[slot].cell).collect();
                    // The root's own cell is among the fed ones.
                    let drafted = cells.into_iter().filter(|cell| *cell >= self.fed);
                    let seen: Vec<usize> = (0..self.fed).chain(drafted).collect();
                    let depth = self.slots[parent].depth + 1;
                    let f = self.onward(&self.slots[parent].out);
                    let (cell, pos) = (self.cells.len(), self.fed - 1 + depth);
                    let out = self.run(&f, guess.embedding, pos, seen.into_iter());
                    Slot { parent: Some(parent), depth, cell, out }
                }
            };
            rows.push(self.outward(&slot.out));
            self.slots.push(slot);
        }
        rows
    }
}
