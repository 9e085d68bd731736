//! A draft head's file: safetensors, with the kind and its settings in the metadata.

use std::collections::BTreeMap;
use std::ops::Range;

use half::{bf16, f16};
use serde_json::{Map, Value};

use super::error::HeadError;
use super::matrix::Matrix;
use super::{KINDS, Kind};

/// Longest header that is read.
const LONGEST_HEADER: usize = 1 << 20;

/// A draft head as its file has it; whether it fits a model is seen when it is used.
#[derive(Clone, Debug)]
pub struct HeadFile {
    kind: Kind,
    settings: BTreeMap<String, String>,
    tensors: BTreeMap<String, Tensor>,
    bytes: Vec<u8>,
}

/// Where a tensor lies.
#[derive(Clone, Debug)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    at: Range<usize>,
}

impl HeadFile {
    /// Reads a safetensors file whose metadata names its `kind`.
    ///
    /// # Errors
    /// [`HeadError::BadFile`], [`HeadError::UnknownKind`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, HeadError> {
        let (header, data) = header(&bytes)?;
        let mut settings = BTreeMap::new();
        let mut tensors = BTreeMap::new();
        for (name, value) in header {
            if name == "__metadata__" {
                let pairs = value.as_object().ok_or(bad("its metadata is no object"))?;
                let texts =
                    pairs.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.into())));
                settings = texts.collect();
                continue;
            }
            tensors.insert(name, tensor(&value, data, bytes.len())?);
        }
        let named = settings.get("kind").map(String::as_str).unwrap_or_default();
        let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == named) else {
            let known: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
            return Err(HeadError::UnknownKind { kind: named.to_owned(), known: known.join(", ") });
        };
        Ok(Self { kind: *kind, settings, tensors, bytes })
    }

    /// The name of its kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name)
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    fn tensor(&self, name: &str) -> Result<&Tensor, HeadError> {
        let missing = || HeadError::MissingTensor { kind: self.name(), tensor: name.to_owned() };
        self.tensors.get(name).ok_or_else(missing)
    }

    fn bytes(&self, tensor: &Tensor) -> &[u8] {
        self.bytes.get(tensor.at.clone()).unwrap_or_default()
    }
}

fn bad(reason: &'static str) -> HeadError {
    HeadError::BadFile { reason }
}

