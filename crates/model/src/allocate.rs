//! Makes the buffers of all weights before a byte of them is read, so that plans are recorded and pipelines compiled
//! while the weights are still on their way.

use std::collections::BTreeSet;
use std::ops::Range;

use goldcrest_gguf::{Gguf, TensorInfo};
use goldcrest_gpu::{Buffer, Device, Slice};
use goldcrest_kernels::ops::matmul::{Matrix, MatrixPart};
use goldcrest_kernels::{Format, ROWS_PER_GROUP};

use crate::rows::{Rows, require};
use crate::{ModelError, repack};

/// A linear map: one matrix, or several side by side where fused tensors differ in type.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The matrices with the first column that each writes.
    pub parts: Vec<(u32, Matrix<Buffer>)>,
    /// Bias over all columns.
    pub bias: Option<Slice<Buffer>>,
    /// Columns in all.
    pub n_out: u32,
}

/// Buffers that wait for their contents.
#[derive(Debug)]
pub(crate) enum Job<'a> {
    /// Vectors one after another, decoded to f32.
    Vector { tensors: Vec<&'a TensorInfo>, to: Buffer },
    /// Row groups of a matrix, repacked into planes.
    Planes { rows: Rows<'a>, groups: Range<usize>, format: Format, wq: Buffer, ws: Buffer },
}

/// Allocates weights and lists what has to be streamed into them.
pub struct Allocator<'a> {
    /// The file's description.
    pub gguf: &'a Gguf,
    device: &'a dyn Device,
    /// Tensors that turned out to need whole floats.
    wide: &'a BTreeSet<String>,
    pub(crate) jobs: Vec<Job<'a>>,
    /// What is re-encoded and how, for the user to know.
    pub notes: Vec<String>,
}

impl<'a> Allocator<'a> {
    pub(crate) const fn new(gguf: &'a Gguf, device: &'a dyn Device, wide: &'a BTreeSet<String>) -> Self {
        Self { gguf, device, wide, jobs: Vec::new(), notes: Vec::new() }
    }

    /// Whether the file has a tensor of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.gguf.tensors.get(name).is_some()
    }

    /// A vector of `n` values.
    pub(crate) fn vector(&mut self, name: &str, n: u32) -> Result<Slice<Buffer>, ModelError> {
        self.vectors(&[(name.to_owned(), n)])
    }

    /// Vectors one after another in one buffer that kernels may read in words of 16 bytes.
    pub(crate) fn vectors(&mut self, names: &[(String, u32)]) -> Result<Slice<Buffer>, ModelError> {
        let gguf = self.gguf;
        let tensors: Result<Vec<_>, _> =
            names.iter().map(|(name, n)| require(gguf, name, &[u64::from(*n)])).collect();
        let n: u64 = names.iter().map(|(_, n)| u64::from(*n)).sum();
        let to = self.device.create_buffer("vector", n * 4)?;
        self.jobs.push(Job::Vector { tensors: tensors?, to: to.clone() });
        Ok(to.whole())
    }

    /// Linear maps that read the same activations, fused where their types agree; biases where the file has them.
    pub(crate) fn linear(&mut self, names: &[(String, u32)], k: u32) -> Result<Linear, ModelError> {
        let mut fused: Vec<(u32, Rows<'a>)> = Vec::new();
        let mut n_out = 0;
        for (name, n) in names {
            let rows = Rows::whole(self.gguf, &format!("{name}.weight"), k, *n)?;
            match fused.pop() {
                None => fused.push((0, rows)),
                Some((col, last)) => match last.then(&rows) {
                    Ok(both) => fused.push((col, both)),
                    Err(last) => fused.extend([(col, last), (n_out, rows)]),
                },
            }
            n_out += n;
        }
        let mut parts = Vec::new();
        for (col, rows) in fused {
            parts.push((col, self.matrix(rows)?));
        }
        let biases: Vec<_> = names.iter().map(|(name, n)| (format!("{name}.bias"), *n)).collect();
        let biased = biases.iter().any(|(name, _)| self.has(name));
        let bias = if biased { Some(self.vectors(&biases)?) } else { None };
        Ok(Linear { parts, bias, n_out })
    }

    /// A matrix in planes, split by rows where a binding would be too large.
    pub(crate) fn matrix(&mut self, rows: Rows<'a>) -> Result<Matrix<Buffer>, ModelError> {
        let format = self.format(&rows)?;
        let one_group = format.planes(ROWS_PER_GROUP, rows.k);
        let largest = one_group.wq_group_bytes().max(one_group.ws_group_bytes());
        let (n_group, step) = (rows.groups.len(), if rows.glu { 2 } else { 1 });
        let fitting = usize::try_from(self.device.caps().max_binding / largest).unwrap_or(n_group);
        // Experts are told apart by their first group, so that they stay in one piece.
        let per_part =
            if rows.experts > 1 { n_group } else { (fitting / step * step).clamp(step, n_group.max(step)) };
        let mut parts = Vec::new();
        for first in (0..n_group).step_by(per_part) {
            let n_part = per_part.min(n_group - first);
            let row0 = (first / step) as u32 * ROWS_PER_GROUP;
            let n_rows = (rows.n_rows - row0).min((n_part / step) as u32 * ROWS_PER_GROUP);
            let wq = self.device.create_buffer("weights", n_part as u64 * one_group.wq_group_bytes())?;
            let ws =
                self.device.create_buffer("weight scales", n_part as u64 * one_group.ws_group_bytes())?;
            parts.push(MatrixPart { row0, n_rows, wq: wq.whole(), ws: ws.whole() });
            let groups = first..first + n_part;
            self.jobs.push(Job::Planes { rows: rows.clone(), groups, format, wq, ws });
        }
        let Rows { n_rows, k, experts, glu, .. } = rows;
        Ok(Matrix { format, n_rows, k, k_held: k, parts, experts, glu })
    }

    fn format(&mut self, rows: &Rows<'_>) -> Result<Format, ModelError> {
        let tensor = rows.tensors[0];
        let unsupported = || ModelError::UnsupportedType { tensor: tensor.name.to_string(), ty: tensor.ty };
        let encoding = repack::target(tensor.ty).ok_or_else(unsupported)?;
        if self.wide.contains(&*tensor.name) {
            self.note(format!("{}: scales beyond half precision, kept as F32", tensor.name));
            return Ok(Format::F32);
        }
        if let Some(note) = encoding.note {
            self.note(format!("{}: {note}", tensor.ty.name()));
        }
        Ok(encoding.format)
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
