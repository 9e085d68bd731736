//! Records: written by `run`, repeated by `verify`, guarded by their hashes; and the drift report.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod process;

use std::path::Path;

use process::{json, refused, run, text, tiny};
use serde_json::Value;

const CPU: [&str; 2] = ["--adapter", "cpu"];

/// A record of eight tokens with these options.
fn record(model: &str, folder: &Path, options: &[&str]) -> (String, Value) {
    let path = folder.join("record.json").to_str().unwrap().to_owned();
    let base = ["run", "-m", model, "-p", "Hello", "--raw", "-n", "8", "--ignore-eos", "--record", &path];
    json(&[&base[..], options, &CPU].concat(), "");
    let value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    (path, value)
}

#[test]
fn a_record_is_complete_and_repeats() {
    let Some(model) = tiny("llama") else { return };
    let folder = tempfile::tempdir().unwrap();
    for options in [
        &["--temp", "0"][..],
        &["--temp", "0.9", "--seed", "7", "--top-k", "0", "--typical-p", "0.9"],
        &["--temp", "1", "--seed", "8", "--mirostat", "2", "--mirostat-tau", "3"],
        &["--temp", "1", "--seed", "9", "--dry-multiplier", "0.8", "--order", "hf", "--top-h", "0.5"],
    ] {
        let (path, value) = record(&model, folder.path(), options);
        let body = &value["body"];
        for field in ["tokenizer_sha256", "prompt_sha256"] {
            assert_eq!(body[field].as_str().unwrap().len(), 64, "{field}");
        }
        assert_eq!((&body["model"]["file"], &body["model"]["of"]), (&"llama.gguf".into(), &"file".into()));
        let steps = body["steps"].as_array().unwrap();
        assert_eq!((steps.len(), body["tokens"].as_array().unwrap().len()), (8, 8));
        let closest = body["closest"].as_u64().unwrap() as usize;
        let gap = |step: &Value| step["gap"].as_f64().unwrap();
        assert!(steps.iter().all(|step| gap(step) >= gap(&steps[closest])));
        let report = json(&[&["verify", &path, "-m", &model], &CPU[..]].concat(), "");
        assert_eq!(
            (&report["same"], &report["first_difference"]),
            (&true.into(), &Value::Null),
            "{options:?}"
        );
        assert_eq!(report["differing_facts"], serde_json::json!([]));
        let said = text(&[&["verify", &path, "-m", &model], &CPU[..]].concat(), "");
        assert_eq!(said, "all 8 tokens are as recorded\n");
    }
}

/// What a strategy wrote, what a form left, and both, repeat from their records, which nothing else has to be given with.
#[test]
fn strategies_and_forms_repeat() {
    let Some(model) = tiny("llama") else { return };
    let folder = tempfile::tempdir().unwrap();
    let schema = r#"{"type": "array", "items": {"enum": ["b", "a"]}, "minItems": 9}"#;
    for options in [
        &["--temp", "1", "--seed", "4", "--strategy", "best_of_n:n=3"][..],
        &["--strategy", "context_aware", "--reference", "Hi", "--temp", "0"],
        &["--temp", "1", "--seed", "5", "--regex", "[abc ]{30}"],
        &["--temp", "0", "--json-schema", schema],
        &[
            "--temp",
            "1",
            "--seed",
            "6",
            "--strategy",
            "self_consistency:n=3,answer=whole",
            "--json-schema",
            schema,
        ],
        &["--temp", "0", "--strategy", "beam:beams=3", "--regex", "[abc ]{30}"],
    ] {
        let (path, value) = record(&model, folder.path(), options);
        let (text, settings) = (value["body"]["text"].as_str().unwrap(), &value["body"]["settings"]);
        if settings["form"]["kind"] == "regex" {
            assert!(text.chars().all(|c| "abc ".contains(c)), "{text}");
        } else if settings["form"]["kind"] == "json_schema" {
            assert!(text.starts_with("[\"") && !text.contains('c'), "{text}");
        }
        let asked = options.contains(&"--strategy");
        assert_eq!(settings["strategy"]["spec"].is_string(), asked, "{settings}");
        let report = json(&[&["verify", &path, "-m", &model], &CPU[..]].concat(), "");
        assert_eq!((&report["same"], &report["tokens"]), (&true.into(), &8.into()), "{options:?}");
    }
}

