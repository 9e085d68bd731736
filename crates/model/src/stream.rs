//! Streams weights from a source to the device: a few MiB at a time, repacked on the way.

use std::ops::Range;

use goldcrest_gguf::{GgmlType, Gguf, TensorInfo, dequantize};
use goldcrest_gpu::{Buffer, Device};
use goldcrest_kernels::{Format, PlaneLayout, ROWS_PER_GROUP};

use crate::allocate::Job;
use crate::repack::{self, RepackError};
use crate::rows::Rows;
use crate::{ModelError, WeightSource};

/// Plane bytes that are assembled before they are written: bounds the staging memory.
const CHUNK_BYTES: u64 = 1 << 20;
/// Plane bytes behind which the device takes what was written before it is given more. It bounds its staging memory, which
/// is resident beside the weights.
const MAX_STAGED: u64 = 2 << 20;

/// The contents of a model's buffers, still in the file.
#[derive(Debug)]
pub struct Weights<'a> {
    gguf: &'a Gguf,
    jobs: Vec<Job<'a>>,
}

impl<'a> Weights<'a> {
    /// In the order of the file, so that a download is used as it comes.
    pub(crate) fn new(gguf: &'a Gguf, mut jobs: Vec<Job<'a>>) -> Self {
        jobs.sort_by_key(|job| {
            let tensor = match job {
                Job::Vector { tensors, .. } => tensors.first().copied(),
                Job::Planes { rows, .. } => rows.tensors.first().copied(),
            };
            tensor.map_or(0, |tensor| gguf.tensor_range(tensor).start)
        });
        Self { gguf, jobs }
    }

    /// Fills every buffer, reporting (done, total) bytes of the file.
    ///
    /// # Errors
    /// [`ModelError::Read`], [`ModelError::Gguf`], [`ModelError::Gpu`]; [`ModelError::Inexact`] names a tensor whose scales
    /// its format cannot hold.
    pub async fn stream<S: WeightSource>(
        self,
        device: &dyn Device,
        source: &mut S,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), ModelError> {
        let total = self.gguf.tensors.iter().map(|t| t.n_bytes).sum();
        let mut reader = Reader { gguf: self.gguf, source, progress, done: 0, total, staged: 0 };
        for job in &self.jobs {
            match job {
                Job::Vector { tensors, to } => {
                    let mut values = Vec::new();
                    for tensor in tensors {
                        values.extend(reader.values(tensor).await?);
                    }
                    device.write(to, 0, bytemuck::cast_slice(&values))?;
                }
                Job::Planes { rows, groups, format, wq, ws } => {
                    reader.planes(device, rows, groups.clone(), *format, (wq, ws)).await?;
                }
            }
        }
        Ok(())
    }
}

/// The values of a vector of the file, decoded to f32.
///
/// # Errors
/// As [`Weights::stream`].
pub(crate) async fn read_values<S: WeightSource>(
    gguf: &Gguf,
    source: &mut S,
    tensor: &TensorInfo,
) -> Result<Vec<f32>, ModelError> {
    Reader { gguf, source, progress: &mut |_, _| {}, done: 0, total: 0, staged: 0 }.values(tensor).await
}

struct Reader<'a, S> {
    gguf: &'a Gguf,
    source: &'a mut S,
    progress: &'a mut dyn FnMut(u64, u64),
    done: u64,
    total: u64,
    staged: u64,
}

impl<S: WeightSource> Reader<'_, S> {
    async fn values(&mut self, tensor: &TensorInfo) -> Result<Vec<f32>, ModelError> {
        let bytes = self.read(tensor, 0, tensor.n_bytes).await?;
        let mut values = vec![0.0; tensor.n_elements() as usize];
        dequantize(tensor.ty, &bytes, &mut values)?;
        Ok(values)
    }

    /// Repacks a range of row groups into the planes of one part.
    async fn planes(
        &mut self,
        device: &dyn Device,
        rows: &Rows<'_>,
        range: Range<usize>,
        format: Format,
        (wq, ws): (&Buffer, &Buffer),
    ) -> Result<(), ModelError> {
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
            device.write(wq, offset * wq_bytes, bytemuck::cast_slice(&planes.wq))?;
            if ws_bytes > 0 {
                device.write(ws, offset * ws_bytes, bytemuck::cast_slice(&planes.ws))?;
            }
            self.staged += groups.len() as u64 * (wq_bytes + ws_bytes);
            if self.staged > MAX_STAGED {
                self.staged = 0;
                device.submit(&[], &[])?.await?;
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
        self.done += size;
        (self.progress)(self.done.min(self.total), self.total);
        Ok(bytes)
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
    ) -> Result<(), ModelError> {
        let eight: [Option<&[u8]>; 8] = std::array::from_fn(|r| {
            let row = first_row + r as u64;
            runs.iter().filter(|run| run.tensor == *tensor).find_map(|run| run.row(row))
        });
        let (wq_words, ws_words) = (group.wq_group_bytes() as usize / 4, group.ws_group_bytes() as usize / 4);
        let wq = &mut self.wq[index * wq_words..(index + 1) * wq_words];
        let ws = &mut self.ws[index * ws_words..(index + 1) * ws_words];
        let ty: GgmlType = rows.tensors[*tensor].ty;
        let named = |index: usize| rows.tensors[index].name.to_string();
        repack::repack_group(ty, eight, group, wq, ws).map_err(|error| match error {
            // Whatever the tensors of a fused matrix are, the first one's name stands for all of it.
            RepackError::Inexact => ModelError::Inexact { tensor: named(0) },
            RepackError::UnsupportedType { .. } => ModelError::UnsupportedType { tensor: named(*tensor), ty },
            RepackError::Gguf(error) => error.into(),
        })
    }
}
