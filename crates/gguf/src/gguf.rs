use std::ops::Range;

use crate::{GgufError, Metadata, Parser, Progress, TensorInfo, Tensors};

/// Checked description of one GGUF file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Gguf {
    /// Format version: 2 or 3.
    pub version: u32,
    /// Alignment of tensor data in bytes: a power of two from 8 to 65,536.
    pub alignment: u64,
    /// File offset of the data section; tensor offsets count from here. A multiple of `alignment`.
    /// It can pass the end of a file that has no tensors.
    pub data_offset: u64,
    /// The key-value pairs.
    pub metadata: Metadata,
    /// The tensor descriptions.
    pub tensors: Tensors,
}

impl Gguf {
    /// Parses a file that is wholly in memory; nothing of its tensor data is read or copied.
    ///
    /// # Errors
    /// Every reason for which a file can be refused; see [`GgufError`].
    pub fn parse(file: &[u8]) -> Result<Self, GgufError> {
        let file_len = crate::cursor::to_u64(file.len());
        match Parser::new(file_len).parse(file)? {
            Progress::Done(gguf) => Ok(gguf),
            // Not reached: more than the whole file is a `Truncated` error in the parser.
            Progress::Need(needed) => {
                Err(GgufError::Truncated { what: "header", offset: file_len, needed, file_len })
            }
        }
    }

    /// Byte range of a tensor's data in the file; inside the file for every tensor of [`tensors`](Self::tensors).
    pub fn tensor_range(&self, tensor: &TensorInfo) -> Range<u64> {
        let start = self.data_offset.saturating_add(tensor.offset);
        start..start.saturating_add(tensor.n_bytes)
    }
}
