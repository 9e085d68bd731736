//! `chat` with its lines from a pipe: turns, commands, forgetting, stopping.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod endless;
mod process;

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use endless::{finish, signal};
use process::{goldcrest, run, tiny};
use tempfile::TempDir;

const OPTIONS: [&str; 6] = ["--adapter", "cpu", "--temp", "0", "-n", "4"];

fn chat(model: &str, more: &[&str], lines: &str) -> (i32, String, String) {
    run(&[&["chat", "-m", model], &OPTIONS[..], more].concat(), lines)
}

#[test]
fn turns_are_answered_and_only_new_tokens_run() {
    let model = tiny("qwen3").unwrap();
    let (code, out, err) = chat(&model, &[], "hello\n/stats\nmore\n/stats\n/exit\nnever\n");
    assert_eq!(code, 0, "{err}");
    assert!(!out.is_empty());
    let counts: Vec<usize> = err
        .lines()
        .filter_map(|line| line.split_once(" prompt token").and_then(|(n, _)| n.parse().ok()))
        .collect();
    let [first, second] = counts.as_slice() else { panic!("{err}") };
    let used: Vec<usize> =
        err.lines().filter_map(|line| line.split_once(" of ").and_then(|(n, _)| n.parse().ok())).collect();
    // All that is in the cache after the second turn, less what ran for it and its answer, was there before.
    assert!(used[1] > *second + 4 && *second < first + used[0], "{err}");
}

#[test]
fn commands_are_no_messages() {
    let model = tiny("qwen3").unwrap();
    let (code, out, err) =
        chat(&model, &[], "/help\n/nonsense\n/system Be kind.\n/system\n/reset\n\n/exit\n");
    assert_eq!((code, out.as_str()), (0, ""));
    for text in
        ["/reset", "no command /nonsense", "system message set", "no system message any more", "starts anew"]
    {
        assert!(err.contains(text), "{text}: {err}");
    }
}

#[test]
fn the_oldest_turns_go_when_the_context_is_full() {
    let model = tiny("qwen3").unwrap();
    let words = "some words ".repeat(6);
    let lines = format!("{words}\n").repeat(4);
    let (code, _, err) = chat(&model, &["-c", "200"], &lines);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("forgotten"), "{err}");
    let long = "many words ".repeat(300);
    let (code, out, err) = chat(&model, &["-c", "200"], &format!("{long}\nhi\n"));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("error[E_PROMPT_TOO_LONG]: "), "{err}");
    assert!(!out.is_empty(), "the conversation goes on");
}

#[test]
fn a_model_without_template_cannot_chat() {
    let (code, out, err) = chat(&tiny("gemma2").unwrap(), &[], "hi\n");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error[E_NO_CHAT_TEMPLATE]: "), "{err}");
}

#[test]
fn ctrl_c_stops_the_answer_and_not_the_program() {
    let folder = TempDir::new().unwrap();
    let model = endless::model(folder.path());
    let mut command: Command =
        goldcrest(&["chat", "-m", &model, "-c", "100000", "--adapter", "cpu", "--temp", "1"]);
    let mut child: Child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"hello\n").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    signal(&child, "-INT");
    stdin.write_all(b"/nonsense\n").unwrap();
    drop(stdin);
    let (code, _, err) = finish(child);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("no command /nonsense"), "{err}");
}
