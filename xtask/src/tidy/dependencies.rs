//! Other people's code: how much of it, and why.

use super::Tree;
use std::collections::BTreeSet;
use std::process::Command;
use toml::{Table, Value};

/// Direct dependencies of a leaf crate, `thiserror` not counted: it is gone after compilation.
const MAX_LEAF: usize = 3;
/// Leaf crates; a larger number wants its reason beside it.
const LEAVES: &[(&str, usize)] = &[
    ("gguf", MAX_LEAF),
    ("kernels", MAX_LEAF),
    ("sample", MAX_LEAF),
    ("score", MAX_LEAF),
    ("tokenizer", MAX_LEAF),
    ("prompt", 4), // two projects, minijinja and serde, each of which publishes two crates
];
/// Packages that the command is built from on one platform.
const MAX_TREE: usize = 200;
const REASONS: &str = "docs/dependencies.md";

/// Leaf crates have few direct dependencies.
pub fn budgets(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for member in tree.members() {
        let Some((_, limit)) = LEAVES.iter().find(|(folder, _)| *folder == member.folder()) else {
            continue;
        };
        let n = member.dependencies("dependencies").iter().filter(|(name, _)| name != "thiserror").count();
        if n > *limit {
            out.push(format!("{}: {n} direct dependencies exceed {limit}", member.path));
        }
    }
    out
}

/// Every foreign dependency has a written reason, and every reason a dependency.
pub fn explained(tree: &Tree) -> Vec<String> {
    let manifest: Table = tree.get("Cargo.toml").and_then(|t| toml::from_str(t).ok()).unwrap_or_default();
    let listed = manifest.get("workspace").and_then(|w| w.get("dependencies")).and_then(Value::as_table);
    let used: BTreeSet<&str> = listed
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let written: BTreeSet<&str> = tree
        .get(REASONS)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let silent = used.difference(&written).map(|name| format!("{name} has no line in {REASONS}"));
    let idle = written.difference(&used).map(|name| format!("{REASONS} explains {name}, which nothing uses"));
    silent.chain(idle).collect()
}

/// The command is built from a bounded number of packages.
pub fn native_tree(tree: &Tree) -> Vec<String> {
    let Some(root) = &tree.root else { return Vec::new() };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let listed = Command::new(cargo)
        .args([
            "tree",
            "--package",
            "goldcrest-cli",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(root)
        .output();
    let listed = match listed {
        Ok(output) if output.status.success() => output.stdout,
        Ok(output) => return vec![format!("cargo tree fails: {}", String::from_utf8_lossy(&output.stderr))],
        Err(error) => return vec![format!("cargo tree does not start: {error}")],
    };
    too_many(&String::from_utf8_lossy(&listed), MAX_TREE)
}

fn too_many(listed: &str, limit: usize) -> Vec<String> {
    let packages: BTreeSet<&str> =
        listed.lines().map(|line| line.trim_end_matches(" (*)").trim()).filter(|l| !l.is_empty()).collect();
    if packages.len() <= limit {
        return Vec::new();
    }
    vec![format!("the command is built from {} packages, more than {limit}", packages.len())]
}

#[cfg(test)]
mod tests {
    use super::too_many;

    #[test]
    fn packages_count_once() {
        assert_eq!(too_many("a v1\nb v1\n\na v1 (*)\n", 2), Vec::<String>::new());
        assert_eq!(too_many("a v1\nb v1\nb v2\n", 2).len(), 1);
    }
}
