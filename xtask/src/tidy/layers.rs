//! Which crate may name which: ours, and other people's.

use super::Tree;
use toml::Value;

/// For each folder of `crates/`, the crates of ours that it may depend on. The arrows of ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("gguf", &[]),
    ("tokenizer", &[]),
    ("prompt", &[]),
    ("sample", &[]),
    ("score", &[]),
    ("grammar", &["prompt", "sample", "tokenizer"]),
    ("kernels", &[]),
    ("gpu", &["kernels"]),
    ("model", &["gguf", "kernels", "gpu"]),
    ("engine", &["gguf", "tokenizer", "prompt", "sample", "kernels", "gpu", "model"]),
    ("decode", &["tokenizer", "prompt", "sample", "engine"]),
    (
        "goldcrest",
        &[
            "gguf",
            "tokenizer",
            "prompt",
            "sample",
            "grammar",
            "kernels",
            "gpu",
            "model",
            "engine",
            "decode",
            "score",
        ],
    ),
    ("server", &["goldcrest"]),
    ("wasm", &["goldcrest"]),
    ("wasm-grammar", &["grammar", "sample"]),
    ("cli", &["goldcrest", "server"]),
    ("testkit", &["gguf", "tokenizer", "sample", "kernels", "gpu", "model", "engine"]),
];

/// Leaves: what any test may use beside the crates that its own crate depends on.
const TEST_EXTRA: &[&str] = &["gguf", "tokenizer", "prompt", "sample", "kernels", "testkit"];

/// Dependencies that only some folders may have, and the name by which code refers to them.
const OWNED: &[(&[&str], &[&str])] = &[
    (&["wgpu", "wgpu-core", "wgpu-hal", "wgpu-types"], &["gpu"]),
    (&["naga"], &["xtask"]),
    (&["wasm-bindgen", "wasm-bindgen-futures", "js-sys", "web-sys"], &["gpu", "wasm", "wasm-grammar"]),
    (&["tokio", "axum", "hyper", "tower"], &["server", "cli"]),
    (&["anyhow", "eyre"], &[]),
];

/// Arrows point one way, and `testkit` is nobody's dependency.
pub fn arrows(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for member in tree.members() {
        let allowed = ARROWS.iter().find(|(folder, _)| *folder == member.folder()).map(|(_, to)| *to);
        let outside = !member.path.starts_with("crates/");
        if allowed.is_none() && !outside {
            out.push(format!(
                "{}: crate {} has no line in xtask's table of arrows",
                member.path,
                member.folder()
            ));
            continue;
        }
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, _) in member.dependencies(kind) {
                let Some(to) = our_folder(&name) else { continue };
                let ok = match (allowed, kind) {
                    (Some(allowed), "dependencies") => allowed.contains(&to),
                    (Some(allowed), "dev-dependencies") => allowed.contains(&to) || TEST_EXTRA.contains(&to),
                    (None, "dependencies") => to == "goldcrest", // an example sees what a user sees
                    _ => false,
                };
                if !ok {
                    out.push(format!("{}: {} may not be in {kind}", member.path, name));
                }
            }
        }
    }
    out
}

/// Each foreign library with wide reach has one home, by its manifest and by what the code names.
pub fn owners(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for member in tree.members() {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, _) in member.dependencies(kind) {
                let owned = OWNED.iter().find(|(names, _)| names.contains(&name.as_str()));
                if let Some((_, homes)) = owned.filter(|(_, homes)| !homes.contains(&member.folder())) {
                    out.push(format!("{}: {name} belongs only to {homes:?}", member.path));
                }
            }
        }
    }
    for (path, text) in tree.shipped() {
        let folder = path.split('/').nth(1).unwrap_or_default();
        for (number, line) in super::tree::code(text) {
            if folder != "gpu" && line.contains("wgpu::") {
                out.push(format!("{path}:{number}: only gpu names wgpu"));
            }
        }
    }
    out
}

/// Every member takes versions, lints and licence from the workspace, and builds without a script.
pub fn manifests(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for member in tree.members() {
        let path = &member.path;
        let inherits = |value: Option<&Value>| {
            value.and_then(|v| v.get("workspace")).and_then(Value::as_bool).unwrap_or(false)
        };
        if !inherits(member.manifest.get("lints")) {
            out.push(format!("{path}: [lints] workspace = true is missing"));
        }
        for key in ["version", "edition", "rust-version", "license"] {
            if !inherits(member.manifest.get("package").and_then(|p| p.get(key))) {
                out.push(format!("{path}: {key}.workspace = true is missing"));
            }
        }
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in member.dependencies(kind) {
                if !inherits(Some(&value)) {
                    out.push(format!("{path}: {name} does not come from [workspace.dependencies]"));
                }
            }
        }
        if tree.get(&path.replace("Cargo.toml", "build.rs")).is_some() {
            out.push(format!("{path}: has a build script: generate with xtask and commit the result"));
        }
    }
    out
}

fn our_folder(package: &str) -> Option<&str> {
    if package == "goldcrest" { Some(package) } else { package.strip_prefix("goldcrest-") }
}
