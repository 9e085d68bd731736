//! The npm package: built as it is published, and tested in Node and in headless Chromium.

use super::stage::Stages;
use crate::machine::succeeds;
use std::path::Path;
use std::process::Command;

/// Needs the wasm for the tests with the real engine; the others run without it.
pub(super) fn run(stages: &mut Stages<'_>) {
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
    if !has_chromium() {
        stages.skip("the npm package in a browser: install Chromium".into());
        return;
    }
    // The demo page's tests bring what drives the browser.
    let web = stages.root.join("web");
    let driven = web.join("node_modules/playwright-core").exists()
        || stages
            .command("npm ci in web/", Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(web));
    if driven {
        let mut tests = Command::new("npm");
        stages.command("npm package in Chromium", tests.args(["run", "test:browser"]).current_dir(&folder));
    }
}

/// Where the harness of the browser tests looks.
fn has_chromium() -> bool {
    std::env::var_os("GOLDCREST_CHROMIUM").is_some() || Path::new("/usr/bin/chromium").exists()
}
