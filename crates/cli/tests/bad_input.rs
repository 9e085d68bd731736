//! Whatever is wrong with the input or the machine: an exit code, a stable code and a help line, and never a panic.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod endless;
mod process;

use std::io::Read;
use std::time::{Duration, Instant};

use endless::{finish, signal};
use goldcrest::gguf::write::GgufWriter;
use process::{run, tiny};
use tempfile::TempDir;

/// Runs `goldcrest run` on the CPU and expects a failure with this exit code and this stable code.
#[track_caller]
fn refused(args: &[&str], exit: i32, code: &str) -> String {
    let (got, out, err) = run(args, "");
    assert_eq!((got, out.as_str()), (exit, ""), "{args:?}: {err}");
    let lines: Vec<&str> = err.lines().collect();
    let [.., what, help] = lines.as_slice() else { panic!("{args:?}: {err}") };
    assert!(what.starts_with(&format!("error[{code}]: ")) && help.starts_with("help: "), "{args:?}: {err}");
    err
}

fn refused_model(path: &str, code: &str) -> String {
    refused(&["run", "-m", path, "--adapter", "cpu", "-p", "hi"], 2, code)
}

fn refused_option(more: &[&str], code: &str) -> String {
    let model = tiny("llama").unwrap();
    let args: Vec<&str> = ["run", "-m", &model].iter().chain(more).copied().collect();
    refused(&args, 2, code)
}

#[test]
fn files_that_are_no_model() {
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let whole = std::fs::read(tiny("llama").unwrap()).unwrap();
    for (name, share) in [("head.gguf", 50), ("tensors.gguf", 2)] {
        std::fs::write(place(name), &whole[..whole.len() / share]).unwrap();
        refused_model(&place(name), "E_GGUF_TRUNCATED");
    }
    std::fs::write(place("text.gguf"), "dear diary").unwrap();
    refused_model(&place("text.gguf"), "E_STORE_NOT_GGUF");
    std::fs::write(place("empty.gguf"), "").unwrap();
    refused_model(&place("empty.gguf"), "E_STORE_NOT_GGUF");
    refused_model(folder.path().to_str().unwrap(), "E_STORE_IS_DIRECTORY");
    refused_model(&place("missing.gguf"), "E_STORE_NO_FILE");
    let err = refused_model("smolm2-135m", "E_STORE_UNKNOWN_MODEL");
    assert!(err.contains("did you mean smollm2-135m"), "{err}");
}

#[test]
fn models_that_cannot_run() {
    refused_model(&tiny("q_IQ1_S").unwrap(), "E_MODEL_UNSUPPORTED_TYPE");
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rnn.gguf");
    let mut writer = GgufWriter::new();
    writer.set("general.architecture", "rwkv7").tensor_f32("output.weight", &[4, 4], &[0.0; 16]);
    let bytes = writer.finish().unwrap();
    std::fs::write(&path, bytes).unwrap();
    let err = refused_model(path.to_str().unwrap(), "E_MODEL_UNSUPPORTED_ARCH");
    assert!(err.contains("`rwkv7`") && err.contains("llama"), "{err}");
}

#[test]
fn options_that_cannot_be() {
    let cpu = ["--adapter", "cpu", "-p", "hi"];
    for (more, code) in [
        (&["-n", "-1"][..], "E_INVALID_PARAMETER"),
        (&["-n", "many"], "E_USAGE"),
        (&["-c", "0"], "E_BAD_CONTEXT"),
        (&["-c", "-5"], "E_BAD_CONTEXT"),
        (&["-c", "1000000000"], "E_BAD_CONTEXT"),
        (&["-c", "100000000000000"], "E_BAD_CONTEXT"),
        (&["--temp", "NaN"], "E_INVALID_PARAMETER"),
        (&["--temp", "inf"], "E_INVALID_PARAMETER"),
        (&["--temp", "-1"], "E_INVALID_PARAMETER"),
        (&["--top-p", "2"], "E_INVALID_PARAMETER"),
        (&["--min-p", "-0.5"], "E_INVALID_PARAMETER"),
        (&["--top-k", "-3"], "E_INVALID_PARAMETER"),
        (&["--repeat-penalty", "0"], "E_INVALID_PARAMETER"),
        (&["--json", "--logprobs", "257"], "E_INVALID_PARAMETER"),
        (&["--kernel", "vec_lanes"], "E_INVALID_PARAMETER"),
        (&["--kernel", "vec_lanes=3"], "E_KERNEL_ENTRY"),
        (&["--tokens", "1"], "E_USAGE"),
        (&["--json-schema", "{"], "E_BAD_FILE"),
        (&["--grammar", "no_such_file"], "E_FILE"),
        (&["--json-schema", "{}", "--regex", "a"], "E_USAGE"),
        (&["--json-schema", "{}", "--strategy", "icn"], "E_STRATEGY_WITH_FORM"),
        (&["--regex", "a", "--strategy", "superposed"], "E_STRATEGY_WITH_FORM"),
        (&["--record", "r", "--strategy", "best_of_n", "--scorer", "cat"], "E_USAGE"),
        (&["--strategy", "no_such_strategy"], "E_UNKNOWN_STRATEGY"),
        (&["--speculate", "ngram"], "E_INVALID_PARAMETER"),
        (&["--speculate", "auto", "--strategy", "beam"], "E_USAGE"),
        (&["--speculate", "auto:accept=always"], "E_INVALID_PARAMETER"),
        (&["--speculate", "auto:accept=typical", "--deterministic"], "E_USAGE"),
        (&["--frobnicate"], "E_USAGE"),
    ] {
        refused_option(&[more, &cpu].concat(), code);
    }
    let err = refused_option(&["-p", "hi", "--adapter", "no such adapter"], "E_NO_ADAPTER");
    assert!(err.contains("`no such adapter`"), "{err}");
}

