//! wasm-opt, from the npm package that `xtask/tools/package-lock.json` pins.

use std::path::Path;
use std::process::Command;

/// What the compiler may use by default on wasm32, and vectors. All of it is older than WebGPU in every browser.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// Optimizes a file. It is replaced at once when all is done, so that nobody reads half of it.
pub(super) fn run(root: &Path, wasm: &Path) -> Result<(), String> {
    let tools = root.join("xtask/tools");
    let program = tools.join("node_modules/.bin/wasm-opt");
    if !program.exists() {
        step("npm ci", Command::new("npm").arg("ci").current_dir(&tools))?;
    }
    let smaller = wasm.with_extension("smaller");
    step("wasm-opt", Command::new(program).arg("-O3").args(FEATURES).arg(wasm).arg("-o").arg(&smaller))?;
    std::fs::rename(&smaller, wasm).map_err(|error| format!("{}: {error}", wasm.display()))
}

fn step(name: &str, command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{name}: {error}")),
    }
}
