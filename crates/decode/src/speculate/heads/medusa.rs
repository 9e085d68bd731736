//! Medusa: head k guesses the token k + 1 behind the newest one from the last hidden row alone.
//!
//! Cai et al., arXiv 2401.10774. Head k makes `h + SiLU(W h + b)`, which goes to the output matrix. Every guess of a depth has
//! the same candidates, so that the tree is their product.

use super::error::HeadError;
use super::file::Reader;
use super::matrix::{Matrix, add, silu};
use super::{DraftHead, Fed, Guess};

/// The head.
#[derive(Debug)]
pub(crate) struct Medusa {
    heads: Vec<(Matrix, Vec<f32>)>,
    hidden: Vec<f32>,
    depth: usize,
}

impl Medusa {
    /// Reads `head.K.linear.weight` and `head.K.linear.bias`.
    pub(crate) fn read(reader: &Reader<'_>) -> Result<Self, HeadError> {
        let n = reader.width();
        let head = |k: usize| {
            let weight = reader.matrix(&format!("head.{k}.linear.weight"), n, n)?;
            Ok((weight, reader.bias(&format!("head.{k}.linear.bias"), n)?))
        };
        let heads =
            (0..reader.count("head.", ".linear.weight")?).map(head).collect::<Result<_, HeadError>>()?;
        Ok(Self { heads, hidden: Vec::new(), depth: 0 })
    }
}

impl DraftHead for Medusa {
    fn feed(&mut self, rows: &[Fed<'_>]) {
        if let Some(last) = rows.last() {
            self.hidden = last.hidden.to_vec();
        }
    }

    fn rollback(&mut self, _: usize) {
        self.depth = 0;
    }

    fn deepest(&self) -> usize {
        self.heads.len()
    }

    fn one_for_all(&self) -> bool {
        true
    }

    fn behind(&mut self, _: &[Guess<'_>]) -> Vec<Vec<f32>> {
        let head = self.heads.get(self.depth);
        self.depth += 1;
        let inner = head.map(|(weight, bias)| silu(&add(&weight.times(&self.hidden), bias)));
        inner.map(|inner| vec![add(&self.hidden, &inner)]).unwrap_or_default()
    }
}
