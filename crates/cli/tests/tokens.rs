//! `tokenize`, `detokenize`, `template` and `sample` as processes: shapes, exactness, refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod process;

use process::{GEMMA3, SMOLLM2, golden_json, json, model, refused, run, text, tiny};
use serde_json::{Value, json};

#[test]
fn tiny_models_tokenize_as_the_reference_and_back() {
    for name in ["llama", "llama_spm", "qwen2", "gemma3"] {
        let (Some(path), Some(reference)) = (tiny(name), golden_json(&format!("tiny/{name}.json"))) else {
            continue;
        };
        for case in reference["tokenize"].as_array().into_iter().flatten() {
            let words = case["text"].as_str().unwrap();
            let args = ["tokenize", "-m", &path, "--parse-special", "-p", words];
            let with_ends = json(&[&args[..], &["--add-special"]].concat(), "");
            assert_eq!(with_ends["tokens"], case["ids"], "{name}: {words:?}");
            let found = json(&args, "");
            let (n_tokens, n_pieces) =
                (found["tokens"].as_array().unwrap().len(), found["pieces"].as_array().unwrap().len());
            assert_eq!(n_tokens, n_pieces);
            let list = list_of(&found["tokens"]);
            assert_eq!(text(&["detokenize", "-m", &path, "--tokens", &list], ""), words, "{name}");
            let back = json(&["detokenize", "-m", &path, "--tokens", &list], "");
            assert_eq!(back, json!({ "text": words }), "{name}");
        }
    }
}

#[test]
fn special_tokens_are_parsed_and_added_only_when_asked() {
    let Some(path) = model(SMOLLM2) else { return };
    let Some(reference) = golden_json("public/smollm2_tokenize.json") else { return };
    // One process a case and flag is slow for all: every fourth has all kinds of text.
    for case in reference["cases"].as_array().unwrap().iter().step_by(4) {
        let words = case["text"].as_str().unwrap();
        // By standard input: no argument can hold a zero byte.
        let with =
            |flags: &[&str]| json(&[&["tokenize", "-m", &path], flags].concat(), words)["tokens"].clone();
        assert_eq!(with(&[]), case["ids_plain"], "{words:?}");
        assert_eq!(with(&["--parse-special"]), case["ids_parse_special"], "{words:?}");
        assert_eq!(with(&["--parse-special", "--add-special"]), case["ids_add_special"], "{words:?}");
    }
}

#[test]
fn standard_input_of_any_length_is_tokenized() {
    for (names, prefix) in [(SMOLLM2, "smollm2"), (GEMMA3, "gemma3")] {
        let Some(path) = model(names) else { continue };
        let Some(reference) = golden_json(&format!("public/{prefix}_perplexity.json")) else { continue };
        let found = json(&["tokenize", "-m", &path], reference["text"].as_str().unwrap());
        assert_eq!(
            found["tokens"].as_array().unwrap().len() as u64,
            reference["n_tokens"].as_u64().unwrap(),
            "{prefix}"
        );
    }
}

#[test]
fn templates_render_to_the_byte() {
    let Some(path) = model(SMOLLM2) else { return };
    let Some(reference) = golden_json("public/smollm2_chat.json") else { return };
    for case in reference["cases"].as_array().unwrap() {
        let input = json!({ "messages": case["messages"] }).to_string();
        let flags: &[&str] =
            if case["add_generation_prompt"] == true { &[] } else { &["--no-generation-prompt"] };
        let args = [&["template", "-m", &path, "-"], flags].concat();
        assert_eq!(text(&args, &input), case["text"].as_str().unwrap());
        // The reference takes control tokens that a user wrote for control tokens; here they stay text.
        if !case["messages"].to_string().contains("<|") {
            assert_eq!(json(&args, &input)["tokens"], case["ids"]);
        }
    }
}

#[test]
fn bad_input_is_refused() {
    let Some(path) = tiny("llama") else { return };
    refused(&["detokenize", "-m", &path, "--tokens", "1,x"], "", "E_USAGE");
    refused(&["detokenize", "-m", &path, "--tokens", "1,999"], "", "E_BAD_TOKEN");
    refused(&["template", "-m", &path, "-"], "{", "E_BAD_FILE");
    refused(&["template", "-m", &path, "-"], r#"{"tools": []}"#, "E_BAD_FILE");
    refused(&["template", "-m", &path, "no-such-file.json"], "", "E_FILE");
    refused(&["tokenize", "-m", "Cargo.toml", "-p", "x"], "", "E_STORE_NOT_GGUF");
    let Some(path) = tiny("gpt2") else { return };
    let (code, _, err) =
        run(&["template", "-m", &path, "-"], r#"{"messages": [{"role": "user", "content": "x"}]}"#);
    assert!(code == 0 || (code == 2 && err.contains("E_NO_CHAT_TEMPLATE")), "{code}: {err}");
}

#[test]
fn a_chain_is_shown_stage_by_stage() {
    let args = [
        "sample",
        "--logits",
        "-",
        "--chain",
        "top_k(3) | temp(0.5) | draw",
        "--seed",
        "7",
        "--draws",
        "400",
    ];
    let found = json(&args, "[1, 2, 3, 0.5]");
    let stages = found["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(names, ["input", "top_k(3)", "temp(0.5)"]);
    let sizes: Vec<u64> = stages.iter().map(|stage| stage["n_candidates"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [4, 3, 3]);
    let best = &stages[2]["top"][0];
    // softmax of 6, 4, 2
    assert_eq!(best["id"], 2);
    assert!((best["p"].as_f64().unwrap() - 0.866_813).abs() < 1e-5, "{best}");
    assert_eq!(found["draws"].as_array().unwrap().len(), 400);
    let n_best = found["counts"][0]["n"].as_f64().unwrap();
    // Five standard deviations of a binomial.
    assert!((n_best / 400.0 - 0.8668).abs() < 5.0 * (0.8668f64 * 0.1332 / 400.0).sqrt(), "{n_best}");
    assert_eq!(found, json(&args, r#"{"logits": [1, 2, 3, 0.5]}"#), "the same seed chooses the same tokens");
}

#[test]
fn a_history_is_what_penalties_look_back_on() {
    let args = ["sample", "--logits", "-", "--chain", "penalties(last_n=4, present=5) | greedy"];
    assert_eq!(json(&args, r#"{"logits": [1, 2, 3], "history": [2]}"#)["draws"], json!([1]));
    assert_eq!(json(&args, r#"{"logits": [1, 2, 3]}"#)["draws"], json!([2]));
}

#[test]
fn bad_chains_and_logits_are_refused() {
    let with = |chain: &str, logits: &str, code: &str| {
        refused(&["sample", "--logits", "-", "--chain", chain], logits, code)
    };
    with("topk(3)", "[1, 2]", "E_BAD_CHAIN");
    with("top_p(3)", "[1, 2]", "E_INVALID_PARAMETER");
    with("greedy", "[1, \"a\"]", "E_BAD_FILE");
    with("greedy", "[1, 1e999]", "E_BAD_FILE");
    with("greedy", "[]", "E_NO_CANDIDATE");
    with("bias(0=-inf, 1=-inf) | greedy", "[1, 2]", "E_NO_CANDIDATE");
}

fn list_of(tokens: &Value) -> String {
    tokens.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>().join(",")
}
