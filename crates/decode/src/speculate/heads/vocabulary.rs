//! The draft vocabulary: which tokens a head may guess, and what turns its rows into their logits.

use std::collections::HashMap;

use super::error::HeadError;
use super::file::Reader;
use super::matrix::Matrix;
use crate::{DecodeError, Lm};

/// Logit of a token that a head cannot guess, as of one that a mask forbids.
const BANNED: f32 = -1e30;
/// Rows of the embedding table that are fetched at once.
const AT_ONCE: usize = 1024;

/// The matrices that turn rows into logits of the draft vocabulary.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// One for every depth, the last one for all deeper ones.
    matrices: Vec<Matrix>,
    tokens: Vec<u32>,
}

impl Outputs {
    /// Reads `lm_head.weight`, or `head.K.lm_head.weight` for each depth; without them the model's embeddings serve.
    pub(crate) fn read(
        reader: &Reader<'_>,
        columns: usize,
        embeddings: &Embeddings,
        tied: bool,
    ) -> Result<Self, HeadError> {
        let tokens = embeddings.tokens.clone();
        let n = tokens.len();
        if reader.has("head.0.lm_head.weight") {
            let count = reader.count("head.", ".lm_head.weight")?;
            let each = (0..count).map(|k| reader.matrix(&format!("head.{k}.lm_head.weight"), n, columns));
            return Ok(Self { matrices: each.collect::<Result<_, _>>()?, tokens });
        }
        if reader.has("lm_head.weight") {
            return Ok(Self { matrices: vec![reader.matrix("lm_head.weight", n, columns)?], tokens });
        }
        if columns != reader.width() {
            reader.matrix("lm_head.weight", n, columns)?;
        }
        match tied {
            true => Ok(Self { matrices: vec![embeddings.draft.clone()], tokens }),
            false => Err(HeadError::NoOutput { kind: reader.file.name() }),
        }
    }

    /// Logits of the draft vocabulary for rows of one depth.
    pub(crate) fn logits(&self, depth: usize, rows: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let last = self.matrices.len().saturating_sub(1);
        self.matrices.get(depth.min(last)).map(|matrix| matrix.times_each(rows)).unwrap_or_default()
    }

    /// A row of logits of the draft vocabulary as one of all tokens.
    pub(crate) fn of_all(&self, logits: &[f32], n_vocab: u32) -> Vec<f32> {
        let mut all = vec![BANNED; n_vocab as usize];
        for (token, logit) in self.tokens.iter().zip(logits) {
            all[*token as usize] = *logit;
        }
        all
    }

    /// The best `k` tokens of a row of logits with their probabilities.
    pub(crate) fn best(&self, logits: &[f32], k: usize) -> Vec<(u32, f32)> {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        let better = |a: &usize, b: &usize| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b));
        if k < order.len() {
            order.select_nth_unstable_by(k, better);
            order.truncate(k);
        }
        order.sort_by(better);
        let most = order.first().map_or(0.0, |best| logits[*best]);
        let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
        order.into_iter().map(|i| (self.tokens[i], (logits[i] - most).exp() / sum)).collect()
    }
}

/// Embeddings of the draft vocabulary, and of what else has come.
#[derive(Debug)]
pub(crate) struct Embeddings {
    tokens: Vec<u32>,
    draft: Matrix,
    place: HashMap<u32, usize>,
    others: HashMap<u32, Vec<f32>>,
}

impl Embeddings {
    /// Fetches those of the draft vocabulary: all tokens, if the file names none.
    pub(crate) async fn fetch<L: Lm>(lm: &mut L, tokens: Option<Vec<u32>>) -> Result<Self, DecodeError> {
        let shape = lm.shape();
        let tokens = tokens.unwrap_or_else(|| (0..shape.n_vocab).collect());
        let mut values = Vec::with_capacity(tokens.len() * shape.n_embd as usize);
        for some in tokens.chunks(AT_ONCE) {
            values.extend(lm.embeddings(some).await?);
        }
        Ok(Self::of(tokens, Matrix::new(values, shape.n_embd as usize)))
    }

    pub(crate) fn of(tokens: Vec<u32>, draft: Matrix) -> Self {
        let place = tokens.iter().enumerate().map(|(place, token)| (*token, place)).collect();
        Self { tokens, draft, place, others: HashMap::new() }
    }

    /// Fetches one that may not be here yet.
    pub(crate) async fn ensure<L: Lm>(&mut self, lm: &mut L, token: u32) -> Result<(), DecodeError> {
        if !self.place.contains_key(&token) && !self.others.contains_key(&token) {
            let row = lm.embeddings(&[token]).await?;
            self.insert(token, row);
        }
        Ok(())
    }

    /// Takes one that was fetched.
    pub(crate) fn insert(&mut self, token: u32, row: Vec<f32>) {
        self.others.insert(token, row);
    }

    /// The embedding of a token that is here.
    pub(crate) fn of_token(&self, token: u32) -> &[f32] {
        let here = self.place.get(&token).map(|place| self.draft.row(*place));
        here.or_else(|| self.others.get(&token).map(Vec::as_slice)).unwrap_or_default()
    }
}
