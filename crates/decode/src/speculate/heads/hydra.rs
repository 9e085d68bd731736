//! Hydra: head k sees the last hidden row and the embeddings of everything guessed before its own guess.
//!
//! Ankner et al., arXiv 2402.05109. With z the rows one behind another, head k makes `R z + SiLU(W z + b)` and refines it
//! by blocks `y + SiLU(B y + c)`, one block repeated as often as `blocks` says. Hydra++ has a decoder layer over the
//! model's hidden rows first, whose last row takes the place of the hidden row.

use super::error::HeadError;
use super::file::Reader;
use super::layer::{Cells, Layer};
use super::matrix::{Matrix, add, silu};
use super::{DraftHead, Fed, Guess};

#[derive(Debug)]
struct Head {
    residual: Matrix,
    weight: Matrix,
    bias: Vec<f32>,
    block: Option<(Matrix, Vec<f32>)>,
}

/// The head.
#[derive(Debug)]
pub(crate) struct Hydra {
    heads: Vec<Head>,
    blocks: usize,
    prefix: Option<Layer>,
    cells: Cells,
    hidden: Vec<f32>,
    /// Embeddings of a guess and all before it, one behind another.
    paths: Vec<Vec<f32>>,
}

impl Hydra {
    /// Reads `head.K.residual.weight`, `head.K.linear.weight` and `.bias`, `head.K.block.weight` and `.bias`, and the layer
    /// `prefix` where the file has one.
    pub(crate) fn read(reader: &Reader<'_>) -> Result<Self, HeadError> {
        let n = reader.width();
        let head = |k: usize| -> Result<Head, HeadError> {
            let name = |part: &str| format!("head.{k}.{part}");
            let columns = (k + 2) * n;
            let block = match reader.has(&name("block.weight")) {
                true => {
                    let weight = reader.matrix(&name("block.weight"), n, n)?;
                    Some((weight, reader.bias(&name("block.bias"), n)?))
                }
                false => None,
            };
            Ok(Head {
                residual: reader.matrix(&name("residual.weight"), n, columns)?,
                weight: reader.matrix(&name("linear.weight"), n, columns)?,
                bias: reader.bias(&name("linear.bias"), n)?,
                block,
            })
        };
        let count = reader.count("head.", ".linear.weight")?;
        let prefix =
            reader.has("prefix.attn_q.weight").then(|| Layer::read(reader, "prefix", n)).transpose()?;
        Ok(Self {
            heads: (0..count).map(head).collect::<Result<_, _>>()?,
            blocks: reader.setting("blocks", Some(1), "a number of repetitions")?,
            prefix,
            cells: Cells::default(),
            hidden: Vec::new(),
            paths: Vec::new(),
        })
    }
}

impl DraftHead for Hydra {
    fn reads_prompt(&self) -> bool {
        self.prefix.is_some()
    }

    fn feed(&mut self, rows: &[Fed<'_>]) {
        for row in rows {
            self.hidden = match &self.prefix {
                Some(layer) => {
                    let pos = self.cells.len();
                    layer.run(&mut self.cells, row.hidden, row.hidden, pos, 0..pos)
                }
                None => row.hidden.to_vec(),
            };
        }
    }

    fn rollback(&mut self, len: usize) {
        self.cells.truncate(len);
        self.paths.clear();
    }

    fn deepest(&self) -> usize {
        self.heads.len()
    }

    fn behind(&mut self, guesses: &[Guess<'_>]) -> Vec<Vec<f32>> {
        let mut rows = Vec::new();
        for guess in guesses {
            let path = match guess.parent {
                Some(parent) => [&self.paths[parent], guess.embedding].concat(),
                None => guess.embedding.to_vec(),
            };
            let z = [self.hidden.as_slice(), &path].concat();
            self.paths.push(path);
            let Some(head) = self.heads.get(z.len() / self.hidden.len().max(1) - 2) else { break };
            let inner = silu(&add(&head.weight.times(&z), &head.bias));
            let mut y = add(&head.residual.times(&z), &inner);
            for (weight, bias) in std::iter::repeat_n(&head.block, self.blocks).flatten() {
                y = add(&y, &silu(&add(&weight.times(&y), bias)));
            }
            rows.push(y);
        }
        rows
    }
}
