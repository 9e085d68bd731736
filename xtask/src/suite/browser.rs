//! The wasm: built, run in Node, and in headless Chromium where there is one or it can be installed.

use super::stage::Stages;
use crate::machine::{install, succeeds};
use crate::wasm::{self, Compiler, Vectors};
use std::path::Path;
use std::process::Command;

/// Crates that must compile for the browser, and need nothing from it.
const LEAVES: &[&str] = &["gguf", "tokenizer", "prompt", "sample", "kernels"];

/// What is needed for the browser tests, with the names of the test's files.
pub(super) const TESTS: &str = "tests/browser";

/// `env` says where the real models are.
pub(super) fn run(stages: &mut Stages<'_>, env: &[(&str, String)]) {
    let Some(compiler) = Compiler::find() else {
        stages.skip(format!("everything in wasm: {}", wasm::NO_COMPILER));
        return;
    };
    let mut check = compiler.cargo(stages.root, "check", Vectors::Plain);
    check.args(LEAVES.iter().map(|leaf| format!("--package=goldcrest-{leaf}")));
    stages.command("wasm32 build of the leaf crates", &mut check);
    if !has("npm") && !install(&["nodejs", "npm"]) {
        stages.skip("the wasm and its tests: install Node 20 or newer with npm".into());
        return;
    }
    let root = stages.root;
    if !stages.inside("wasm", || wasm::run(root)) {
        return;
    }
    stages.command("wasm in Node", node(root).args(["node.test.js", "relaxed.test.js"]));
    if !has_chromium() && !install(&["chromium"]) {
        stages.skip("the wasm in a browser: install Chromium".into());
        return;
    }
    if stages.command("npm ci", Command::new("npm").arg("ci").current_dir(root.join(TESTS))) {
        stages.command("wasm in Chromium", node(root).arg("chromium.test.js"));
        let env = env.iter().map(|(key, value)| (key, value));
        stages.command("real models in Chromium", node(root).arg("models.test.js").envs(env));
    }
}

fn node(root: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg("--test").current_dir(root.join(TESTS));
    command
}

fn has(program: &str) -> bool {
    succeeds(Command::new(program).arg("--version"))
}

/// The places where `tests/browser/chromium.js` looks.
pub(super) fn has_chromium() -> bool {
    let named = std::env::var_os("GOLDCREST_CHROMIUM").is_some();
    named || ["/usr/bin/chromium", "/usr/bin/google-chrome"].iter().any(|path| Path::new(path).exists())
}
