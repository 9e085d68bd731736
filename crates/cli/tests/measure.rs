//! `logits`, `perplexity` and `bench` as processes, and the memory that a run takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod process;

use process::{GEMMA3, SMOLLM2, goldcrest, golden_json, json, model, refused, text, tiny};
use serde_json::Value;

#[test]
fn logits_are_the_reference_s() {
    for name in ["llama", "gemma3", "gpt2"] {
        let (Some(path), Some(reference)) = (tiny(name), golden_json(&format!("tiny/{name}.json"))) else {
            continue;
        };
        for case in reference["cases"].as_array().unwrap() {
            let row: Vec<f64> =
                case["logits_last"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            let log_sum_exp = row.iter().map(|l| l.exp()).sum::<f64>().ln();
            let list =
                case["ids"].as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>().join(",");
            // 300 brings the whole row back, 20 comes from the device's own list.
            for n in ["20", "300"] {
                let found =
                    json(&["logits", "-m", &path, "--adapter", "cpu", "--tokens", &list, "--top", n], "");
                assert_eq!(found["tokens"], case["ids"]);
                let top = found["top"].as_array().unwrap();
                assert_eq!(top.len().to_string(), n);
                for entry in top {
                    let expected = row[entry["id"].as_u64().unwrap() as usize] - log_sum_exp;
                    let found = entry["logprob"].as_f64().unwrap();
                    assert!((found - expected).abs() < 0.01, "{name}: {entry}, expected {expected}");
                    assert!(entry["piece"].is_string());
                }
                assert!(top.is_sorted_by(|a, b| a["logprob"].as_f64() >= b["logprob"].as_f64()));
            }
        }
    }
}

#[test]
fn perplexity_scores_every_token_but_the_first_of_each_whole_window() {
    let Some(path) = tiny("llama") else { return };
    let words = "the quick brown fox jumps over the lazy dog and the hound ".repeat(4);
    let tokens = json(&["tokenize", "-m", &path], &words)["tokens"].as_array().unwrap().clone();
    let adds_bos =
        json(&["tokenize", "-m", &path, "--add-special"], &words)["tokens"].as_array().unwrap().len()
            > tokens.len();
    let own = 16 - usize::from(adds_bos);
    let args = ["perplexity", "-m", &path, "--adapter", "cpu", "-f", "-", "--window", "16"];
    let found = json(&args, &words);
    let windows = found["windows"].as_array().unwrap();
    assert_eq!((windows.len(), found["n_tokens"].as_u64()), (tokens.len() / own, Some(tokens.len() as u64)));
    assert_eq!(found["n_scored"].as_u64(), Some(15 * windows.len() as u64));
    let sum: f64 = windows.iter().map(|w| w["nll_sum"].as_f64().unwrap()).sum();
    assert!((sum - found["nll_sum"].as_f64().unwrap()).abs() < 1e-9);
    let perplexity = (sum / (15 * windows.len()) as f64).exp();
    assert!((perplexity - found["perplexity"].as_f64().unwrap()).abs() < 1e-9);
    refused(&args, "too short", "E_BAD_FILE");
    refused(&["perplexity", "-m", &path, "-f", "-", "--window", "1"], &words, "E_USAGE");
    refused(&["perplexity", "-m", &path, "-f", "-", "--window", "513"], &words, "E_BAD_CONTEXT");
}

#[test]
fn perplexity_of_real_models_is_the_reference_s() {
    for (names, prefix) in [(SMOLLM2, "smollm2"), (GEMMA3, "gemma3")] {
        let Some(path) = model(names) else { continue };
        let Some(reference) = golden_json(&format!("public/{prefix}_perplexity.json")) else { continue };
        let expected: f64 = reference["window0_token_nll_transformers_f32"].as_array().unwrap()[..64]
            .iter()
            .map(|nll| nll.as_f64().unwrap())
            .sum();
        let words: String = reference["text"].as_str().unwrap().chars().take(400).collect();
        let found = json(&["perplexity", "-m", &path, "-f", "-", "--window", "65"], &words);
        let nll = found["windows"][0]["nll_sum"].as_f64().unwrap();
        println!("{prefix}: {nll:.4}, the reference has {expected:.4}");
        assert!((nll - expected).abs() < 0.02 * 8.0, "{prefix}: {nll:.4}, the reference has {expected:.4}");
    }
}

#[test]
fn bench_reports_speeds_and_costs() {
    let Some(path) = tiny("llama") else { return };
    let sizes = ["--pp", "8,16", "--tg", "4", "--depth", "0,8", "--reps", "2"];
    let args = [&["bench", "-m", &path, "--adapter", "cpu"][..], &sizes].concat();
    let found = json(&args, "");
    assert_eq!((found["adapter"]["backend"].as_str(), found["reps"].as_u64()), (Some("cpu"), Some(2)));
    let prefill: Vec<u64> =
        found["prefill"].as_array().unwrap().iter().map(|p| p["n_prompt"].as_u64().unwrap()).collect();
    assert_eq!(prefill, [8, 16]);
    for part in found["prefill"].as_array().unwrap().iter().chain(found["decode"].as_array().unwrap()) {
        let speed = |name: &str| part["tokens_per_s"][name].as_f64().unwrap();
        assert!(
            0.0 < speed("min") && speed("min") <= speed("median") && speed("median") <= speed("max"),
            "{part}"
        );
    }
    for decode in found["decode"].as_array().unwrap() {
        assert_eq!(decode["bytes_read_back_per_token"], 16.0, "one token of the ring each");
        assert!(decode["host_ms_per_token"].as_f64().unwrap() > 0.0);
        assert!(decode["dispatches_per_token"].as_f64().unwrap() >= 10.0);
        assert!(decode["bandwidth_share"].as_f64().unwrap() > 0.0);
    }
    // Behind eight tokens more, keys and values of eight tokens more are read. The plan's figure has 64 tables of words in it.
    let moved = |i: usize| found["decode"][i]["bytes_moved_per_token"].as_f64().unwrap();
    let kv_per_token = json(&["inspect", &path], "")["memory"]["kv_per_token"].as_f64().unwrap() - 256.0;
    assert_eq!(moved(1) - moved(0), 8.0 * kv_per_token);
    assert_eq!(found["kernels"]["profile"], "software");
    for name in ["goldcrest", "wgpu", "rustc"] {
        let version = found["versions"][name].as_str().unwrap();
        assert!(version.contains('.') || !cfg!(target_os = "linux"), "{name}: {version}");
    }
    let ms = |part: &str| found["load"][format!("{part}_ms")].as_f64().unwrap();
    let parts = ["parse", "open", "text", "selftest", "allocate", "compile", "upload", "latency"];
    assert!(parts.map(ms).iter().sum::<f64>() <= ms("total") && ms("first_ttft") > 0.0);
    assert!(found.get("small_m").is_none(), "nobody asked");
    assert!(text(&args, "").contains("tok/s"));
    refused(&["bench", "-m", &path, "--adapter", "cpu", "--pp", "9999"], "", "E_PROMPT_TOO_LONG");
    refused(&["bench", "-m", &path, "--pp", "a"], "", "E_USAGE");
    refused(&["bench", "-m", &path, "--adapter", "no-such-adapter"], "", "E_NO_ADAPTER");
}

#[test]
fn steps_of_few_rows_are_measured_on_a_model_without_a_file() {
    let sizes = ["--pp", "8", "--tg", "2", "--reps", "1", "-c", "64"];
    let args =
        [&["bench", "--synthetic", "llama-135m:q8_0", "--adapter", "cpu", "--small-m"][..], &sizes].concat();
    let found = json(&args, "");
    assert_eq!(
        (found["model"]["name"].as_str(), found["model"]["n_params"].as_u64()),
        (Some("random llama-135m:Q8_0"), Some(134_515_008))
    );
    let rows: Vec<u64> =
        found["small_m"].as_array().unwrap().iter().map(|cost| cost["rows"].as_u64().unwrap()).collect();
    assert_eq!(rows, [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]);
    let of_one = &found["small_m"][0];
    assert_eq!(of_one["chain_ratio"], 1.0);
    assert!(found["small_m"][9]["tree_ms"]["median"].as_f64() > of_one["tree_ms"]["median"].as_f64());
    refused(&["bench", "--synthetic", "llama-9b:Q4_0"], "", "E_USAGE");
    refused(&["bench", "--synthetic", "llama-1b:Q4_0", "-m", "smollm2-135m"], "", "E_USAGE");
}

/// On an adapter of software, so that the choice is there to be made.
#[test]
fn tuning_is_kept_used_and_passed_by() {
    let Some(path) = tiny("llama") else { return };
    let home = tempfile::tempdir().unwrap();
    let at_home = |args: &[&str]| {
        let output = goldcrest(args).env("GOLDCREST_HOME", home.path()).output().unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success() || err.contains("E_NO_ADAPTER"), "{args:?}: {err}");
        (output.status.success(), out)
    };
    // The CPU has nothing to choose from where weights are floats.
    let (_, said) = at_home(&["tune", "-m", &path, "--adapter", "cpu"]);
    assert!(said.contains("untuned"), "{said}");
    if !at_home(&["tune", "-m", &path, "--adapter", "llvmpipe", "--forget"]).0 {
        println!("skip: tuning: there is no llvmpipe; install mesa's Vulkan drivers");
        return;
    }
    let forms = |extra: &[&str]| -> Vec<String> {
        let args = [
            "bench",
            "-m",
            &path,
            "--adapter",
            "llvmpipe",
            "--pp",
            "8",
            "--tg",
            "2",
            "--reps",
            "1",
            "--json",
        ];
        let found: Value = serde_json::from_str(&at_home(&[&args[..], extra].concat()).1).unwrap();
        found["kernels"]["tuned"].as_array().unwrap().iter().map(|f| f.as_str().unwrap().to_owned()).collect()
    };
    assert!(forms(&[]).is_empty());
    // What is fastest differs from machine to machine.
    // What is forced is not tried, which leaves one entry: every form is compiled.
    let forced = [
        "soft=true",
        "soft_subgroup=false",
        "subgroups=1",
        "vec_lanes=1",
        "vec_block=4",
        "vec_groups=1",
        "rows_lanes=1",
        "rows_groups=1",
        "tile_from=128",
        "flash_from=1048576",
    ];
    let forced: Vec<&str> = forced.iter().flat_map(|form| ["--kernel", form]).collect();
    let (_, said) = at_home(&[&["tune", "-m", &path, "--adapter", "llvmpipe"][..], &forced].concat());
    assert!(said.contains("8 rows:"), "{said}");
    assert_eq!(forms(&[]).is_empty(), said.contains("untuned"), "{said}");
    assert!(forms(&["--deterministic"]).is_empty());
    at_home(&["tune", "-m", &path, "--adapter", "llvmpipe", "--forget"]);
    assert!(forms(&[]).is_empty());
}

/// A run needs less than two and a half times the file: loading keeps neither the file nor a second copy of the weights.
///
/// The first run fills the driver's shader cache; only the second counts. While llvmpipe compiles, its compiler alone
/// holds about 110 MB more.
#[cfg(target_os = "linux")]
#[test]
fn a_run_stays_small() {
    let Some(path) = model(SMOLLM2) else { return };
    let bound = std::fs::metadata(&path).unwrap().len() * 5 / 2;
    let args = ["run", "-m", &path, "-p", "The capital of France is", "-n", "4"];
    let peaks = [(); 2].map(|()| peak_bytes(&[&args[..], &["--json"]].concat()));
    println!("peaks {peaks:?} bytes; the bound is {bound}");
    assert!(peaks[1] > 0 && peaks[1] < bound, "peak {} bytes, the bound is {bound}", peaks[1]);
}

/// The most resident memory that was seen while the command ran.
#[cfg(target_os = "linux")]
fn peak_bytes(args: &[&str]) -> u64 {
    let mut child = goldcrest(args).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak =
            std::fs::read_to_string(&status).ok().and_then(|text| high_water(&text)).unwrap_or(0).max(peak);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    peak
}

#[cfg(target_os = "linux")]
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}
