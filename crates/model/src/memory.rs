//! How much memory the weights of a model file will take, before a byte of them is loaded.

use goldcrest_gguf::{Gguf, TensorInfo};

use crate::{ModelError, repack};

/// Bytes on the device of all weights after repacking.
///
/// # Errors
/// [`ModelError::UnsupportedType`] if a weight cannot be loaded.
pub fn weight_bytes(gguf: &Gguf) -> Result<u64, ModelError> {
    gguf.tensors.iter().map(tensor_bytes).sum()
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
