//! The project's own tasks: the shader table, the checks of the source tree, the one test command.

#![forbid(unsafe_code)]

pub mod shaders;
pub mod suite;
pub mod tidy;

use std::path::{Path, PathBuf};

/// The repository's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}
