//! Weight matrices of every block type: random blocks, their values by the decoder, their planes by the repacker.

use goldcrest_gguf::{GgmlType, dequantize};
use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::{Matrix, MatrixPart};
use goldcrest_model::repack::{repack_group, target};

use super::case::Bound;
use super::random::Random;
use super::row::{Row, RowError};

/// A matrix of GGUF rows.
pub(super) struct Weights {
    ty: GgmlType,
    k: u32,
    rows: Vec<Vec<u8>>,
    /// `[row][k]`, decoded.
    pub(super) values: Vec<f64>,
}

/// How rows are put into groups and parts.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Outputs; with `glu` each is a gate row and, `n_rows` further on, an up row.
    pub(super) n_rows: u32,
    /// Matrices of that shape, one after the other.
    pub(super) experts: u32,
    pub(super) glu: bool,
    /// Parts that the rows are split into.
    pub(super) parts: u32,
}

/// A matrix whose slices are indices into a case's buffers.
pub(super) type Planned = Matrix<usize>;

impl Weights {
    /// `n` random rows of the type called `ty`.
    pub(super) fn random(row: &Row, random: &mut Random, ty: &str, n: u32, k: u32) -> Result<Self, RowError> {
        let found = GgmlType::ALL.iter().find(|t| t.name() == ty);
        let ty = *found.ok_or_else(|| row.wrong(format!("no type {ty}")))?;
        let rows: Vec<Vec<u8>> = (0..n).map(|_| blocks(random, ty, k)).collect();
        let mut values = vec![0.0; k as usize];
        let mut all = Vec::with_capacity(n as usize * k as usize);
        for bytes in &rows {
            dequantize(ty, bytes, &mut values).map_err(|e| row.wrong(e.to_string()))?;
            all.extend(values.iter().map(|v| f64::from(*v)));
        }
        Ok(Self { ty, k, rows, values: all })
    }

    /// Row `n`.
    pub(super) fn row(&self, n: u32) -> &[f64] {
        &self.values[n as usize * self.k as usize..][..self.k as usize]
    }

    /// Appends the planes to `bound`; slices of the result are indices into it. `dummy` stands for absent planes.
    pub(super) fn plan(
        &self,
        row: &Row,
        layout: Layout,
        bound: &mut Vec<Bound>,
        dummy: usize,
    ) -> Result<Planned, RowError> {
        let Layout { n_rows, experts, glu, parts } = layout;
        let encoding = target(self.ty).ok_or_else(|| row.wrong("a type without a format"))?;
        let group = encoding.format.planes(8, self.k);
        let per_part = n_rows.div_ceil(8).div_ceil(parts) * 8;
        let halves = if glu { 2 } else { 1 };
        let mut planned = Vec::new();
        for row0 in (0..n_rows).step_by(per_part as usize) {
            let n_part = per_part.min(n_rows - row0);
            let (mut wq, mut ws) = (Vec::new(), Vec::new());
            for expert in 0..experts.max(1) {
                for first in (row0..row0 + n_part).step_by(8) {
                    for half in 0..halves {
                        let at = |r: u32| {
                            let inside = first + r < n_rows;
                            inside.then(|| {
                                self.rows[((expert * halves + half) * n_rows + first + r) as usize].as_slice()
                            })
                        };
                        let eight = std::array::from_fn(|r| at(r as u32));
                        let mut q = vec![0; group.wq_group_bytes() as usize / 4];
                        let mut s = vec![0; group.ws_group_bytes() as usize / 4];
                        repack_group(self.ty, eight, &group, &mut q, &mut s)
                            .map_err(|e| row.wrong(e.to_string()))?;
                        wq.extend(q);
                        ws.extend(s);
                    }
                }
            }
            let ws = if ws.is_empty() {
                dummy
            } else {
                bound.push(Bound::input("ws", ws));
                bound.len() - 1
            };
            bound.push(Bound::input("wq", wq));
            planned.push((row0, n_part, bound.len() - 1, ws));
        }
        let slice = |index| Slice { buffer: index, offset: 0, size: 0 };
        let part = |(row0, n_rows, wq, ws)| MatrixPart { row0, n_rows, wq: slice(wq), ws: slice(ws) };
        let parts = planned.into_iter().map(part).collect();
        Ok(Matrix { format: encoding.format, n_rows, k: self.k, k_held: self.k, parts, experts, glu })
    }
}

/// The matrix with the slices of a rig.
pub(super) fn resolve(planned: &Planned, slices: &[Slice<Buffer>]) -> Matrix<Buffer> {
    let part = |p: &MatrixPart<usize>| MatrixPart {
        row0: p.row0,
        n_rows: p.n_rows,
        wq: slices[p.wq.buffer].clone(),
        ws: slices[p.ws.buffer].clone(),
    };
    let &Matrix { format, n_rows, k, k_held, ref parts, experts, glu } = planned;
    Matrix { format, n_rows, k, k_held, parts: parts.iter().map(part).collect(), experts, glu }
}

/// Random blocks of one row: all quants, scales of either sign around 1/64, a few of them subnormal.
fn blocks(random: &mut Random, ty: GgmlType, k: u32) -> Vec<u8> {
    match ty {
        GgmlType::F32 => (0..k).flat_map(|_| random.normal().to_le_bytes()).collect(),
        GgmlType::F16 => (0..k).flat_map(|_| half::f16::from_f32(random.normal()).to_le_bytes()).collect(),
        GgmlType::BF16 => (0..k).flat_map(|_| half::bf16::from_f32(random.normal()).to_le_bytes()).collect(),
        _ => {
            let n_bytes = ty.size_of(k.into()).unwrap_or(0);
            let mut row: Vec<u8> = (0..n_bytes).map(|_| (random.bits() >> 24) as u8).collect();
            for block in row.chunks_exact_mut(ty.block_bytes() as usize) {
                for &at in half_fields(ty) {
                    let exponent = if random.below(16) == 0 { 0 } else { 6 + random.below(6) };
                    let bits = (random.bits() as u16 & 0x83ff) | (exponent as u16) << 10;
                    block[at..at + 2].copy_from_slice(&bits.to_le_bytes());
                }
                if ty == GgmlType::MXFP4 {
                    block[0] = 118 + random.below(8) as u8;
                }
            }
            row
        }
    }
}

/// Byte offsets of the half-precision fields of a block.
fn half_fields(ty: GgmlType) -> &'static [usize] {
    match ty {
        GgmlType::Q4_0 | GgmlType::Q5_0 | GgmlType::Q8_0 | GgmlType::IQ4_NL | GgmlType::IQ4_XS => &[0],
        GgmlType::Q4_1 | GgmlType::Q5_1 | GgmlType::Q4_K | GgmlType::Q5_K => &[0, 2],
        GgmlType::Q2_K => &[80, 82],
        GgmlType::Q3_K => &[108],
        GgmlType::Q6_K => &[208],
        GgmlType::TQ1_0 => &[52],
        GgmlType::TQ2_0 => &[64],
        _ => &[],
    }
}
