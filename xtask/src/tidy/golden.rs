//! Reference data, which every clone of the repository carries.

use super::Tree;
use std::path::Path;

/// 12 MB: what a clone over a slow line bears.
const MAX_BYTES: u64 = 12_000_000;

/// The golden data stay small.
pub fn small(tree: &Tree) -> Vec<String> {
    let Some(root) = &tree.root else { return Vec::new() };
    let bytes = size(&root.join("tests/golden"));
    if bytes <= MAX_BYTES {
        return Vec::new();
    }
    vec![format!("tests/golden holds {bytes} bytes, more than {MAX_BYTES}")]
}

fn size(path: &Path) -> u64 {
    let Ok(folder) = std::fs::read_dir(path) else { return path.metadata().map_or(0, |m| m.len()) };
    folder.flatten().map(|entry| size(&entry.path())).sum()
}
