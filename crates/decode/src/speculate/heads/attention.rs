//! Attention of a head, with cells of its own on the host.

use super::error::HeadError;
use super::file::Reader;
use super::matrix::{Matrix, dot, softmax};

/// The weights: queries and keys are rotated (pairs half a head apart).
#[derive(Debug)]
pub(crate) struct Attention {
    q: Matrix,
    k: Matrix,
    v: Matrix,
    output: Matrix,
    n_head: usize,
    theta: f32,
}

/// Keys and values, one pair a row that ran.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pairs: Vec<(Vec<f32>, Vec<f32>)>,
}

impl Cells {
    /// Number of cells.
    pub(crate) const fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Keeps the first `n`.
    pub(crate) fn truncate(&mut self, n: usize) {
        self.pairs.truncate(n);
    }
}

impl Attention {
    /// Reads `PREFIX.attn_q.weight` and its kin; `columns` is the width of what it takes.
    pub(crate) fn read(reader: &Reader<'_>, prefix: &str, columns: usize) -> Result<Self, HeadError> {
        let n_head: usize = reader.setting("n_head", None, "the number of attention heads")?;
        let n_head_kv: usize = reader.setting("n_head_kv", Some(n_head), "a number that divides n_head")?;
        let name = |part: &str| format!("{prefix}.{part}.weight");
        let inner = reader.length(&name("attn_q"))?;
        if n_head == 0 || !inner.is_multiple_of(2 * n_head) {
            return Err(reader.bad_setting("n_head", &format!("a number that cuts {inner} into even parts")));
        }
        if n_head_kv == 0 || !n_head.is_multiple_of(n_head_kv) {
            return Err(reader.bad_setting("n_head_kv", &format!("a number that divides {n_head}")));
        }
        let inner_kv = inner / n_head * n_head_kv;
        Ok(Self {
            q: reader.matrix(&name("attn_q"), inner, columns)?,
            k: reader.matrix(&name("attn_k"), inner_kv, columns)?,
            v: reader.matrix(&name("attn_v"), inner_kv, columns)?,
            output: reader.matrix(&name("attn_output"), reader.width(), inner)?,
            n_head,
            theta: reader.setting("rope_theta", Some(10_000.0), "a number")?,
        })
    }

    /// Runs a row at a position, which sees the cells `seen` and itself, and gets a cell at the end.
    pub(crate) fn run(
        &self,
        cells: &mut Cells,
        x: &[f32],
        pos: usize,
        seen: impl Iterator<Item = usize>,
    ) -> Vec<f32> {
        let mut query = self.q.times(x);
        let mut key = self.k.times(x);
        let n = query.len() / self.n_head;
        for part in query.chunks_exact_mut(n).chain(key.chunks_exact_mut(n)) {
            self.rotate(part, pos);
        }
        let shared = query.len() / key.len();
        cells.pairs.push((key, self.v.times(x)));
        let seen: Vec<usize> = seen.chain([cells.len() - 1]).collect();
        let mut mixed = vec![0.0; query.len()];
        for (head, (query, mixed)) in query.chunks_exact(n).zip(mixed.chunks_exact_mut(n)).enumerate() {
            let part = head / shared * n..(head / shared + 1) * n;
            let scale = 1.0 / (n as f32).sqrt();
            let score = |cell: &usize| dot(query, &cells.pairs[*cell].0[part.clone()]) * scale;
            let mut shares: Vec<f32> = seen.iter().map(score).collect();
            softmax(&mut shares);
            for (cell, share) in seen.iter().zip(shares) {
                let value = &cells.pairs[*cell].1[part.clone()];
                mixed.iter_mut().zip(value).for_each(|(sum, v)| *sum += share * v);
            }
        }
        self.output.times(&mixed)
    }

    fn rotate(&self, part: &mut [f32], pos: usize) {
        let half = part.len() / 2;
        for i in 0..half {
            let angle = pos as f32 * self.theta.powf(-(i as f32) / half as f32);
            let (sin, cos) = angle.sin_cos();
            let (a, b) = (part[i], part[i + half]);
            (part[i], part[i + half]) = (a * cos - b * sin, b * cos + a * sin);
        }
    }
}
