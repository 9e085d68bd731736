//! How much memory a model will take, before a byte of it is loaded.

use goldcrest_gguf::Gguf;

use crate::{Config, ModelError, Scratch, repack};

/// Bytes on the device, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Weights after repacking.
    pub weights: u64,
    /// Keys and values per token.
    pub kv_per_token: u64,
    /// Activations, logits and tables of angles.
    pub scratch: u64,
    /// All of it for a context of `n_ctx` tokens.
    pub total: u64,
    /// The context that `total` counts.
    pub n_ctx: u32,
}

impl MemoryPlan {
    /// The plan for a context of `n_ctx` tokens.
    ///
    /// # Errors
    /// [`ModelError::UnsupportedType`] if a weight cannot be loaded.
    pub fn new(gguf: &Gguf, cfg: &Config, n_ctx: u32) -> Result<Self, ModelError> {
        let mut weights = 0;
        for tensor in gguf.tensors.iter() {
            weights += tensor_bytes(tensor)?;
        }
        let kv_per_token = u64::from(cfg.n_layer) * cfg.kv_bytes_per_cell();
        let tables = if cfg.sliding_window.is_some() { 2 } else { 1 };
        let angles = u64::from(n_ctx) * u64::from(cfg.rope.n_rot) * 4 * tables;
        let scratch = Scratch::bytes(cfg) + angles;
        Ok(Self { weights, kv_per_token, scratch, total: weights + scratch + kv_per_token * u64::from(n_ctx), n_ctx })
    }
}

fn tensor_bytes(tensor: &goldcrest_gguf::TensorInfo) -> Result<u64, ModelError> {
    if tensor.n_dims == 1 {
        return Ok(tensor.n_elements() * 4);
    }
    let unsupported = || ModelError::UnsupportedType { tensor: tensor.name.to_string(), ty: tensor.ty };
    let format = repack::target(tensor.ty).ok_or_else(unsupported)?.format;
    let (Ok(rows), Ok(k)) = (u32::try_from(tensor.n_rows()), u32::try_from(tensor.ne0())) else {
        return Err(unsupported());
    };
    let layout = format.planes(rows, k);
    Ok(layout.wq_bytes() + layout.ws_bytes())
}
