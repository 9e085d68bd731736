//! One kernel is one WGSL file, one row of `kernels.toml`, one CPU twin and one row of test shapes.

use super::Tree;
use crate::shaders::{TABLE, table};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Where the rows of test shapes are.
const SHAPES: &str = "tests/kernels.toml";
const TWINS: &str = "crates/kernels/src/cpu";

/// Every kernel has all its parts, and no part lies about without a kernel.
pub fn complete(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.get(TABLE) else { return vec![format!("{TABLE} is missing")] };
    let kernels = match table::parse(text) {
        Ok(kernels) => kernels,
        Err(error) => return vec![error.to_string()],
    };
    let tested = tree.get(SHAPES).map(tested_kernels);
    let mut out = Vec::new();
    for kernel in &kernels {
        let name = &kernel.name;
        let file = format!("shaders/{}", kernel.file());
        if tree.get(&file).is_none() {
            out.push(format!("{name}: {file} is missing"));
        }
        let twin = format!("{TWINS}/{}.rs", kernel.twin());
        if tree.get(&twin).is_none() {
            out.push(format!("{name}: its CPU twin {twin} is missing"));
        }
        if tested.as_ref().is_some_and(|tested| !tested.contains(name)) {
            out.push(format!("{name}: {SHAPES} has no row for it"));
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

/// The kernels that the table of shapes names: as a table, or as the `kernel` or `name` of an entry of a list.
fn tested_kernels(text: &str) -> BTreeSet<String> {
    let table: Table = toml::from_str(text).unwrap_or_default();
    let mut out: BTreeSet<String> = table.keys().cloned().collect();
    for row in table.values().filter_map(Value::as_array).flatten() {
        let named = row.get("kernel").or_else(|| row.get("name"));
        out.extend(named.and_then(Value::as_str).map(str::to_owned));
    }
    out
}
