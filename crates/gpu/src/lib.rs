//! The only crate that names wgpu: devices, buffers, plans, read-back and loss.
