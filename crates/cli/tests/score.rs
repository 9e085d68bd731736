//! `score` as a process: distributions over choices, inputs, calibrations, refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod process;

use process::{SMOLLM2, json, model, refused, text, tiny};
use serde_json::Value;

const CPU: [&str; 2] = ["--adapter", "cpu"];

fn score(args: &[&str]) -> Value {
    json(&[&["score"], args, &CPU].concat(), "")
}

fn numbers(result: &Value, field: &str) -> Vec<f64> {
    result["choices"].as_array().unwrap().iter().map(|choice| choice[field].as_f64().unwrap()).collect()
}

#[test]
fn choices_have_a_distribution() {
    let Some(path) = tiny("llama") else { return };
    let report = score(&["-m", &path, "-p", "Hello", "--choices", " a", " b c", " a"]);
    let result = &report["results"][0];
    let p = numbers(result, "p");
    assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9 && p[0] == p[2]);
    assert_eq!(numbers(result, "calibrated"), p);
    for choice in result["choices"].as_array().unwrap() {
        let tokens = choice["tokens"].as_array().unwrap();
        let sum: f64 = tokens.iter().map(|token| token["logprob"].as_f64().unwrap()).sum();
        assert!((choice["logprob"].as_f64().unwrap() - sum).abs() < 1e-5);
        let pieces: String = tokens.iter().map(|token| token["piece"].as_str().unwrap()).collect();
        assert_eq!(pieces, choice["text"].as_str().unwrap());
    }
    let mean = score(&["-m", &path, "-p", "Hello", "--choices", " a", " b c", "--length", "mean"]);
    assert!(numbers(&mean["results"][0], "p")[1] > p[1] / (p[0] + p[1]), "a mean is more than a sum of two");
    let lines =
        text(&[&["score", "-m", &path, "-p", "Hello", "--choices", " a", " b c"], &CPU[..]].concat(), "");
    assert_eq!(lines.lines().count(), 2);
}

/// Over the inputs, calibrated probabilities prefer no label; a single input is its own mean.
#[test]
fn inputs_and_calibrations() {
    let Some(path) = tiny("llama") else { return };
    let folder = tempfile::tempdir().unwrap();
    let inputs = folder.path().join("inputs.txt");
    std::fs::write(&inputs, "one\ntwo\nthree\n").unwrap();
    let inputs = inputs.to_str().unwrap();
    let base = [
        "-m",
        &path,
        "-p",
        "Text: {} Label:",
        "--choices",
        " a",
        " b",
        "--inputs",
        inputs,
        "--input",
        "zero",
    ];
    let plain = score(&base);
    let results = plain["results"].as_array().unwrap();
    let order: Vec<&str> = results.iter().map(|result| result["input"].as_str().unwrap()).collect();
    assert_eq!(order, ["zero", "one", "two", "three"]);
    let cbm = score(&[&base[..], &["--calibrate", "cbm"]].concat());
    let mean: f64 = results.iter().map(|result| numbers(result, "p")[0]).sum::<f64>() / 4.0;
    for (result, calibrated) in results.iter().zip(cbm["results"].as_array().unwrap()) {
        let p = numbers(result, "p");
        let (a, b) = (p[0] / mean, p[1] / (1.0 - mean));
        assert!((numbers(calibrated, "calibrated")[0] - a / (a + b)).abs() < 1e-6);
        assert_eq!(calibrated["best"], if a >= b { " a" } else { " b" });
    }
    let pmi = score(&[&base[..], &["--calibrate", "pmi"]].concat());
    let empty = score(&["-m", &path, "-p", "Text:  Label:", "--choices", " a", " b"]);
    let (prior, p) = (numbers(&empty["results"][0], "p"), numbers(&results[0], "p"));
    assert!((numbers(&pmi["results"][0], "calibrated")[1] - (p[1] / prior[1]).ln()).abs() < 1e-6);
    let cc = score(&[&base[..], &["--calibrate", "cc"]].concat());
    assert!((numbers(&cc["results"][0], "calibrated").iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let Some(path) = tiny("llama") else { return };
    let check = |args: &[&str], code| refused(&[&["score", "-m", &path], args, &CPU].concat(), "", code);
    check(&["-p", "", "--choices", "a"], "E_EMPTY_PROMPT");
    check(&["-p", "x {}", "--choices", "a"], "E_NO_INPUT");
    check(&["-p", "x", "--choices", "a", "--input", "y"], "E_NO_SLOT");
    check(&["-p", "x", "--choices", "a", "--calibrate", "cc"], "E_NO_SLOT");
    check(&["-p", "x", "--choices", "a", ""], "E_BAD_LABELS");
    check(&["-p", "x", "--choices", "a", "--calibrate", "abc"], "E_INVALID_PARAMETER");
    check(&["-p", "x", "--choices", "a", "--length", "abc"], "E_INVALID_PARAMETER");
    check(&["-p", "x"], "E_USAGE");
}

/// The likelier of two words is the one that makes sense.
#[test]
fn a_real_model_knows_better() {
    let Some(path) = model(SMOLLM2) else { return };
    let report =
        score(&["-m", &path, "-p", "The capital of France is", "--choices", " Berlin", " Paris", " Rome"]);
    assert_eq!(report["results"][0]["best"], " Paris");
}
