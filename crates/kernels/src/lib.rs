//! The WGSL kernels, their CPU twins, and the typed operations over both.
