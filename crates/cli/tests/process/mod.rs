//! What the tests of commands share: the process, its output, models and golden files.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The command with nothing fetched from anywhere.
pub(crate) fn goldcrest(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldcrest"));
    command
        .args(args)
        .env("HF_ENDPOINT", "http://127.0.0.1:1")
        .env("GOLDCREST_PYTHON", "no-such-python-here");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Exit code, stdout, stderr.
pub(crate) fn run(args: &[&str], stdin: &str) -> (i32, String, String) {
    let mut child = goldcrest(args).stdin(Stdio::piped()).spawn().unwrap();
    // A command that refuses its options does not read on.
    let _refused = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(!err.contains("panicked"), "{args:?}: {err}");
    (status.code().unwrap_or(-1), out, err)
}

/// What a successful command prints.
pub(crate) fn text(args: &[&str], stdin: &str) -> String {
    let (code, out, err) = run(args, stdin);
    assert_eq!(code, 0, "{args:?}: {err}");
    out
}

/// The one object that a successful command prints with `--json`.
pub(crate) fn json(args: &[&str], stdin: &str) -> Value {
    let out = text(&[args, &["--json"]].concat(), stdin);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert!(value.is_object(), "{args:?}: {out}");
    value
}

/// The command ends with exit code 2, says `code` and what to do on stderr, and nothing on stdout.
pub(crate) fn refused(args: &[&str], stdin: &str, code: &str) {
    let (exit, out, err) = run(args, stdin);
    assert_eq!((exit, out.as_str()), (2, ""), "{args:?}: {err}");
    assert!(err.contains(&format!("error[{code}]: ")) && err.contains("\nhelp: "), "{args:?}: {err}");
}

/// A file of the golden data, as a path to hand to the command.
pub(crate) fn golden(name: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = [root.join("tests/golden"), root.join("../shared/golden")];
    let found = places.iter().map(|place| place.join(name)).find(|path| path.is_file());
    if found.is_none() {
        println!("skip: golden file {name} is not here");
    }
    found.map(|path| path.to_str().unwrap().to_owned())
}

pub(crate) fn golden_json(name: &str) -> Option<Value> {
    golden(name).map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// A tiny model of the golden data.
pub(crate) fn tiny(name: &str) -> Option<String> {
    golden(&format!("tiny/{name}.gguf"))
}

/// A real model, by its names in the store and as published.
pub(crate) fn model(files: &[&str]) -> Option<String> {
    let folders = model_folders();
    let mut paths = folders.iter().flat_map(|folder| files.iter().map(|file| folder.join(file)));
    let found = paths.find(|path| path.is_file());
    if found.is_none() {
        println!("skip: no model file {}; GOLDCREST_MODELS names the folder", files.join(" or "));
    }
    found.map(|path| path.to_str().unwrap().to_owned())
}

pub(crate) const SMOLLM2: &[&str] = &["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"];
pub(crate) const GEMMA3: &[&str] = &["gemma3-270m.gguf", "gemma-3-270m-q4_k_m.gguf"];

fn model_folders() -> Vec<PathBuf> {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    if let Some(folder) = var("GOLDCREST_MODELS") {
        return vec![folder];
    }
    let cache = || var("XDG_CACHE_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    let home = var("GOLDCREST_HOME").or_else(|| cache().map(|cache| cache.join("goldcrest")));
    home.map(|home| home.join("models")).into_iter().collect()
}
