//! The demo page, and what users do with the package: fixtures of bundlers, and the examples.

use super::browser::{TESTS, has_chromium};
use super::stage::Stages;
use crate::machine::succeeds;
use std::process::Command;

/// After the npm package, which all of these take as it was built there. `env` says where the real models are.
pub(super) fn run(stages: &mut Stages<'_>, env: &[(&str, String)]) {
    if !succeeds(Command::new("npm").arg("--version")) {
        stages.skip("the demo page, the fixtures and the examples: install Node 20 or newer with npm".into());
        return;
    }
    let root = stages.root;
    let folder = root.join("web");
    for (name, args) in
        [("demo page: install", ["ci", "--ignore-scripts"]), ("demo page: build", ["run", "build"])]
    {
        if !stages.command(name, Command::new("npm").args(args).current_dir(&folder)) {
            return;
        }
    }
    if !has_chromium() || !root.join(TESTS).join("node_modules/playwright-core").exists() {
        stages.skip("the demo page, the fixtures and the examples in a browser: install Chromium".into());
        return;
    }
    let models = || env.iter().map(|(key, value)| (key, value));
    stages.command(
        "demo page in Chromium",
        Command::new("npm").arg("test").current_dir(&folder).envs(models()),
    );
    if env.iter().any(|(key, _)| *key == "GOLDCREST_MODELS") {
        // Not over those of the README, which change with every driver.
        let mut pictures = Command::new("node");
        pictures.args(["tests/screenshots.mjs", "../target/screenshots"]);
        stages.command("pictures of the demo page", pictures.current_dir(&folder).envs(models()));
    }
    if !root.join("npm/dist/wasm/goldcrest_wasm_bg.wasm").exists() {
        stages.skip("the fixtures and the examples: `cargo xtask wasm` makes the engine in them".into());
        return;
    }
    stages
        .command("fixtures in Chromium", Command::new("node").arg("npm/fixtures/run.mjs").current_dir(root));
    stages.command("examples", Command::new("node").arg("examples/check.mjs").current_dir(root));
}
