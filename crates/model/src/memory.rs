//! How much memory the weights of a model file will take, before a byte of them is loaded.

use goldcrest_gguf::{Gguf, TensorInfo};

use crate::{Config, ModelError, repack};

/// Bytes on the device of all weights after repacking.
///
/// # Errors
/// [`ModelError::UnsupportedType`] if a weight cannot be loaded.
pub fn weight_bytes(gguf: &Gguf) -> Result<u64, ModelError> {
    gguf.tensors.iter().map(tensor_bytes).sum()
}

/// Bytes of the weights that one token reads on its way through the model: not the embedding table where the head is
/// another matrix, and of the experts the chosen ones.
///
/// # Errors
/// [`ModelError::UnsupportedType`] if a weight cannot be loaded.
pub fn active_weight_bytes(gguf: &Gguf, cfg: &Config) -> Result<u64, ModelError> {
    let has_head = gguf.tensors.get("output.weight").is_some();
    let read = gguf.tensors.iter().filter(|tensor| !has_head || &*tensor.name != "token_embd.weight");
    read.map(|tensor| match (tensor.n_dims, u64::from(cfg.n_expert)) {
        (3, n_expert @ 1..) => Ok(tensor_bytes(tensor)? / n_expert * u64::from(cfg.n_expert_used)),
        _ => tensor_bytes(tensor),
    })
    .sum()
}

/// Bytes of keys and values that one token reads which sees `n_seen` entries, itself included.
#[must_use]
pub fn kv_bytes_read(cfg: &Config, n_seen: u32) -> u64 {
    let seen = |il| match cfg.sliding_window {
        Some(window) if cfg.arch.slides(il) => n_seen.min(window),
        _ => n_seen,
    };
    (0..cfg.n_layer).map(|il| u64::from(seen(il)) * cfg.kv_bytes_per_cell()).sum()
}

fn tensor_bytes(tensor: &TensorInfo) -> Result<u64, ModelError> {
    if tensor.n_dims == 1 {
        return Ok(goldcrest_gpu::buffer_bytes(tensor.n_elements() * 4));
    }
    let unsupported = || ModelError::UnsupportedType { tensor: tensor.name.to_string(), ty: tensor.ty };
    let format = repack::target(tensor.ty).ok_or_else(unsupported)?.format;
    let (Ok(rows), Ok(k)) = (u32::try_from(tensor.n_rows()), u32::try_from(tensor.ne0())) else {
        return Err(unsupported());
    };
    let layout = format.planes(rows, k);
    Ok(goldcrest_gpu::buffer_bytes(layout.wq_bytes()) + goldcrest_gpu::buffer_bytes(layout.ws_bytes()))
}
