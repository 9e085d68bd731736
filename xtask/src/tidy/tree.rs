//! The source tree in memory, so that a rule can be tried on a tree that breaks it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Folders that hold no source of ours.
const SKIPPED: &[&str] = &[".git", "target", "node_modules", "golden", "corpus", "artifacts", "dist"];
/// What `cargo xtask wasm` writes: other people's words.
const GENERATED: &str = "npm/src/wasm";
const EXTENSIONS: &[&str] =
    &["rs", "wgsl", "toml", "md", "sh", "ts", "js", "mjs", "html", "css", "yml", "yaml", "txt"];

/// Text files by their path from the root, with `/` between folders.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Where the tree lies on disk, if it does.
    pub root: Option<PathBuf>,
    files: BTreeMap<String, String>,
}

/// A member crate.
pub(super) struct Member {
    /// The path of its manifest.
    pub(super) path: String,
    /// Its manifest.
    pub(super) manifest: Table,
}

impl Tree {
    /// Reads all text files below `root`.
    ///
    /// # Errors
    /// If a folder or a text file cannot be read.
    pub fn read(root: &Path) -> std::io::Result<Self> {
        let mut tree = Self { root: Some(root.to_owned()), files: BTreeMap::new() };
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                if path.is_dir() {
                    if !SKIPPED.contains(&name.as_str()) && !path.ends_with(GENERATED) {
                        folders.push(path);
                    }
                } else if is_text(&path) {
                    let key = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                    tree.files.insert(key, std::fs::read_to_string(&path)?);
                }
            }
        }
        Ok(tree)
    }

    /// A tree that is not on disk.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned()));
        Self { root: None, files: files.collect() }
    }

    /// The text of one file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// All files.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Files below a folder with an extension.
    pub(super) fn below<'a>(
        &'a self,
        folder: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| path.starts_with(folder) && path.ends_with(extension))
    }

    /// Rust files in the `src` folder of a crate: what users run.
    pub(super) fn shipped(&self) -> impl Iterator<Item = (&str, &str)> {
        let ships = |path: &str| {
            let mut parts = path.split('/').skip(2);
            parts.next() == Some("src") && !parts.any(|part| matches!(part, "tests" | "tests.rs"))
        };
        self.below("crates/", ".rs").filter(move |(path, _)| ships(path))
    }

    /// All manifests of packages.
    pub(super) fn members(&self) -> Vec<Member> {
        let member = |(path, text): (&str, &str)| {
            let manifest: Table = toml::from_str(text).ok()?;
            manifest.get("package")?;
            Some(Member { path: path.to_owned(), manifest })
        };
        self.files()
            .filter(|(path, _)| path.ends_with("/Cargo.toml") && !path.starts_with("fuzz/"))
            .filter_map(member)
            .collect()
    }
}

impl Member {
    /// Names and values of its dependencies of one kind, those for some targets included.
    pub(super) fn dependencies(&self, kind: &str) -> Vec<(String, Value)> {
        let mut tables: Vec<&Value> = self.manifest.get(kind).into_iter().collect();
        if let Some(targets) = self.manifest.get("target").and_then(Value::as_table) {
            tables.extend(targets.values().filter_map(|t| t.get(kind)));
        }
        tables
            .into_iter()
            .filter_map(Value::as_table)
            .flat_map(|t| t.iter().map(|(name, value)| (name.clone(), value.clone())))
            .collect()
    }

    /// The folder's name: `crates/gguf/Cargo.toml` is `gguf`.
    pub(super) fn folder(&self) -> &str {
        self.path.trim_end_matches("/Cargo.toml").rsplit('/').next().unwrap_or_default()
    }
}

/// The lines of a file that ship, with their 1-based numbers: neither comments nor the test module at its end.
pub(super) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let shipped = text.lines().take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"));
    (1..).zip(shipped.map(|line| line.split("//").next().unwrap_or_default()))
}

fn is_text(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().into_owned());
    let in_ci = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == ".ci");
    in_ci || extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}
