//! `cargo xtask wasm`: compiles the engine for browsers and Node, writes its JavaScript, makes it small, and weighs it.

mod compiler;
mod optimize;
mod weigh;

use std::fs;
use std::path::{Path, PathBuf};

use wasm_bindgen_cli_support::Bindgen;

pub use compiler::Compiler;

/// What lets a machine build for wasm32.
pub const NO_COMPILER: &str = "run `rustup target add wasm32-unknown-unknown`";

/// The package and the name of its files.
const PACKAGE: &str = "goldcrest-wasm";
const NAME: &str = "goldcrest_wasm";
/// Where the npm package expects the result.
const OUT: &str = "npm/src/wasm";

/// Builds everything; one line with the size, or what went wrong.
///
/// # Errors
/// The step that failed and why, also when the result is too large.
pub fn run(root: &Path) -> Result<String, String> {
    let compiler = Compiler::find().ok_or_else(|| format!("no compiler for wasm32: {NO_COMPILER}"))?;
    let program = build(&compiler, root)?;
    let out = root.join(OUT);
    bind(&program, &out)?;
    let wasm = out.join(format!("{NAME}_bg.wasm"));
    optimize::run(root, &wasm)?;
    weigh::run(&wasm, &out.join(format!("{NAME}.js")))
}

fn build(compiler: &Compiler, root: &Path) -> Result<PathBuf, String> {
    let mut cargo = compiler.cargo(root, "build");
    cargo.args(["--package", PACKAGE]);
    match cargo.status() {
        Ok(status) if status.success() => Ok(compiler.output(root).join(format!("{NAME}.wasm"))),
        Ok(_) => Err("the build for wasm32 failed".to_owned()),
        Err(error) => Err(format!("{}: {error}", cargo.get_program().to_string_lossy())),
    }
}

/// Without a default place of the wasm file in the JavaScript: the package names it, and bundlers copy it once.
fn bind(program: &Path, out: &Path) -> Result<(), String> {
    let made = |error: std::io::Error| format!("{}: {error}", out.display());
    if out.exists() {
        fs::remove_dir_all(out).map_err(made)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_path(program).out_name(NAME).typescript(true).omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let generated = bindgen.web(true).and_then(|bindgen| bindgen.generate(out));
    generated.map_err(|error| format!("wasm-bindgen: {error:#}"))
}
