//! Chimera: three embeddings make a guess's row, one decoder layer joins it with the model's own hidden rows.
//!
//! Zeng et al., arXiv 2402.15758. With z the embeddings of the last three tokens, the row is `D (z + SiLU(W z + b))`. It runs
//! through the layer at its position and sees the hidden rows of everything committed and the rows of the guesses before
//! it. The output matrix takes the last hidden row and the layer's result side by side.

use super::error::HeadError;
use super::file::Reader;
use super::layer::{Cells, Layer};
use super::matrix::{Matrix, add, silu};
use super::{DraftHead, Fed, Guess};

/// The head.
#[derive(Debug)]
pub(crate) struct Chimera {
    weight: Matrix,
    bias: Vec<f32>,
    down: Matrix,
    layer: Layer,
    cells: Cells,
    hidden: Vec<f32>,
    /// Embeddings of the tokens behind each committed row.
    embeddings: Vec<Vec<f32>>,
    slots: Vec<Slot>,
}

/// A guess whose row ran.
#[derive(Debug)]
struct Slot {
    parent: Option<usize>,
    depth: usize,
    cell: usize,
    embedding: Vec<f32>,
}

impl Chimera {
    /// Reads `trigram.linear.weight` and `.bias`, `trigram.down.weight` and the layer `layer`.
    pub(crate) fn read(reader: &Reader<'_>) -> Result<Self, HeadError> {
        let n = reader.width();
        Ok(Self {
            weight: reader.matrix("trigram.linear.weight", 3 * n, 3 * n)?,
            bias: reader.bias("trigram.linear.bias", 3 * n)?,
            down: reader.matrix("trigram.down.weight", n, 3 * n)?,
            layer: Layer::read(reader, "layer", n)?,
            cells: Cells::default(),
            hidden: Vec::new(),
            embeddings: Vec::new(),
            slots: Vec::new(),
        })
    }

    /// The embedding `back` tokens before a guess; zeros before the first token.
    fn before(&self, guess: Option<usize>, back: usize) -> Vec<f32> {
        let (mut at, mut left) = (guess, back);
        while let (Some(slot), 1..) = (at, left) {
            (at, left) = (self.slots[slot].parent, left - 1);
        }
        match at {
            Some(slot) => self.slots[slot].embedding.clone(),
            // The root is the last token that was fed.
            None => {
                let place = self.embeddings.len().checked_sub(2 + left);
                place.map_or_else(|| vec![0.0; self.hidden.len()], |i| self.embeddings[i].clone())
            }
        }
    }
}

impl DraftHead for Chimera {
    fn reads_prompt(&self) -> bool {
        true
    }

    fn feed(&mut self, rows: &[Fed<'_>]) {
        for row in rows {
            let pos = self.cells.len();
            self.layer.run(&mut self.cells, row.hidden, row.hidden, pos, 0..pos);
            self.hidden = row.hidden.to_vec();
            self.embeddings.push(row.embedding.to_vec());
        }
    }

    fn rollback(&mut self, len: usize) {
        self.cells.truncate(len);
        self.embeddings.truncate(len);
        self.slots.clear();
    }

    fn columns(&self, width: usize) -> usize {
        2 * width
    }

    fn behind(&mut self, guesses: &[Guess<'_>]) -> Vec<Vec<f32>> {
        let committed = self.embeddings.len();
        let mut rows = Vec::new();
        for guess in guesses {
            let depth = guess.parent.map_or(0, |parent| self.slots[parent].depth + 1);
            let z = [self.before(guess.parent, 1), self.before(guess.parent, 0), guess.embedding.to_vec()]
                .concat();
            let row = self.down.times(&add(&z, &silu(&add(&self.weight.times(&z), &self.bias))));
            let above = std::iter::successors(guess.parent, |slot| self.slots[*slot].parent);
            let seen: Vec<usize> = (0..committed).chain(above.map(|slot| self.slots[slot].cell)).collect();
            let cell = self.cells.len();
            let out = self.layer.run(&mut self.cells, &row, &row, committed + depth, seen.into_iter());
            let embedding = guess.embedding.to_vec();
            self.slots.push(Slot { parent: guess.parent, depth, cell, embedding });
            rows.push([self.hidden.as_slice(), &out].concat());
        }
        rows
    }
}
