//! One kernel is one WGSL file, one entry of `kernels.toml`, one CPU twin, one operation and its tests.

use super::Tree;
use crate::shaders::{TABLE, table};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Rows of test shapes, each with the operation that it runs.
const SHAPES: &str = "tests/kernels.toml";
/// Tests that rows of shapes cannot express name the operation in code.
const TESTS: &str = "crates/testkit/tests/";

/// Every kernel has all its parts, and no part lies about without a kernel.
pub fn complete(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.get(TABLE) else { return vec![format!("{TABLE} is missing")] };
    let kernels = match table::parse(text) {
        Ok(kernels) => kernels,
        Err(error) => return vec![error.to_string()],
    };
    let shapes = tree.get(SHAPES).map(operations);
    let mut out = Vec::new();
    for kernel in &kernels {
        let (name, op) = (&kernel.name, kernel.op());
        for part in [
            format!("shaders/{}", kernel.file()),
            format!("crates/kernels/src/cpu/{}.rs", kernel.twin()),
            format!("crates/kernels/src/ops/{op}.rs"),
        ] {
            if tree.get(&part).is_none() {
                out.push(format!("{name}: {part} is missing"));
            }
        }
        let in_code = || tree.below(TESTS, ".rs").any(|(_, text)| names(text, op));
        if shapes.as_ref().is_some_and(|ops| !ops.iter().any(|row| belongs(row, op))) && !in_code() {
            out.push(format!("{name}: neither {SHAPES} nor {TESTS} runs the operation {op}"));
        }
    }
    let named: BTreeSet<String> = kernels.iter().map(|k| format!("shaders/{}", k.file())).collect();
    for (path, _) in tree.below("shaders/", ".wgsl") {
        let import = path.trim_start_matches("shaders/").trim_end_matches(".wgsl");
        let imported =
            || tree.below("shaders/", ".wgsl").any(|(_, text)| text.contains(&format!("import {import};")));
        if !named.contains(path) && !imported() {
            out.push(format!("{path}: no kernel uses it"));
        }
    }
    out
}

fn operations(text: &str) -> BTreeSet<String> {
    let table: Table = toml::from_str(text).unwrap_or_default();
    let rows = table.get("row").and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(|row| row.get("op")?.as_str().map(str::to_owned)).collect()
}

/// Whether a row of shapes runs an operation: `matmul_vec` and `matmul_many` are both of `matmul`.
fn belongs(row: &str, op: &str) -> bool {
    row.strip_prefix(op).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

fn names(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w == word)
}
