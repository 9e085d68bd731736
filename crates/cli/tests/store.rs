//! The store as a process: kills, Ctrl-C, two at once, exit codes, streams.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

#[path = "../src/store/tests/server.rs"]
#[allow(dead_code, reason = "the store's own tests use more of it")]
mod server;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use server::{Reply, Server, file};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const LEN: usize = 6_000_000;

fn goldcrest(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldcrest"));
    command.args(args).env("GOLDCREST_HOME", home).env("HF_ENDPOINT", "http://127.0.0.1:1");
    command.env("GOLDCREST_PYTHON", "no-such-python-here").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(home: &Path, args: &[&str]) -> (i32, String, String) {
    finish(goldcrest(home, args).spawn().unwrap())
}

fn finish(child: Child) -> (i32, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(!err.contains("panicked"), "{err}");
    (status.code().unwrap_or(-1), out, err)
}

/// A model that takes about a second to send, and its sum.
fn slow_server() -> (Server, String, String) {
    let mut bytes: Vec<u8> = (0..LEN as u64).map(|i| (i * i / 7) as u8).collect();
    bytes[..4].copy_from_slice(b"GGUF");
    let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let pace = Duration::from_millis(10);
    let server = Server::start(move |request| Reply { pace, ..file(request, &bytes, "\"v1\"") });
    let url = server.address("m.gguf");
    (server, url, sum)
}

fn part_len(home: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(home.join("models")) else { return 0 };
    let part =
        entries.map(Result::unwrap).find(|entry| entry.path().extension().is_some_and(|e| e == "part"));
    part.map_or(0, |part| part.metadata().unwrap().len())
}

fn wait_for(home: &Path, len: u64) {
    let start = Instant::now();
    while part_len(home) < len {
        assert!(start.elapsed() < Duration::from_secs(20), "the download does not move");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_killed_download_goes_on_where_it_was() {
    let home = TempDir::new().unwrap();
    let (server, url, sum) = slow_server();
    for kills in 1..=2 {
        let mut child = goldcrest(home.path(), &["pull", &url, "--sha256", &sum]).spawn().unwrap();
        wait_for(home.path(), kills * 1_500_000);
        child.kill().unwrap();
        child.wait().unwrap();
        let (code, out, _) = run(home.path(), &["list", "--json"]);
        assert_eq!(code, 0);
        let list: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(list["models"].as_array().unwrap().len(), 0, "a part is no model");
        assert_eq!(list["unfinished"][0]["size"], part_len(home.path()));
    }
    let kept = part_len(home.path());
    std::thread::sleep(Duration::from_millis(300));
    server.take_served();
    let (code, out, err) = run(home.path(), &["pull", &url, "--sha256", &sum, "--json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["sha256"], sum);
    assert_eq!(server.take_served(), LEN as u64 - kept);
}

#[test]
fn ctrl_c_ends_with_130_and_says_what_is_kept() {
    let home = TempDir::new().unwrap();
    let (_server, url, sum) = slow_server();
    let child = goldcrest(home.path(), &["pull", &url, "--sha256", &sum]).spawn().unwrap();
    wait_for(home.path(), 1_000_000);
    signal(&child, "-INT");
    signal(&child, "-INT");
    let start = Instant::now();
    let (code, out, err) = finish(child);
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!((code, out.as_str()), (130, ""));
    assert!(err.contains("error[E_INTERRUPTED]: interrupted; ") && err.contains("are kept\nhelp: "), "{err}");
}

#[test]
fn two_processes_fetch_once() {
    let home = TempDir::new().unwrap();
    let (server, url, sum) = slow_server();
    let args = ["pull", &url, "--sha256", &sum, "--json"];
    let first = goldcrest(home.path(), &args).spawn().unwrap();
    wait_for(home.path(), 100_000);
    let second = goldcrest(home.path(), &args).spawn().unwrap();
    let (first, second) = (finish(first), finish(second));
    assert_eq!((first.0, second.0), (0, 0), "{} {}", first.2, second.2);
    assert!(first.1.contains("\"fetched\": true") && second.1.contains("\"fetched\": false"));
    assert!(second.2.contains("waiting"), "{}", second.2);
    assert_eq!(server.take_served(), LEN as u64);
}

#[test]
fn failures_have_a_code_a_help_line_and_an_exit_code() {
    let home = TempDir::new().unwrap();
    for (args, exit, code) in [
        (&["frobnicate"][..], 2, "E_USAGE"),
        (&[], 2, "E_USAGE"),
        (&["pull"], 2, "E_USAGE"),
        (&["pull", "smolm2-135m"], 2, "E_STORE_UNKNOWN_MODEL"),
        (&["pull", "/"], 2, "E_STORE_IS_DIRECTORY"),
        (&["pull", "http://127.0.0.1:1/m.gguf"], 1, "E_STORE_UNREACHABLE"),
        (&["pull", "smollm2-135m"], 1, "E_STORE_NO_SOURCE"),
        (&["rm", "smollm2-135m"], 2, "E_STORE_NOT_STORED"),
    ] {
        let (got, out, err) = run(home.path(), args);
        assert_eq!((got, out.as_str()), (exit, ""), "{args:?}: {err}");
        let lines: Vec<&str> = err.lines().collect();
        let [.., what, help] = lines.as_slice() else { panic!("{err}") };
        assert!(
            what.starts_with(&format!("error[{code}]: ")) && help.starts_with("help: "),
            "{args:?}: {err}"
        );
    }
    assert_eq!(run(home.path(), &["--version"]).0, 0);
    assert!(run(home.path(), &["pull", "--help"]).1.contains("Usage"));
    let (code, out, err) = run(Path::new("/dev/null/x"), &["pull", "smollm2-135m"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("error[E_STORE_IO]"), "{err}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = TempDir::new().unwrap();
    let mut child = goldcrest(home.path(), &["list", "--json"]).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, err) = finish(child);
    assert_eq!((code, err.as_str()), (0, ""));
}
