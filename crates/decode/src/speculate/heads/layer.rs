//! A decoder layer of a head, with cells of its own on the host.

use super::attention::Attention;
pub(crate) use super::attention::Cells;
use super::error::HeadError;
use super::file::Reader;
use super::matrix::{Matrix, add, mul, rms_norm, silu};

/// The weights: attention, a gated product behind it, each added to what came in.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Not every layer has one before its attention.
    input_norm: Option<Vec<f32>>,
    attention: Attention,
    post_norm: Vec<f32>,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
    eps: f32,
}

impl Layer {
    /// Reads `PREFIX.attn_q.weight` and its kin. `columns` is the width of what the attention takes; a norm before it is
    /// read where the file has it.
    pub(crate) fn read(reader: &Reader<'_>, prefix: &str, columns: usize) -> Result<Self, HeadError> {
        let width = reader.width();
        let name = |part: &str| format!("{prefix}.{part}.weight");
        let attention = Attention::read(reader, prefix, columns)?;
        let n_ff = reader.length(&name("ffn_gate"))?;
        let input_norm = name("input_norm");
        let norm = reader.has(&input_norm).then(|| reader.vector(&input_norm, columns)).transpose()?;
        Ok(Self {
            input_norm: norm,
            attention,
            post_norm: reader.vector(&name("post_norm"), width)?,
            gate: reader.matrix(&name("ffn_gate"), n_ff, width)?,
            up: reader.matrix(&name("ffn_up"), n_ff, width)?,
            down: reader.matrix(&name("ffn_down"), width, n_ff)?,
            eps: reader.setting("eps", Some(1e-5), "a number")?,
        })
    }

    /// Runs a row at a position: `x` goes into the attention and `stream` is what the results are added to. The row sees
    /// the cells `seen` and itself, and gets a cell at the end.
    pub(crate) fn run(
        &self,
        cells: &mut Cells,
        x: &[f32],
        stream: &[f32],
        pos: usize,
        seen: impl Iterator<Item = usize>,
    ) -> Vec<f32> {
        let normed = self.input_norm.as_ref().map(|norm| rms_norm(x, norm, self.eps));
        let x = normed.as_deref().unwrap_or(x);
        let stream = add(stream, &self.attention.run(cells, x, pos, seen));
        let x = rms_norm(&stream, &self.post_norm, self.eps);
        let inner = mul(&silu(&self.gate.times(&x)), &self.up.times(&x));
        add(&stream, &self.down.times(&inner))
    }
}
