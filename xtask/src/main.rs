//! `cargo xtask TASK`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask gen [--check]    write crates/kernels/src/generated.rs from shaders/, or fail if it is stale";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = xtask::root();
    let done = match args.as_slice() {
        ["gen"] => xtask::shaders::run(&root, false).map_err(|e| e.to_string()),
        ["gen", "--check"] => xtask::shaders::run(&root, true).map_err(|e| e.to_string()),
        _ => {
            eprintln!("{USAGE}");
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
