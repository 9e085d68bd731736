//! Written by `cargo xtask gen`; do not edit.

use crate::shader::Shader;

/// Every validated variant.
pub static SHADERS: &[Shader] = &[];