/// Guesses change no token, so that a record of them repeats; one of two models names the other's file and wants it again.
#[test]
fn speculation_and_two_models_repeat() {
    let Some(model) = tiny("llama") else { return };
    let folder = tempfile::tempdir().unwrap();
    for options in [
        &["--temp", "0", "--speculate", "auto:plan=false"][..],
        &["--temp", "0.9", "--seed", "3", "--speculate", "suffix:tokens=3"],
        &["--temp", "0.9", "--seed", "4", "--speculate", "recycling:plan=false", "--regex", "[abc ]{30}"],
        &["--temp", "0.9", "--seed", "5", "--speculate", "jacobi:plan=false"],
    ] {
        let (path, value) = record(&model, folder.path(), options);
        let spec = value["body"]["settings"]["strategy"]["spec"].as_str().unwrap();
        assert!(spec.starts_with("speculate:drafter="), "{spec}");
        let report = json(&[&["verify", &path, "-m", &model], &CPU[..]].concat(), "");
        assert_eq!((&report["same"], &report["tokens"]), (&true.into(), &8.into()), "{options:?}");
    }
    for options in [
        &["--temp", "0", "--speculate", "draft", "--other", &model][..],
        &["--temp", "0.9", "--seed", "6", "--speculate", "draft:plan=false", "--other", &model],
        &["--temp", "0.9", "--seed", "7", "--strategy", "entropy_adaptive", "--other", &model],
        &["--temp", "0", "--strategy", "contrastive_decoding", "--other", &model],
    ] {
        let (path, value) = record(&model, folder.path(), options);
        let others = &value["body"]["settings"]["strategy"]["others"];
        assert_eq!(others[0]["sha256"], value["body"]["model"]["sha256"], "its twin: {others}");
        let again = [&["verify", &path, "-m", &model], &CPU[..]].concat();
        let (code, _, said) = run(&again, "");
        assert!(
            code == 2 && said.contains("give the further one with --other: llama.gguf"),
            "{code}: {said}"
        );
        let report = json(&[&again[..], &["--other", &model]].concat(), "");
        assert_eq!((&report["same"], &report["tokens"]), (&true.into(), &8.into()), "{options:?}");
        assert_eq!(report["differing_facts"], serde_json::json!([]));
    }
}

/// What depends on how many guesses there was time for, or on what a file or a program said, is refused, and nothing is written.
#[test]
fn what_cannot_be_repeated_is_refused() {
    let Some(model) = tiny("llama") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.json").to_str().unwrap().to_owned();
    let base = [
        "run",
        "-m",
        &model,
        "-p",
        "Hello",
        "--raw",
        "-n",
        "8",
        "--record",
        &path,
        "--json",
        "--adapter",
        "cpu",
    ];
    for (options, why) in [
        (&["--speculate", "auto:accept=typical"][..], "without lossy acceptance"),
        (&["--speculate", "jacobi", "--temp", "0.9"], "plan=false"),
        (&["--strategy", "best_of_n", "--scorer", "wc -c"], "--scorer"),
        (&["--speculate", "head", "--head", "x"], "--head"),
    ] {
        let (code, out, said) = run(&[&base[..], options].concat(), "");
        assert!(code == 2 && out.is_empty() && said.contains(why), "{options:?}: {code} {said}");
    }
    assert!(!Path::new(&path).exists());
}

/// The sampled tokens are those of a run without a record: recording changes nothing.
#[test]
fn recording_changes_no_token() {
    let Some(model) = tiny("llama") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_, value) = record(&model, folder.path(), &["--temp", "0.9", "--seed", "3"]);
    let base = [
        "run",
        "-m",
        &model,
        "-p",
        "Hello",
        "--raw",
        "-n",
        "8",
        "--ignore-eos",
        "--temp",
        "0.9",
        "--seed",
        "3",
    ];
    assert_eq!(json(&[&base[..], &CPU].concat(), "")["tokens"], value["body"]["tokens"]);
}

/// A record that was changed is refused; one that was changed with its hashes differs where it was changed.
#[test]
fn changes_are_found() {
    let Some(model) = tiny("llama") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (path, mut value) = record(&model, folder.path(), &["--temp", "0"]);
    value["body"]["tokens"][3] = 1.into();
    std::fs::write(&path, value.to_string()).unwrap();
    refused(&[&["verify", &path, "-m", &model], &CPU[..]].concat(), "", "E_BAD_FILE");
    std::fs::write(&path, "{}").unwrap();
    refused(&[&["verify", &path, "-m", &model], &CPU[..]].concat(), "", "E_BAD_FILE");

    // An honest record of another model: the same tokenizer, other weights.
    let Some(other) = tiny("qwen2") else { return };
    let (path, _) = record(&model, folder.path(), &["--temp", "0"]);
    let (code, out, err) = run(&[&["verify", &path, "-m", &other, "--json"], &CPU[..]].concat(), "");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("error[E_DIFFERS]"), "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["same"], false);
    assert!(report["differing_facts"].as_array().unwrap().contains(&"the model file".into()));
    let first = &report["first_difference"];
    assert_ne!(first["recorded"]["token"], first["found"]["token"]);
}

#[test]
fn drift_is_told_in_numbers() {
    let Some(model) = tiny("llama") else { return };
    let base = ["drift", "-m", &model, "-p", "Hello", "-n", "6", "--runs", "5"];
    let report = json(&[&base[..], &CPU].concat(), "");
    assert_eq!((&report["equal"], &report["distinct"]), (&5.into(), &1.into()));
    // Wilson's interval for 5 of 5.
    let low = report["interval"][0].as_f64().unwrap();
    assert!((low - 0.565_518).abs() < 1e-5, "{low}");
    assert!(report["smallest_gap"]["gap"].as_f64().unwrap() >= 0.0);
    let seeds = ["--temp", "5", "--top-k", "0", "--top-p", "1", "--min-p", "0", "--seed", "1", "--vary-seed"];
    let report = json(&[&base[..], &seeds, &CPU].concat(), "");
    assert!(report["distinct"].as_u64().unwrap() > 1 && report["first_difference"].is_u64(), "{report}");
    let said = text(&[&base[..], &CPU].concat(), "");
    assert!(said.starts_with("5 of 5 runs agree (100.0 %, 95 % interval 56.6 to 100.0 %)"), "{said}");
}
