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

/// Several prompts: one is chosen by its figures, or all of them vote.
#[test]
fn several_prompts_are_combined() {
    let Some(path) = tiny("llama") else { return };
    let folder = tempfile::tempdir().unwrap();
    let examples = folder.path().join("examples.txt");
    std::fs::write(&examples, "a\tone\nb\ttwo\n a\tthree\n").unwrap();
    let examples = examples.to_str().unwrap();
    let prompts = ["-p", "Text: {} Label:", "-p", "{} is", "-p", "Say {}:"];
    let rest = ["--choices", " a", " b", "--input", "x", "--input", "yes", "--input", "no"];
    let base = [&["-m", &path], &prompts[..], &rest].concat();
    let list = |value: &Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect()
    };
    let single = |prompt: &str| score(&[&["-m", &path, "-p", prompt], &rest[..]].concat());
    let singles: Vec<Value> = prompts.iter().skip(1).step_by(2).map(|prompt| single(prompt)).collect();
    for name in ["mi", "mi_g", "ge", "le", "mdl", "mi_l", "mean", "max", "majority"] {
        let report = score(&[&base[..], &["--combine", name]].concat());
        assert_eq!(report["prompts"].as_array().unwrap().len(), 3, "{name}");
        for (i, result) in report["results"].as_array().unwrap().iter().enumerate() {
            let values: Vec<f64> =
                list(&result["choices"].as_array().unwrap().iter().map(|c| c["value"].clone()).collect());
            assert!((values.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{name}: {values:?}");
            assert_eq!(result["best"], if values[0] >= values[1] { " a" } else { " b" }, "{name}");
            for (t, single) in singles.iter().enumerate() {
                assert_eq!(list(&result["by_prompt"][t]), numbers(&single["results"][i], "p"), "{name}");
            }
            if let Some(chosen) = result["prompt"].as_u64() {
                assert_eq!(values, list(&result["by_prompt"][chosen as usize]), "{name}");
            }
        }
        let figures = |t: usize| report["prompts"][t]["mi"].as_f64().unwrap();
        if name == "mi" {
            let chosen = report["results"][0]["prompt"].as_u64().unwrap() as usize;
            assert!((0..3).all(|t| figures(t) <= figures(chosen)));
        }
    }
    let mpd = score(&[&base[..], &["--combine", "mpd", "--examples", examples]].concat());
    assert_eq!(mpd["results"].as_array().unwrap().len(), 3);
    // An example is nearest to its own label: its transport costs next to nothing.
    let own = ["-m", &path, "-p", "{} is", "-p", "Say {}:", "--choices", " a", " b", "--input", "two"];
    let own = score(&[&own[..], &["--combine", "mpd", "--examples", examples]].concat());
    let choices = own["results"][0]["choices"].as_array().unwrap();
    let values: Vec<f64> = choices.iter().map(|c| c["value"].as_f64().unwrap()).collect();
    assert!(values.iter().all(|v| *v > -2.0 && *v <= 1.0), "{values:?}");
    let check = |more: &[&str], code| {
        refused(&[&["score"], &base[..], more, &CPU].concat(), "", code);
    };
    check(&[], "E_INVALID_PARAMETER");
    check(&["--combine", "median"], "E_INVALID_PARAMETER");
    check(&["--combine", "mpd"], "E_NO_EXAMPLE");
    check(&["--combine", "mi", "--calibrate", "pmi"], "E_NO_DISTRIBUTION");
    let wrong = folder.path().join("wrong.txt");
    std::fs::write(&wrong, "c\tone\n").unwrap();
    check(&["--combine", "mpd", "--examples", wrong.to_str().unwrap()], "E_BAD_FILE");
    let one = ["-m", &path, "-p", "{} is", "--choices", " a", " b", "--input", "x", "--combine", "mi"];
    refused(&[&["score"], &one[..], &CPU].concat(), "", "E_INVALID_PARAMETER");
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
