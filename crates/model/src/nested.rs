//! Nested feed-forward widths: in a `MatFormer` (Devvrit et al., arXiv 2310.07707) the first rows of gate and up with the first
//! columns of down are a smaller model of its own.
//!
//! No published family of GGUF files has such a key today; a file says so with `ARCH.matformer.feed_forward_lengths`, an array of
//! widths, ascending, of which the last may be the whole width.

use std::borrow::Cow;

use goldcrest_gguf::{Array, Gguf};

use crate::allocate::Linear;
use crate::{Arch, ModelError};

/// Behind the architecture's name.
const KEY: &str = "matformer.feed_forward_lengths";
/// Inputs of a product come in chunks of so many.
const CHUNK: u64 = 32;

/// The widths that a file names, smallest first; none in most files.
pub(crate) fn widths(gguf: &Gguf, arch: Arch, n_ff: u32, n_expert: u32) -> Result<Vec<u32>, ModelError> {
    let key = format!("{}.{KEY}", arch.name());
    let bad =
        |found: String, allowed: String| ModelError::BadHyperParameter { key: key.clone(), found, allowed };
    let found = match gguf.metadata.get_opt::<&Array>(&key)? {
        None => return Ok(Vec::new()),
        Some(Array::U32(widths)) => widths.clone(),
        Some(Array::I32(widths)) => widths.iter().map(|n| (*n).try_into().unwrap_or(0)).collect(),
        Some(_) => return Err(bad("an array of another type".into(), "whole numbers of 32 bits".into())),
    };
    if n_expert > 0 {
        return Err(bad(format!("{found:?}"), "nothing in a model of experts".into()));
    }
    let ascending = found.iter().zip(found.iter().skip(1)).all(|(a, b)| a < b);
    if found.is_empty() || !ascending || found.iter().any(|n| !(1..=n_ff).contains(n)) {
        return Err(bad(format!("{found:?}"), format!("ascending widths from 1 to {n_ff}")));
    }
    // A slice ends where a block of quants ends, else it could not be cut out of the file either.
    for tensor in gguf.tensors.iter().filter(|tensor| tensor.name.ends_with(".ffn_down.weight")) {
        let whole = tensor.ty.block_len().max(CHUNK);
        if let Some(width) = found.iter().find(|n| !u64::from(**n).is_multiple_of(whole)) {
            let allowed = format!("multiples of {whole}, as {} is {}", tensor.name, tensor.ty.name());
            return Err(bad(width.to_string(), allowed));
        }
    }
    Ok(found)
}

impl Linear {
    /// Its first `n` outputs, or all.
    pub(crate) fn first_rows(&self, n: Option<u32>) -> Cow<'_, Self> {
        let Some(n) = n else { return Cow::Borrowed(self) };
        let within = self.parts.iter().filter(|(col, _)| *col < n);
        let parts = within.map(|(col, matrix)| (*col, matrix.first_rows(n - col))).collect();
        Cow::Owned(Self { parts, bias: self.bias.clone(), n_out: n.min(self.n_out) })
    }

    /// All outputs of its first `k` inputs, or of all.
    pub(crate) fn first_columns(&self, k: Option<u32>) -> Cow<'_, Self> {
        let Some(k) = k else { return Cow::Borrowed(self) };
        let parts = self.parts.iter().map(|(col, matrix)| (*col, matrix.first_columns(k))).collect();
        Cow::Owned(Self { parts, bias: self.bias.clone(), n_out: self.n_out })
    }
}