/// The header, and where the data begins.
fn header(bytes: &[u8]) -> Result<(Map<String, Value>, usize), HeadError> {
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or(bad("it is shorter than its header"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > LONGEST_HEADER {
        return Err(bad("its header is longer than a mebibyte"));
    }
    let text = rest.get(..length).ok_or(bad("it is shorter than its header"))?;
    let value: Value = serde_json::from_slice(text).map_err(|_| bad("its header is no JSON"))?;
    match value {
        Value::Object(map) => Ok((map, 8 + length)),
        _ => Err(bad("its header is no JSON object")),
    }
}

fn tensor(value: &Value, data: usize, end: usize) -> Result<Tensor, HeadError> {
    let numbers = |key: &str| -> Option<Vec<usize>> {
        let list = value.get(key)?.as_array()?;
        list.iter().map(|n| usize::try_from(n.as_u64()?).ok()).collect()
    };
    let damaged = bad("a tensor has no dtype, shape or data_offsets");
    let (Some(dtype), Some(shape), Some(offsets)) =
        (value.get("dtype").and_then(Value::as_str), numbers("shape"), numbers("data_offsets"))
    else {
        return Err(damaged);
    };
    let [begin, stop] = *offsets.as_slice() else { return Err(damaged) };
    let size = match dtype {
        "F16" | "BF16" => 2,
        "F32" | "I32" => 4,
        "I64" => 8,
        _ => 0,
    };
    let count = shape.iter().try_fold(size, |n: usize, dim| n.checked_mul(*dim));
    let at = data.checked_add(begin).zip(data.checked_add(stop)).filter(|(a, b)| a <= b && *b <= end);
    let Some((begin, stop)) = at else { return Err(bad("a tensor lies beyond its end")) };
    if size > 0 && count != Some(stop - begin) {
        return Err(bad("a tensor's shape and its bytes do not agree"));
    }
    Ok(Tensor { dtype: dtype.to_owned(), shape, at: begin..stop })
}

/// A file read for one model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'f> {
    pub(crate) file: &'f HeadFile,
    pub(crate) shape: crate::Shape,
}

impl Reader<'_> {
    /// Refuses a file of another kind than `kind`, where `wanted` is needed.
    pub(crate) fn is(&self, kind: Kind, wanted: &'static str) -> Result<(), HeadError> {
        match self.file.kind == kind {
            true => Ok(()),
            false => Err(HeadError::WrongKind { kind: self.file.name(), wanted }),
        }
    }

    /// Width of the model's rows.
    pub(crate) const fn width(&self) -> usize {
        self.shape.n_embd as usize
    }

    /// Whether there is such a tensor.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.file.tensors.contains_key(name)
    }

    /// The first dimension of a tensor.
    pub(crate) fn length(&self, name: &str) -> Result<usize, HeadError> {
        Ok(self.file.tensor(name)?.shape.first().copied().unwrap_or(0))
    }

    /// A matrix of a shape that is known.
    pub(crate) fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix, HeadError> {
        Ok(Matrix::new(self.values(name, &[rows, columns])?, columns))
    }

    /// A vector of a length that is known.
    pub(crate) fn vector(&self, name: &str, n: usize) -> Result<Vec<f32>, HeadError> {
        self.values(name, &[n])
    }

    /// A vector that may be missing: then zeros.
    pub(crate) fn bias(&self, name: &str, n: usize) -> Result<Vec<f32>, HeadError> {
        if self.has(name) { self.vector(name, n) } else { Ok(vec![0.0; n]) }
    }

    /// How many tensors are called `prefix`, a number from 0 on, `suffix`; at least one has to be there.
    pub(crate) fn count(&self, prefix: &str, suffix: &str) -> Result<usize, HeadError> {
        let name = |k: usize| format!("{prefix}{k}{suffix}");
        self.file.tensor(&name(0))?;
        Ok((0..).take_while(|k| self.has(&name(*k))).count())
    }

    /// Tokens of the draft vocabulary: `d2t` holds for each what has to be added to its own number.
    pub(crate) fn draft_tokens(&self) -> Result<Option<Vec<u32>>, HeadError> {
        if !self.has("d2t") {
            return Ok(None);
        }
        let tensor = self.file.tensor("d2t")?;
        let bytes = self.file.bytes(tensor);
        let offsets: Vec<i64> = match tensor.dtype.as_str() {
            "I64" => bytes.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
            "I32" => bytes.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect(),
            _ => return Err(self.wrong_type("d2t", tensor)),
        };
        let token = |(own, offset): (i64, &i64)| {
            let (token, n_vocab) = (own.saturating_add(*offset), self.shape.n_vocab);
            let known = u32::try_from(token).ok().filter(|token| *token < n_vocab);
            known.ok_or(HeadError::UnknownToken { kind: self.file.name(), token, n_vocab })
        };
        (0..).zip(&offsets).map(token).collect::<Result<Vec<u32>, HeadError>>().map(Some)
    }

    /// A number of the metadata.
    pub(crate) fn setting<T: std::str::FromStr>(
        &self,
        key: &'static str,
        default: Option<T>,
        needs: &str,
    ) -> Result<T, HeadError> {
        let text = self.file.settings.get(key);
        let value = match text {
            None => default,
            Some(text) => text.parse().ok(),
        };
        value.ok_or_else(|| self.bad_setting(key, needs))
    }

    /// Layers of the metadata: `count` of them, ascending, each above 0 and within the model.
    pub(crate) fn layers(&self, key: &'static str, count: usize) -> Result<Vec<u32>, HeadError> {
        let text = self.file.settings.get(key).map(String::as_str).unwrap_or_default();
        let layers: Option<Vec<u32>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
        let fits = |layers: &Vec<u32>| {
            layers.len() == count
                && layers.is_sorted()
                && layers.iter().all(|l| (1..self.shape.n_layer).contains(l))
        };
        let needs = format!("{count} ascending layers from 1 to {}", self.shape.n_layer.saturating_sub(1));
        layers.filter(fits).ok_or_else(|| self.bad_setting(key, &needs))
    }

    pub(crate) fn bad_setting(&self, key: &'static str, needs: &str) -> HeadError {
        let value = self.file.settings.get(key).cloned().unwrap_or_default();
        HeadError::BadSetting { kind: self.file.name(), key, value, needs: needs.to_owned() }
    }

    fn wrong_type(&self, name: &str, tensor: &Tensor) -> HeadError {
        let (kind, dtype) = (self.file.name(), tensor.dtype.clone());
        HeadError::WrongType { kind, tensor: name.to_owned(), dtype }
    }

    fn values(&self, name: &str, wanted: &[usize]) -> Result<Vec<f32>, HeadError> {
        let tensor = self.file.tensor(name)?;
        if tensor.shape != wanted {
            return Err(HeadError::WrongShape {
                kind: self.file.name(),
                tensor: name.to_owned(),
                found: tensor.shape.clone(),
                wanted: wanted.to_vec(),
                n_embd: self.shape.n_embd,
                n_vocab: self.shape.n_vocab,
            });
        }
        let bytes = self.file.bytes(tensor);
        Ok(match tensor.dtype.as_str() {
            "F32" => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            "F16" => bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            "BF16" => bytes.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            _ => return Err(self.wrong_type(name, tensor)),
        })
    }
}
