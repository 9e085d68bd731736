//! Writes `crates/kernels/src/generated.rs`.

use super::reflect::Reflection;
use super::table::Variant;
use std::fmt::Write;

/// One shader, ready to be written.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The kernel it is a variant of.
    pub kernel: String,
    /// Its name and axes.
    pub variant: Variant,
    /// What naga says of it.
    pub reflection: Reflection,
    /// Its text.
    pub wgsl: String,
}

/// These shaders as a JSON list of `{name, needs, wgsl}`.
pub(super) fn json(entries: &[Entry]) -> String {
    let one = |entry: &Entry| {
        let needs: Vec<_> = entry.reflection.needs.iter().map(|need| need.web_name()).collect();
        serde_json::json!({ "name": entry.variant.name, "needs": needs, "wgsl": entry.wgsl })
    };
    entries.iter().map(one).collect::<serde_json::Value>().to_string()
}

/// The Rust module for these shaders, which are in ascending order of their names.
pub(super) fn module(entries: &[Entry]) -> String {
    let mut out = String::from(
        "//! Written by `cargo xtask gen` from `shaders/`; do not edit.\n\n\
         #![allow(clippy::approx_constant, clippy::excessive_precision, reason = \"the numbers are the shaders'\")]\n\n",
    );
    if entries.is_empty() {
        out += "use crate::shader::Shader;\n\n/// Every validated variant.\npub static SHADERS: &[Shader] = &[];\n";
        return out;
    }
    let used = |name: &'static str, any: fn(&Reflection) -> bool| {
        entries.iter().any(|e| any(&e.reflection)).then_some(name)
    };
    let names = [
        used("Binding", |r| !r.bindings.is_empty()),
        used("BindingKind", |r| !r.bindings.is_empty()),
        used("Feature", |r| !r.needs.is_empty()),
        used("Override", |r| !r.overrides.is_empty()),
        Some("Shader"),
        used("UniformField", |r| !r.uniform.is_empty()),
    ];
    let names: Vec<_> = names.into_iter().flatten().collect();
    let _ = match names.as_slice() {
        [one] => write!(out, "use crate::shader::{one};\n\n"),
        many => write!(out, "use crate::shader::{{{}}};\n\n", many.join(", ")),
    };
    out += "/// Every validated variant, in ascending order of its name.\n#[rustfmt::skip]\npub static SHADERS: &[Shader] = &[\n";
    for entry in entries {
        shader(&mut out, entry);
    }
    out += "];\n\n/// The index of every variant.\n#[rustfmt::skip]\npub mod id {\n    use crate::shader::ShaderId;\n\n";
    for (i, entry) in entries.iter().enumerate() {
        let axes = if entry.variant.axes.is_empty() {
            String::new()
        } else {
            format!(" with {}", entry.variant.axes.replace('"', ""))
        };
        let name = constant(&entry.variant.name);
        let _ = writeln!(out, "    /// `{}`{axes}.", entry.kernel);
        let _ = writeln!(out, "    pub const {name}: ShaderId = ShaderId({i});");
    }
    out += "}\n";
    out
}

fn shader(out: &mut String, entry: &Entry) {
    let r = &entry.reflection;
    let bindings = list(r.bindings.iter().map(|b| {
        format!(
            "Binding {{ index: {}, name: {:?}, kind: BindingKind::{}, min_size: {} }}",
            b.index, b.name, b.kind, b.min_size
        )
    }));
    let overrides =
        list(r.overrides.iter().map(|(name, d)| format!("Override {{ name: {name:?}, default: {d:?} }}")));
    let needs = r.needs.iter().map(|n| format!("Feature::{n:?}")).collect::<Vec<_>>().join(", ");
    let uniform =
        list(r.uniform.iter().map(|f| {
            format!("UniformField {{ name: {:?}, offset: {}, size: {} }}", f.name, f.offset, f.size)
        }));
    let _ = write!(
        out,
        "    Shader {{\n        name: {:?},\n        kernel: {:?},\n        workgroup_size: {:?},\n        \
         bindings: {bindings},\n        overrides: {overrides},\n        needs: &[{needs}],\n        \
         workgroup_bytes: {},\n        uniform: {uniform},\n        wgsl: r\"{}\",\n    }},\n",
        entry.variant.name, entry.kernel, r.workgroup_size, r.workgroup_bytes, entry.wgsl
    );
}

fn list(items: impl Iterator<Item = String>) -> String {
    let lines: String = items.map(|item| format!("            {item},\n")).collect();
    if lines.is_empty() { "&[]".into() } else { format!("&[\n{lines}        ]") }
}

/// A Rust constant's name; a kernel's may begin with a digit only after its kernel's name, so this is always one.
fn constant(name: &str) -> String {
    name.to_uppercase()
}
