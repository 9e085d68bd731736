//! The npm package: built as it is published, and tested in Node and in headless Chromium.

use super::browser::{TESTS, has_chromium};
use super::stage::Stages;
use crate::machine::succeeds;
use std::process::Command;

/// Needs the wasm for the tests with the real engine; the others run without it. `env` says where the real models are.
pub(super) fn run(stages: &mut Stages<'_>, env: &[(&str, String)]) {
    if !succeeds(Command::new("npm").arg("--version")) {
        stages.skip("the npm package: install Node 20 or newer with npm".into());
        return;
    }
    let folder = stages.root.join("npm");
    if !folder.join("src/wasm/goldcrest_wasm_bg.wasm").exists() {
        stages.skip("the npm package with the real engine: `cargo xtask wasm` makes it".into());
    }
    let steps: [(&str, &[&str]); 3] = [
        ("npm package: install", &["ci", "--ignore-scripts"]),
        ("npm package: build", &["run", "build"]),
        ("npm package: tests", &["test"]),
    ];
    for (name, args) in steps {
        if !stages.command(name, Command::new("npm").args(args).current_dir(&folder)) {
            return;
        }
    }
    if !has_chromium() || !stages.root.join(TESTS).join("node_modules/playwright-core").exists() {
        stages.skip("the npm package in a browser: install Chromium".into());
        return;
    }
    let mut tests = Command::new("npm");
    tests
        .args(["run", "test:browser"])
        .current_dir(&folder)
        .envs(env.iter().map(|(key, value)| (key, value)));
    stages.command("npm package in Chromium", &mut tests);
}
