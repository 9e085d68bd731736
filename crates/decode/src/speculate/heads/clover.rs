//! Clover: a state that takes in one guess after another, by an attention that costs no more than a comparison.
//!
//! Xiao et al., arXiv 2405.00263 and 2408.00264. The state takes in an embedding e by heads i:
//! `s + cos(Q_i s, K_i e) · V_i e`. Committed hidden rows take in the token behind them and run through decoder layers; the
//! last row is the state before the first guess. The first guess comes from `norm(W_1 s)`, later ones from `norm(W_2 [s; e])`.

use super::error::HeadError;
use super::file::Reader;
use super::layer::{Cells, Layer};
use super::matrix::{Matrix, dot, rms_norm};
use super::{DraftHead, Fed, Guess};

/// The head.
#[derive(Debug)]
pub(crate) struct Clover {
    q: Matrix,
    k: Matrix,
    v: Matrix,
    n_mix: usize,
    first: Matrix,
    later: Matrix,
    norm: Vec<f32>,
    eps: f32,
    layers: Vec<(Layer, Cells)>,
    state: Vec<f32>,
    states: Vec<Vec<f32>>,
}

impl Clover {
    /// Reads `mix.q.weight`, `mix.k.weight`, `mix.v.weight`, `first.weight`, `later.weight`, `norm.weight` and the layers
    /// `layer.K`.
    pub(crate) fn read(reader: &Reader<'_>) -> Result<Self, HeadError> {
        let n = reader.width();
        let n_mix: usize = reader.setting("n_mix", Some(1), "the number of mixing heads")?;
        if n_mix == 0 || !n.is_multiple_of(n_mix) {
            return Err(reader.bad_setting("n_mix", &format!("a number that divides {n}")));
        }
        let count = reader.count("layer.", ".attn_q.weight")?;
        let layer = |k: usize| Ok((Layer::read(reader, &format!("layer.{k}"), n)?, Cells::default()));
        Ok(Self {
            q: reader.matrix("mix.q.weight", n, n)?,
            k: reader.matrix("mix.k.weight", n, n)?,
            v: reader.matrix("mix.v.weight", n, n)?,
            n_mix,
            first: reader.matrix("first.weight", n, n)?,
            later: reader.matrix("later.weight", n, 2 * n)?,
            norm: reader.vector("norm.weight", n)?,
            eps: reader.setting("eps", Some(1e-5), "a number")?,
            layers: (0..count).map(layer).collect::<Result<_, HeadError>>()?,
            state: Vec::new(),
            states: Vec::new(),
        })
    }

    fn mixed(&self, state: &[f32], embedding: &[f32]) -> Vec<f32> {
        let (q, k, v) = (self.q.times(state), self.k.times(embedding), self.v.times(embedding));
        let n = state.len() / self.n_mix;
        let parts = q.chunks_exact(n).zip(k.chunks_exact(n)).zip(v.chunks_exact(n));
        let mixed = parts.flat_map(|((q, k), v)| {
            let length = (dot(q, q) * dot(k, k)).sqrt();
            let cos = if length > 0.0 { dot(q, k) / length } else { 0.0 };
            v.iter().map(move |v| cos * v)
        });
        state.iter().zip(mixed).map(|(s, m)| s + m).collect()
    }
}

impl DraftHead for Clover {
    fn reads_prompt(&self) -> bool {
        true
    }

    fn feed(&mut self, rows: &[Fed<'_>]) {
        for row in rows {
            let mut x = self.mixed(row.hidden, row.embedding);
            for (layer, cells) in &mut self.layers {
                let pos = cells.len();
                x = layer.run(cells, &x, &x, pos, 0..pos);
            }
            self.state = x;
        }
    }

    fn rollback(&mut self, len: usize) {
        self.layers.iter_mut().for_each(|(_, cells)| cells.truncate(len));
        self.states.clear();
    }

    fn behind(&mut self, guesses: &[Guess<'_>]) -> Vec<Vec<f32>> {
        let mut rows = Vec::new();
        for guess in guesses {
            let (state, row) = match guess.parent {
                None => (self.state.clone(), self.first.times(&self.state)),
                Some(parent) => {
                    let state = self.mixed(&self.states[parent], guess.embedding);
                    let row = self.later.times(&[state.as_slice(), guess.embedding].concat());
                    (state, row)
                }
            };
            self.states.push(state);
            rows.push(rms_norm(&row, &self.norm, self.eps));
        }
        rows
    }
}
