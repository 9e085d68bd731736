//! Rows of the embedding matrix into the hidden state.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range};
use super::matmul::Matrix;
use super::matmul_variants::{EMBED, pick};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::step::{MAX_ROWS, STEP_BYTES};

/// Most invocations per workgroup.
const MAX_THREADS: u32 = 64;

/// Which number of a row is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The token, or the mixture of tokens.
    Token,
    /// The position; applies to every row, whatever wrote it.
    Position,
}

/// What [`embed`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct EmbedArgs<'a, B> {
    /// `[n_vocab][n_embd]`: `n_rows` ids of `k` values.
    pub matrix: &'a Matrix<B>,
    /// Pairs (token, f32 weight bits) that rows with a mixture point to; a dummy if there are none.
    pub mix: &'a Slice<B>,
    /// Pairs that `mix` holds.
    pub n_mix: u32,
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// f32 `[max_rows][n_embd]`.
    pub x: &'a Slice<B>,
    /// Most rows of a step, 1..=[`MAX_ROWS`].
    pub max_rows: u32,
    /// Multiplies every row.
    pub scale: f32,
    /// What is looked up.
    pub source: Source,
    /// Added to what `x` holds instead of replacing it.
    pub add: bool,
}

/// Parameters of `embed`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct EmbedParams {
    pub(crate) w_chunk: u32,
    pub(crate) n_unit: u32,
    pub(crate) row0: u32,
    pub(crate) n_rows: u32,
    pub(crate) n_vocab: u32,
    pub(crate) n_mix: u32,
    pub(crate) first: u32,
    pub(crate) scale: f32,
}

/// `x[row] = scale · Σ w · E[id]`, one dispatch per part of the matrix.
///
/// # Errors
/// [`ShapeError`] if a size is out of range, a buffer too small, or the matrix is gated or has experts.
pub fn embed<B: Clone>(args: &EmbedArgs<'_, B>) -> Result<Vec<Dispatch<B>>, ShapeError> {
    let op = "embed";
    let &EmbedArgs { matrix, mix, n_mix, step, x, max_rows, scale, source, add } = args;
    matrix.check(op)?;
    if matrix.glu || matrix.experts > 1 {
        return Err(ShapeError::Unsupported { op, what: "a matrix of gates or experts" });
    }
    in_range(op, "max_rows", max_rows.into(), 1, MAX_ROWS as u64)?;
    holds(op, "mix", mix, (u64::from(n_mix) * 8).max(8))?;
    holds(op, "step", step, STEP_BYTES)?;
    holds(op, "x", x, u64::from(max_rows) * u64::from(matrix.k) * 4)?;
    let threads = (matrix.k / 32).next_multiple_of(8).min(MAX_THREADS);
    let overrides = vec![
        ("ADD", f64::from(u8::from(add))),
        ("SOURCE", f64::from(u8::from(source == Source::Position))),
        ("T", threads.into()),
    ];
    let dispatch = |part: &super::matmul::MatrixPart<B>| {
        let layout = matrix.part_layout(part.n_rows);
        let params = EmbedParams {
            w_chunk: layout.n_chunk,
            n_unit: layout.n_unit,
            row0: part.row0,
            n_rows: part.n_rows,
            n_vocab: matrix.n_rows,
            n_mix,
            first: u32::from(part.row0 == 0),
            scale,
        };
        Dispatch {
            shader: pick(&EMBED, matrix.format),
            overrides: overrides.clone(),
            bindings: [&part.wq, &part.ws, mix, step, x].into_iter().cloned().collect(),
            uniform: bytemuck::cast_slice(&[params]).to_vec(),
            grid: [layout.n_chunk.div_ceil(threads), max_rows, 1],
        }
    };
    Ok(matrix.parts.iter().map(dispatch).collect())
}