/// What is refused of a form is refused before an adapter is looked for, let alone weights are read.
#[test]
fn forms_are_refused_before_anything_is_loaded() {
    let nowhere = ["--adapter", "no such adapter", "-p", "hi"];
    for (more, code) in [
        (&["--json-schema", "{\"not\": {}}"][..], "E_SCHEMA_UNSUPPORTED"),
        (&["--regex", "(?=a)b"], "E_GRAMMAR_SYNTAX"),
    ] {
        refused_option(&[more, &nowhere].concat(), code);
    }
    refused_option(&[&["--regex", "b"], &nowhere[..]].concat(), "E_NO_ADAPTER");
}

#[test]
fn prompts_that_cannot_be() {
    let cpu = ["--adapter", "cpu"];
    for (more, code) in [
        (&["--tokens", "1,x"][..], "E_USAGE"),
        (&["--tokens", "-1"], "E_USAGE"),
        (&["--tokens", ""], "E_EMPTY_PROMPT"),
        (&["--tokens", "1,384"], "E_BAD_TOKEN"),
        (&["-p", ""], "E_EMPTY_PROMPT"),
        // Standard input is empty.
        (&[], "E_EMPTY_PROMPT"),
        (&["-c", "4", "--tokens", "1,2,3,4,5"], "E_PROMPT_TOO_LONG"),
    ] {
        refused_option(&[more, &cpu].concat(), code);
    }
    let long = "many words ".repeat(1000);
    refused_option(&["--raw", "--adapter", "cpu", "-p", &long], "E_PROMPT_TOO_LONG");
}

#[test]
fn a_closed_standard_input_is_an_empty_prompt() {
    let script =
        format!("{} run -m {} --adapter cpu <&-", env!("CARGO_BIN_EXE_goldcrest"), tiny("llama").unwrap());
    let child =
        std::process::Command::new("sh").args(["-c", &script]).stderr(std::process::Stdio::piped()).spawn();
    let (code, _, err) = finish(child.unwrap());
    assert!(code == 2 && err.starts_with("error[E_EMPTY_PROMPT]: "), "{code} {err}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = TempDir::new().unwrap();
    let mut child = endless::run(&endless::model(folder.path())).spawn().unwrap();
    child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
    let start = Instant::now();
    let (code, _, err) = finish(child);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn ctrl_c_keeps_the_text_so_far() {
    let folder = TempDir::new().unwrap();
    let model = endless::model(folder.path());
    let mut child = endless::run(&model).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 8]).unwrap();
    signal(&child, "-INT");
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.last(), Some(&b'\n'));
    let (code, _, err) = finish(child);
    assert_eq!((code, err.as_str()), (130, ""));
}

#[test]
fn ctrl_c_with_json_still_gives_the_object() {
    let folder = TempDir::new().unwrap();
    let child = endless::run(&endless::model(folder.path())).arg("--json").spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    signal(&child, "-INT");
    let (code, out, err) = finish(child);
    assert_eq!((code, err.as_str()), (130, ""), "{out}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["finish_reason"], "aborted");
    assert_eq!(
        report["tokens"].as_array().unwrap().len() as u64,
        report["stats"]["decode_tokens"].as_u64().unwrap()
    );
}
