//! `cargo xtask test`: sets up what is missing, runs every test that this machine can run, and says what it skipped.

mod apt;
mod browser;
mod npm;
mod setup;
mod stage;
mod web;

use crate::machine::succeeds;
use crate::tidy::Tree;
use stage::Stages;
use std::path::Path;
use std::process::Command;

pub use apt::{AptSource, backports_of, sources_of};

/// Runs the whole suite; `full` adds what takes long. True if nothing failed.
pub fn run(root: &Path, full: bool) -> bool {
    let mut stages = Stages::new(root);
    setup::rust_components(&mut stages);
    setup::vulkan(&mut stages);

    stages
        .inside("check", || Tree::read(root).map_err(|e| e.to_string()).and_then(|t| crate::tidy::check(&t)));
    stages.inside("gen --check", || crate::shaders::run(root, true).map_err(|e| e.to_string()));
    stages.cargo("fmt", &["fmt", "--all", "--check"]);
    stages.cargo(
        "clippy",
        &["clippy", "--release", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    );
    cargo_deny(&mut stages);

    let models = setup::models(&mut stages);
    let mut env = vec![("GOLDCREST_REQUIRE_GPU", "1".to_owned())];
    env.extend(models.map(|folder| ("GOLDCREST_MODELS", folder)));
    if full {
        env.push(("GOLDCREST_FULL", "1".to_owned()));
    }
    // xtask by itself: features of the whole workspace would have cargo build it anew while it runs.
    stages.cargo("xtask's tests", &["test", "--release", "--locked", "--package", "xtask"]);
    stages.tests("tests", &["--workspace", "--exclude", "xtask"], &env);
    // First, because it builds the wasm that the package carries.
    browser::run(&mut stages, &env);
    npm::run(&mut stages, &env);
    web::run(&mut stages, &env);
    stages.summary()
}

fn cargo_deny(stages: &mut Stages<'_>) {
    if !succeeds(Command::new("cargo-deny").arg("--version")) {
        stages.skip("licences, sources and advisories: run `cargo install --locked cargo-deny`".into());
        return;
    }
    stages.cargo("deny", &["deny", "check", "bans", "licenses", "sources"]);
    if succeeds(stages.cargo_command().args(["deny", "fetch", "db"])) {
        stages.cargo("advisories", &["deny", "check", "advisories"]);
    } else {
        stages.skip("advisories: their database is out of reach".into());
    }
}
