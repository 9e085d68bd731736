//! `cargo xtask wasm`: compiles the engine, plain and with relaxed vectors, and the grammars for browsers and Node, writes their
//! JavaScript, makes them small, and weighs them.

mod compiler;
mod optimize;
mod weigh;

use std::fs;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

pub use compiler::{Compiler, Vectors};

/// What lets a machine build for wasm32.
pub const NO_COMPILER: &str = "run `rustup target add wasm32-unknown-unknown`";

/// A program with its JavaScript.
struct Module {
    package: &'static str,
    vectors: Vectors,
    /// What cargo calls the program.
    program: &'static str,
    /// What its files are called.
    name: &'static str,
    /// Most compressed bytes of program and JavaScript together.
    limit: usize,
    /// Whether wasm-opt makes it smaller. Of the engine it makes 978 KB of gzip where the compiler leaves 937, and the result is
    /// no faster: 29.7 ms of processor time a token both ways, 1.75 s instead of 1.71 a prompt of 128 (Node 20, SmolLM2).
    optimized: bool,
}

/// The engine, of which every visitor downloads one of two, and the grammars, which the first request for an answer in a form does.
const MODULES: &[Module] = &[
    Module {
        package: "goldcrest-wasm",
        vectors: Vectors::Plain,
        program: "goldcrest_wasm",
        name: "goldcrest_wasm",
        limit: 1_000_000,
        optimized: false,
    },
    Module {
        package: "goldcrest-wasm",
        vectors: Vectors::Relaxed,
        program: "goldcrest_wasm",
        name: "goldcrest_relaxed",
        limit: 1_000_000,
        optimized: false,
    },
    Module {
        package: "goldcrest-wasm-grammar",
        vectors: Vectors::Plain,
        program: "goldcrest_wasm_grammar",
        name: "goldcrest_grammar",
        limit: 700_000,
        optimized: true,
    },
];
/// Where the npm package expects the result.
const OUT: &str = "npm/src/wasm";

/// Builds everything; one line a module with its size, or what went wrong.
///
/// # Errors
/// The step that failed and why, also when a result is too large.
pub fn run(root: &Path) -> Result<String, String> {
    let compiler = Compiler::find().ok_or_else(|| format!("no compiler for wasm32: {NO_COMPILER}"))?;
    for vectors in [Vectors::Plain, Vectors::Relaxed] {
        build(&compiler, root, vectors)?;
    }
    let out = root.join(OUT);
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    let mut lines = Vec::new();
    for module in MODULES {
        let built = compiler.output(root, module.vectors);
        bind(&built.join(format!("{}.wasm", module.program)), module.name, &out)?;
        let wasm = out.join(format!("{}_bg.wasm", module.name));
        if module.optimized {
            optimize::run(root, &wasm)?;
        }
        lines.push(weigh::run(&wasm, &out.join(format!("{}.js", module.name)), module.limit));
    }
    let lines: Result<Vec<String>, String> = lines.into_iter().collect();
    lines.map(|lines| lines.join("\n"))
}

fn build(compiler: &Compiler, root: &Path, vectors: Vectors) -> Result<(), String> {
    let mut cargo = compiler.cargo(root, "build", vectors);
    let modules = MODULES.iter().filter(|module| module.vectors == vectors);
    cargo.args(modules.map(|module| format!("--package={}", module.package)));
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("the build for wasm32 failed".to_owned()),
        Err(error) => Err(format!("{}: {error}", cargo.get_program().to_string_lossy())),
    }
}

/// Without a default place of the wasm file in the JavaScript: the package names it, and bundlers copy it once.
fn bind(program: &Path, name: &str, out: &Path) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(program).out_name(name).typescript(true).omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let generated = bindgen.web(true).and_then(|bindgen| bindgen.generate(out));
    generated.map_err(|error| format!("wasm-bindgen: {error:#}"))
}
