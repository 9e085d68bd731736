//! `run` as a process: the reference's tokens, the shape of the report, streams, prompts from everywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod process;

use process::{SMOLLM2, golden_json, json, model, run, text, tiny};
use serde_json::Value;

const CPU: [&str; 2] = ["--adapter", "cpu"];

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect()
}

fn list(value: &Value) -> String {
    numbers(value).iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

#[test]
fn greedy_tokens_are_the_references() {
    for name in ["llama", "qwen2", "qwen3", "gemma3"] {
        let (Some(path), Some(reference)) = (tiny(name), golden_json(&format!("tiny/{name}.json"))) else {
            continue;
        };
        let greedy = &reference["greedy"];
        let (prompt, ids) = (list(&greedy["prompt"]), numbers(&greedy["ids"]));
        let n = ids.len().to_string();
        let args = ["run", "-m", &path, "--tokens", &prompt, "-n", &n, "--ignore-eos"];
        let report = json(&[&args[..], &CPU].concat(), "");
        assert_eq!(numbers(&report["tokens"]), ids, "{name}");
        assert_eq!(report["prompt_tokens"], greedy["prompt"], "{name}");
        assert_eq!(report["finish_reason"], "length", "{name}");
    }
}

#[test]
fn the_report_has_every_field() {
    let Some(path) = tiny("llama") else { return };
    let args = ["run", "-m", &path, "-p", "Hello", "--raw", "-n", "4", "--logprobs", "3"];
    let report = json(&[&args[..], &CPU].concat(), "");
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(fields(&report), "model adapter prompt_tokens tokens text finish_reason stats logprobs");
    assert_eq!(fields(&report["model"]), "name arch file_type n_params");
    assert_eq!(fields(&report["adapter"]), "name backend type");
    assert_eq!(
        fields(&report["stats"]),
        "load_ms prefill_tokens prefill_ms ttft_ms decode_tokens decode_ms forward_passes submits readbacks dispatches_per_token"
    );
    let logprobs = report["logprobs"].as_array().unwrap();
    assert_eq!(logprobs.len(), numbers(&report["tokens"]).len());
    for (entry, token) in logprobs.iter().zip(numbers(&report["tokens"])) {
        assert_eq!(fields(entry), "token piece logprob top");
        assert_eq!(entry["token"], token);
        // Greedy: the chosen token is the best one.
        assert_eq!(entry["top"][0]["id"], token);
        assert_eq!(entry["top"][0]["logprob"], entry["logprob"]);
        assert_eq!(entry["top"].as_array().unwrap().len(), 3);
        assert_eq!(fields(&entry["top"][0]), "id piece logprob");
    }
}

#[test]
fn text_is_the_reports_text_from_an_argument_or_standard_input() {
    let Some(path) = tiny("llama") else { return };
    let args = ["run", "-m", &path, "--raw", "-n", "12", "--temp", "0", "--adapter", "cpu"];
    let report = json(&[&args[..], &["-p", "Hello world"]].concat(), "");
    let expected = format!("{}\n", report["text"].as_str().unwrap());
    assert_eq!(text(&[&args[..], &["-p", "Hello world"]].concat(), ""), expected);
    assert_eq!(text(&args, "Hello world"), expected);
}

#[test]
fn a_seed_repeats_an_answer() {
    let Some(path) = tiny("llama") else { return };
    let with = |seed: &str| {
        let args = ["run", "-m", &path, "--tokens", "7,8,9", "-n", "16", "--temp", "1", "--seed", seed];
        json(&[&args[..], &CPU].concat(), "")["tokens"].clone()
    };
    assert_eq!(with("5"), with("5"));
    assert_ne!(with("5"), with("6"));
}

#[test]
fn a_stop_text_ends_the_answer_and_is_no_part_of_it() {
    let Some(path) = tiny("llama") else { return };
    let args = ["run", "-m", &path, "--tokens", "10,200,33,7,301,42,42,99", "-n", "8", "--adapter", "cpu"];
    let whole = json(&args, "")["text"].as_str().unwrap().to_owned();
    let stop = whole.chars().find(char::is_ascii_alphabetic).unwrap().to_string();
    let report = json(&[&args[..], &["--stop", "no such text", "--stop", &stop]].concat(), "");
    assert_eq!(report["finish_reason"], "stop_string");
    assert_eq!(report["text"].as_str().unwrap(), whole.split(&stop).next().unwrap());
}

#[test]
fn a_model_without_template_continues_the_prompt_and_says_so() {
    let Some(path) = tiny("gemma2") else { return };
    let (code, out, err) =
        run(&["run", "-m", &path, "-p", "Hello", "-n", "2", "--adapter", "cpu", "--json"], "");
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("no chat template"), "{err}");
    let raw = json(&["run", "-m", &path, "-p", "Hello", "-n", "2", "--adapter", "cpu", "--raw"], "");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["prompt_tokens"], raw["prompt_tokens"]);
}

#[test]
fn the_template_frames_the_prompt_and_raw_parses_no_special_tokens() {
    let Some(path) = model(SMOLLM2) else { return };
    let args = ["run", "-m", &path, "-n", "0", "--adapter", "cpu"];
    let chat = json(&[&args[..], &["-p", "Hi", "--system", "Be brief."]].concat(), "");
    let framed = json(
        &[
            "tokenize",
            "-m",
            &path,
            "--parse-special",
            "-p",
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        ],
        "",
    );
    assert_eq!(chat["prompt_tokens"], framed["tokens"]);
    let raw = json(&[&args[..], &["--raw", "-p", "<|im_end|>"]].concat(), "");
    assert!(numbers(&raw["prompt_tokens"]).len() > 1);
}
