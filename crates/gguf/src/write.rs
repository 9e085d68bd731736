//! Writes GGUF version 3 files into memory. It does not quantize: tensors arrive as blocks.

use crate::cursor::to_u64;
use crate::limits::{DEFAULT_ALIGNMENT, MAX_ALIGNMENT};
use crate::{Array, GgmlType, Gguf, GgufError, Value};

/// Collects metadata and tensors, and lays them out in the order they were given.
///
/// Nothing is checked until [`finish`](Self::finish), which accepts exactly what the parser accepts.
#[derive(Debug, Clone, Default)]
pub struct GgufWriter {
    metadata: Vec<(String, Value)>,
    tensors: Vec<PendingTensor>,
}

#[derive(Debug, Clone)]
struct PendingTensor {
    name: String,
    dims: Vec<u64>,
    ty: GgmlType,
    data: Data,
}

#[derive(Debug, Clone)]
enum Data {
    Given(Vec<u8>),
    /// This many bytes, which somebody else writes or makes.
    Elsewhere(u64),
}

impl Data {
    fn n_bytes(&self) -> u64 {
        match self {
            Self::Given(bytes) => to_u64(bytes.len()),
            Self::Elsewhere(n_bytes) => *n_bytes,
        }
    }
}

impl GgufWriter {
    /// A file without metadata and tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a metadata pair, or replaces the value of a key that is already there. The key
    /// `general.alignment` also sets the alignment of the data.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        match self.metadata.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.metadata.push((key.into(), value)),
        }
        self
    }

    /// Appends a tensor. `dims` has the contiguous axis first; `data` holds whole blocks of `ty`, row after row.
    pub fn tensor(&mut self, name: &str, dims: &[u64], ty: GgmlType, data: &[u8]) -> &mut Self {
        self.tensors.push(PendingTensor {
            name: name.into(),
            dims: dims.into(),
            ty,
            data: Data::Given(data.into()),
        });
        self
    }

    /// Appends a tensor whose data is not at hand: [`header`](Self::header) leaves room for it, [`finish`](Self::finish)
    /// refuses it.
    pub fn tensor_elsewhere(&mut self, name: &str, dims: &[u64], ty: GgmlType) -> &mut Self {
        let n_elements = dims.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim));
        // What has no size is left for the parser to refuse.
        let n_bytes = n_elements.and_then(|n| ty.size_of(n)).unwrap_or(0);
        self.tensors.push(PendingTensor {
            name: name.into(),
            dims: dims.into(),
            ty,
            data: Data::Elsewhere(n_bytes),
        });
        self
    }

    /// Appends an F32 tensor.
    pub fn tensor_f32(&mut self, name: &str, dims: &[u64], data: &[f32]) -> &mut Self {
        let bytes: Vec<u8> = data.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(name, dims, GgmlType::F32, &bytes)
    }

    /// The file. It is parsed before it is handed out.
    ///
    /// # Errors
    /// Every reason for which the parser would refuse the file, and [`GgufError::BlockSizeMismatch`] for a tensor
    /// whose data has another size than its dimensions say.
    pub fn finish(&self) -> Result<Vec<u8>, GgufError> {
        let mut bytes = self.header();
        let alignment = self.alignment();
        for tensor in &self.tensors {
            if let Data::Given(data) = &tensor.data {
                bytes.extend_from_slice(data);
            }
            pad(&mut bytes, alignment);
        }
        let gguf = Gguf::parse(&bytes)?;
        for (info, tensor) in gguf.tensors.iter().zip(&self.tensors) {
            let (ty, n_bytes, n_elements) = (info.ty, tensor.data.n_bytes(), info.n_elements());
            if info.n_bytes != n_bytes {
                return Err(GgufError::BlockSizeMismatch { ty, n_bytes, n_elements });
            }
        }
        Ok(bytes)
    }

    /// Everything before the data of the tensors, which follow it in the order they were given, each padded to the alignment.
    /// Nothing is checked.
    pub fn header(&self) -> Vec<u8> {
        let alignment = self.alignment();
        let mut out = Vec::new();
        out.extend_from_slice(b"GGUF");
        put_u32(&mut out, 3);
        put_len(&mut out, self.tensors.len());
        put_len(&mut out, self.metadata.len());
        for (key, value) in &self.metadata {
            put_bytes(&mut out, key.as_bytes());
            put_u32(&mut out, value.value_type().id());
            put_value(&mut out, value);
        }
        let mut offset = 0u64;
        for tensor in &self.tensors {
            put_bytes(&mut out, tensor.name.as_bytes());
            put_u32(&mut out, u32::try_from(tensor.dims.len()).unwrap_or(u32::MAX));
            for dim in &tensor.dims {
                out.extend_from_slice(&dim.to_le_bytes());
            }
            put_u32(&mut out, tensor.ty.id());
            out.extend_from_slice(&offset.to_le_bytes());
            let end = offset.saturating_add(tensor.data.n_bytes());
            offset = end.checked_next_multiple_of(to_u64(alignment)).unwrap_or(u64::MAX);
        }
        pad(&mut out, alignment);
        out
    }

    /// The alignment the metadata asks for; a bad one is left for the parser to refuse.
    fn alignment(&self) -> usize {
        let value = self.metadata.iter().find(|(key, _)| key == "general.alignment");
        let wanted = value.and_then(|(_, value)| value.as_int()).and_then(|int| u64::try_from(int).ok());
        let wanted = wanted.filter(|a| (1..=MAX_ALIGNMENT).contains(a)).unwrap_or(DEFAULT_ALIGNMENT);
        usize::try_from(wanted).unwrap_or(1)
    }
}

fn put_u32(out: &mut Vec<u8>, v: u32) {
    out.extend_from_slice(&v.to_le_bytes());
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&to_u64(len).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn pad(out: &mut Vec<u8>, alignment: usize) {
    out.resize(out.len().next_multiple_of(alignment), 0);
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::U8(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::I8(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::U16(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::I16(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::U32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::I32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::F32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::U64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::I64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::F64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::Bool(v) => out.push(u8::from(*v)),
        Value::Str(text) => put_bytes(out, text.as_bytes()),
        Value::Array(array) => put_array(out, array),
    }
}

fn put_array(out: &mut Vec<u8>, array: &Array) {
    put_u32(out, array.element_type().id());
    put_len(out, array.len());
    match array {
        Array::U8(v) => out.extend_from_slice(v),
        Array::I8(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::U16(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::I16(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::U32(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::I32(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::F32(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::U64(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::I64(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::F64(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::Bool(v) => out.extend(v.iter().map(|&v| u8::from(v))),
        Array::Str(v) => v.iter().for_each(|text| put_bytes(out, text)),
    }
}
