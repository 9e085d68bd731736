//! `cargo xtask TASK`.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use xtask::tidy::Tree;

const USAGE: &str = "\
cargo xtask gen [--check]    write crates/kernels/src/generated.rs from shaders/, or fail if it is stale
cargo xtask gen --json       the shaders as a list of {name, needs, wgsl}, to standard output
cargo xtask check            the rules of the source tree
cargo xtask wasm             the engine for browsers and Node, into npm/src/wasm/
cargo xtask test [--full]    set up what is missing and run everything; --full adds the long conformance run";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = xtask::root();
    let done = match args.as_slice() {
        ["gen"] => xtask::shaders::run(&root, false).map_err(|e| e.to_string()),
        ["gen", "--check"] => xtask::shaders::run(&root, true).map_err(|e| e.to_string()),
        ["gen", "--json"] => xtask::shaders::generate(&root).map(|g| g.json).map_err(|e| e.to_string()),
        ["wasm"] => xtask::wasm::run(&root),
        ["test"] => suite(&root, false),
        ["test", "--full"] => suite(&root, true),
        ["compare", rest @ ..] => xtask::compare::run(&root, rest),
        ["check"] => Tree::read(&root).map_err(|e| e.to_string()).and_then(|tree| xtask::tidy::check(&tree)),
        _ => {
            eprintln!("{USAGE}\n{}", xtask::compare::USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn suite(root: &std::path::Path, full: bool) -> Result<String, String> {
    if xtask::suite::run(root, full) { Ok("all passed".into()) } else { Err("something failed".into()) }
}
