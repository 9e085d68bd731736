//! Streams weights from a source to the device: a few MiB at a time, repacked on the way.

use goldcrest_gguf::{GgmlType, Gguf, TensorInfo, dequantize};
use goldcrest_gpu::{Buffer, Device, Slice};
use goldcrest_kernels::ops::matmul::{Matrix, MatrixPart};
use goldcrest_kernels::{Format, PlaneLayout, ROWS_PER_GROUP};

use crate::repack::{self, RepackError};
use crate::rows::{Rows, require};
use crate::{ModelError, WeightSource};

/// Plane bytes that are assembled before they are written: bounds the staging memory.
const CHUNK_BYTES: u64 = 2 << 20;

/// A linear map: one matrix, or several side by side where fused tensors differ in type.
#[derive(Debug)]
pub struct Linear {
    /// The matrices with the first column that each writes.
    pub parts: Vec<(u32, Matrix<Buffer>)>,
    /// Bias over all columns.
    pub bias: Option<Slice<Buffer>>,
    /// Columns in all.
    pub n_out: u32,
}

/// Reads tensors, repacks them and writes them to the device.
pub struct Loader<'a, S> {
    /// The file's description.
    pub gguf: &'a Gguf,
    device: &'a dyn Device,
    source: &'a mut S,
    progress: &'a mut dyn FnMut(u64, u64),
    bytes_done: u64,
    bytes_total: u64,
    /// What was re-encoded and how, for the user to know.
    pub notes: Vec<String>,
}

impl<'a, S: WeightSource> Loader<'a, S> {
    /// A loader that reports (bytes read, bytes in all) to `progress`.
    pub fn new(
        gguf: &'a Gguf,
        device: &'a dyn Device,
        source: &'a mut S,
        progress: &'a mut dyn FnMut(u64, u64),
    ) -> Self {
        let bytes_total = gguf.tensors.iter().map(|t| t.n_bytes).sum();
        Self { gguf, device, source, progress, bytes_done: 0, bytes_total, notes: Vec::new() }
    }

