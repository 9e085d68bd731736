//! A generation that does not end by itself, and signals to it.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::Path;
use std::process::{Child, Command, Output};

use super::process::{goldcrest, tiny};

/// The tiny llama model with a context long enough to be at work for minutes, written to `folder`.
pub(crate) fn model(folder: &Path) -> String {
    const KEY: &[u8] = b"llama.context_length";
    let mut bytes = std::fs::read(tiny("llama").unwrap()).unwrap();
    let key = bytes.windows(KEY.len()).position(|window| window == KEY).unwrap();
    // Behind the key: the type of the value, then the value.
    let value = key + KEY.len() + 4;
    bytes[value..value + 4].copy_from_slice(&100_000u32.to_le_bytes());
    let path = folder.join("endless.gguf");
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Goes on until it is stopped.
pub(crate) fn run(model: &str) -> Command {
    let options = ["--adapter", "cpu", "-c", "100000", "--tokens", "5", "--ignore-eos", "--seed", "1"];
    goldcrest(&[&["run", "-m", model], &options[..]].concat())
}

pub(crate) fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Exit code, stdout, stderr.
pub(crate) fn finish(child: Child) -> (i32, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    // Whoever waited for the first byte may have taken it out of the middle of a character.
    let out = String::from_utf8_lossy(&stdout).into_owned();
    let err = String::from_utf8(stderr).unwrap();
    assert!(!err.contains("panicked"), "{err}");
    (status.code().unwrap_or(-1), out, err)
}
