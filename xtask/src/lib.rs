//! The project's own tasks: the shader table, the checks of the source tree, the build for the browser, the one test command,
//! the comparison with other runtimes.

#![forbid(unsafe_code)]

pub mod compare;
mod machine;
pub mod shaders;
pub mod suite;
pub mod tidy;
pub mod wasm;

use std::path::{Path, PathBuf};

/// The repository's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}