    /// Whether the file has a tensor of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.gguf.tensors.get(name).is_some()
    }

    /// A vector of `n` values, decoded to f32.
    pub(crate) async fn vector(&mut self, name: &str, n: u32) -> Result<Slice<Buffer>, ModelError> {
        let values = self.values(name, n).await?;
        self.upload_vector(&values)
    }

    /// The values of a vector, decoded to f32.
    pub(crate) async fn values(&mut self, name: &str, n: u32) -> Result<Vec<f32>, ModelError> {
        let tensor = require(self.gguf, name, &[u64::from(n)])?;
        let bytes = self.read(tensor, 0, tensor.n_bytes).await?;
        let mut values = vec![0.0; n as usize];
        dequantize(tensor.ty, &bytes, &mut values)?;
        Ok(values)
    }

    /// Values of the host as a buffer that kernels may read in words of 16 bytes.
    pub(crate) fn upload_vector(&mut self, values: &[f32]) -> Result<Slice<Buffer>, ModelError> {
        let buffer = self.device.create_buffer("vector", values.len() as u64 * 4)?;
        self.device.write(&buffer, 0, bytemuck::cast_slice(values))?;
        Ok(buffer.whole())
    }

    /// Linear maps that read the same activations, fused where their types agree; biases where the file has them.
    pub(crate) async fn linear(&mut self, names: &[(String, u32)], k: u32) -> Result<Linear, ModelError> {
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
        for (col, rows) in &fused {
            parts.push((*col, self.matrix(rows).await?));
        }
        let bias = self.bias(names).await?;
        Ok(Linear { parts, bias, n_out })
    }

    async fn bias(&mut self, names: &[(String, u32)]) -> Result<Option<Slice<Buffer>>, ModelError> {
        if !names.iter().any(|(name, _)| self.has(&format!("{name}.bias"))) {
            return Ok(None);
        }
        let mut values = Vec::new();
        for (name, n) in names {
            values.extend(self.values(&format!("{name}.bias"), *n).await?);
        }
        self.upload_vector(&values).map(Some)
    }

    /// A matrix in planes, split by rows where a binding would be too large.
    pub(crate) async fn matrix(&mut self, rows: &Rows<'_>) -> Result<Matrix<Buffer>, ModelError> {
        let ty = rows.tensors[0].ty;
        let unsupported = || ModelError::UnsupportedType { tensor: rows.tensors[0].name.to_string(), ty };
        let encoding = repack::target(ty).ok_or_else(unsupported)?;
        if let Some(note) = encoding.note {
            self.note(format!("{}: {note}", ty.name()));
        }
        match self.matrix_as(rows, encoding.format).await {
            Err(MatrixError::Inexact) => {
                self.note(format!("{}: scales beyond half precision, kept as F32", rows.tensors[0].name));
                self.matrix_as(rows, Format::F32).await.map_err(|e| e.into_model(&unsupported))
            }
            other => other.map_err(|e| e.into_model(&unsupported)),
        }
    }

    async fn matrix_as(&mut self, rows: &Rows<'_>, format: Format) -> Result<Matrix<Buffer>, MatrixError> {
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
            self.fill(rows, first..first + n_part, format, (&wq, &ws)).await?;
            parts.push(MatrixPart { row0, n_rows, wq: wq.whole(), ws: ws.whole() });
        }
        Ok(Matrix { format, n_rows: rows.n_rows, k: rows.k, parts, experts: rows.experts, glu: rows.glu })
    }

    /// Repacks a range of row groups into the planes of one part.
    async fn fill(
        &mut self,
        rows: &Rows<'_>,
        range: std::ops::Range<usize>,
        format: Format,
        (wq, ws): (&Buffer, &Buffer),
    ) -> Result<(), MatrixError> {
        let group = format.planes(ROWS_PER_GROUP, rows.k);
        let (wq_bytes, ws_bytes) = (group.wq_group_bytes(), group.ws_group_bytes());
        let per_chunk = usize::try_from(CHUNK_BYTES / (wq_bytes + ws_bytes)).unwrap_or(1).max(1);
        for first in range.clone().step_by(per_chunk) {
            let groups = &rows.groups[first..range.end.min(first + per_chunk)];
            let mut planes = Planes::new(&group, groups.len());
            let blocks = self.read_groups(rows, groups).await?;
            for (index, source) in groups.iter().enumerate() {
                planes.repack(index, rows, source, &blocks, &group)?;
            }
            let offset = (first - range.start) as u64;
            self.device.write(wq, offset * wq_bytes, bytemuck::cast_slice(&planes.wq))?;
            if ws_bytes > 0 {
                self.device.write(ws, offset * ws_bytes, bytemuck::cast_slice(&planes.ws))?;
            }
        }
        Ok(())
    }

    /// Per tensor, the bytes of all rows that `groups` take from it, with the first row's number.
    async fn read_groups(
        &mut self,
        rows: &Rows<'_>,
        groups: &[(usize, u64)],
    ) -> Result<Vec<RunOfRows>, ModelError> {
        let mut runs = Vec::new();
        for (index, tensor) in rows.tensors.iter().enumerate() {
            // Groups of one tensor ascend in up to two runs (gate and up of a fused tensor): read each run by itself.
            let mut mine: Vec<u64> =
                groups.iter().filter(|(t, _)| *t == index).map(|(_, row)| *row).collect();
            mine.sort_unstable();
            for run in mine.chunk_by(|a, b| *b == a + u64::from(ROWS_PER_GROUP)) {
                let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
                let n_rows = (last + u64::from(ROWS_PER_GROUP)).min(tensor.n_rows()) - first;
                let row_bytes = tensor.row_bytes();
                let bytes = self.read(tensor, first * row_bytes, n_rows * row_bytes).await?;
                runs.push(RunOfRows { tensor: index, first_row: *first, n_rows, row_bytes, bytes });
            }
        }
        Ok(runs)
    }

    async fn read(&mut self, tensor: &TensorInfo, offset: u64, size: u64) -> Result<Vec<u8>, ModelError> {
        let offset = self.gguf.tensor_range(tensor).start + offset;
        let mut bytes = vec![0; size as usize];
        let read = self.source.read_at(offset, &mut bytes).await;
        read.map_err(|reason| ModelError::Read { offset, size, reason })?;
        self.bytes_done += size;
        (self.progress)(self.bytes_done.min(self.bytes_total), self.bytes_total);
        Ok(bytes)
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// Consecutive rows of one tensor as the file has them.
struct RunOfRows {
    tensor: usize,
    first_row: u64,
    n_rows: u64,
    row_bytes: u64,
    bytes: Vec<u8>,
}

impl RunOfRows {
    fn row(&self, row: u64) -> Option<&[u8]> {
        let index = row.checked_sub(self.first_row).filter(|i| *i < self.n_rows)?;
        let start = (index * self.row_bytes) as usize;
        self.bytes.get(start..start + self.row_bytes as usize)
    }
}

/// The planes of a run of row groups.
struct Planes {
    wq: Vec<u32>,
    ws: Vec<u32>,
}

impl Planes {
    fn new(group: &PlaneLayout, n_group: usize) -> Self {
        let words = |bytes: u64| vec![0; n_group * bytes as usize / 4];
        Self { wq: words(group.wq_group_bytes()), ws: words(group.ws_group_bytes()) }
    }

    fn repack(
        &mut self,
        index: usize,
        rows: &Rows<'_>,
        (tensor, first_row): &(usize, u64),
        runs: &[RunOfRows],
        group: &PlaneLayout,
    ) -> Result<(), MatrixError> {
        let eight: [Option<&[u8]>; 8] = std::array::from_fn(|r| {
            let row = first_row + r as u64;
            runs.iter().filter(|run| run.tensor == *tensor).find_map(|run| run.row(row))
        });
        let (wq_words, ws_words) = (group.wq_group_bytes() as usize / 4, group.ws_group_bytes() as usize / 4);
        let wq = &mut self.wq[index * wq_words..(index + 1) * wq_words];
        let ws = &mut self.ws[index * ws_words..(index + 1) * ws_words];
        let ty: GgmlType = rows.tensors[*tensor].ty;
        repack::repack_group(ty, eight, group, wq, ws).map_err(MatrixError::from)
    }
}

/// Why a matrix could not be repacked into a format.
enum MatrixError {
    /// The format cannot hold this tensor's scales exactly.
    Inexact,
    Unsupported,
    Model(ModelError),
}

impl MatrixError {
    fn into_model(self, unsupported: &dyn Fn() -> ModelError) -> ModelError {
        match self {
            Self::Inexact | Self::Unsupported => unsupported(),
            Self::Model(error) => error,
        }
    }
}

impl From<RepackError> for MatrixError {
    fn from(error: RepackError) -> Self {
        match error {
            RepackError::Inexact => Self::Inexact,
            RepackError::UnsupportedType { .. } => Self::Unsupported,
            RepackError::Gguf(error) => Self::Model(error.into()),
        }
    }
}

impl From<ModelError> for MatrixError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<goldcrest_gpu::GpuError> for MatrixError {
    fn from(error: goldcrest_gpu::GpuError) -> Self {
        Self::Model(error.into())
    }
}
