//! What shipped Rust may not say.

use super::Tree;
use super::tree::code;

/// At most this many unsafe blocks in all: each is read by every reviewer.
const MAX_UNSAFE: usize = 10;
/// The crates that may hold them.
const MAY_BE_UNSAFE: &[&str] = &["gpu", "wasm"];

/// Only the command and xtask print.
pub fn printing(tree: &Tree) -> Vec<String> {
    let macros = ["println!", "eprintln!", "print!", "eprint!"];
    lines(tree, &["cli", "testkit"], |line| {
        macros.iter().any(|m| line.contains(m)).then(|| "only cli and xtask print".to_owned())
    })
}

/// `forbid(unsafe_code)` in every crate root but those of `gpu` and `wasm`, and few blocks there.
pub fn safety(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for member in tree.members() {
        if MAY_BE_UNSAFE.contains(&member.folder()) {
            continue;
        }
        for root in ["src/lib.rs", "src/main.rs"] {
            let path = member.path.replace("Cargo.toml", root);
            if tree.get(&path).is_some_and(|text| !text.contains("#![forbid(unsafe_code)]")) {
                out.push(format!("{path}: #![forbid(unsafe_code)] is missing"));
            }
        }
    }
    let blocks = unsafe_blocks(tree);
    let stray =
        blocks.iter().filter(|at| !MAY_BE_UNSAFE.iter().any(|c| at.starts_with(&format!("crates/{c}/"))));
    out.extend(stray.map(|at| format!("{at}: unsafe outside {MAY_BE_UNSAFE:?}")));
    if blocks.len() > MAX_UNSAFE {
        out.push(format!("{} unsafe blocks exceed {MAX_UNSAFE}", blocks.len()));
    }
    out
}

/// Where the unsafe blocks, functions and implementations are.
pub fn unsafe_blocks(tree: &Tree) -> Vec<String> {
    let forms = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait", "unsafe("];
    let rust = tree.below("", ".rs").filter(|(path, _)| !path.starts_with("xtask/"));
    rust.flat_map(|(path, text)| {
        (1..)
            .zip(text.lines())
            .filter(|(_, line)| forms.iter().any(|f| line.split("//").next().unwrap_or_default().contains(f)))
            .map(move |(number, _)| format!("{path}:{number}"))
    })
    .collect()
}

/// No library switches the lints off that keep it from panicking on data.
pub fn panics(tree: &Tree) -> Vec<String> {
    let lints = ["clippy::unwrap_used", "clippy::expect_used", "clippy::panic", "clippy::todo"];
    lines(tree, &["testkit"], |line| {
        let switched = line.contains("allow(") || line.contains("expect(clippy");
        let lint = lints.iter().find(|lint| switched && line.contains(*lint));
        lint.map(|lint| format!("{lint} may not be switched off in shipped code"))
    })
}

/// Libraries return their own error enums, which callers can match on.
pub fn errors(tree: &Tree) -> Vec<String> {
    lines(tree, &["cli", "testkit"], |line| {
        let boxed = line.contains("Box<dyn Error") || line.contains("Box<dyn std::error::Error");
        boxed.then(|| "a boxed error hides its cause: use the crate's enum".to_owned())
    })
}

/// WGSL is written in `shaders/` and nowhere else, so that naga has seen all of it.
pub fn shader_text(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for (path, text) in tree.files() {
        let home = path.starts_with("shaders/")
            || path.starts_with("xtask/")
            || path.ends_with(".md")
            || path == crate::shaders::GENERATED;
        if let Some(at) = text.find("@compute").filter(|_| !home) {
            let number = text[..at].matches('\n').count() + 1;
            out.push(format!("{path}:{number}: WGSL outside shaders/"));
        }
    }
    out
}

fn lines(tree: &Tree, exempt: &[&str], wrong: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut out = Vec::new();
    for (path, text) in tree.shipped() {
        if exempt.contains(&path.split('/').nth(1).unwrap_or_default()) {
            continue;
        }
        for (number, line) in code(text) {
            out.extend(wrong(line).map(|complaint| format!("{path}:{number}: {complaint}")));
        }
    }
    out
}
