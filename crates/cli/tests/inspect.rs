//! `inspect` as a process: what a file holds, the memory plan against what loading takes, refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod process;

use process::{SMOLLM2, json, model, refused, text, tiny};

#[test]
fn a_file_is_described() {
    let Some(path) = tiny("llama") else { return };
    let found = json(&["inspect", &path], "");
    assert_eq!((found["arch"].as_str(), found["file_type"].as_str()), (Some("llama"), Some("F32")));
    assert_eq!((found["n_vocab"].as_u64(), found["n_ctx_train"].as_u64()), (Some(384), Some(512)));
    assert!(found["tensors"].is_null(), "tensors only when asked for");
    let memory = &found["memory"];
    let part = |name: &str| memory[name].as_u64().unwrap();
    assert_eq!(part("n_ctx"), 512);
    assert_eq!(part("total"), part("weights") + part("scratch") + 512 * part("kv_per_token"));

    let found = json(&["inspect", "-m", &path, "--tensors", "-c", "64"], "");
    assert_eq!(found["memory"]["n_ctx"], 64);
    let tensors = found["tensors"].as_array().unwrap();
    let params: u64 = tensors
        .iter()
        .map(|t| t["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).product::<u64>())
        .sum();
    assert_eq!(Some(params), found["n_params"].as_u64());
    assert_eq!(found["types"]["F32"]["tensors"], tensors.len());
    assert_eq!(found["types"]["F32"]["bytes"], 4 * params);
}

#[test]
fn a_person_can_read_it() {
    let Some(path) = model(SMOLLM2) else { return };
    let shown = text(&["inspect", &path, "--tensors"], "");
    for part in [
        "llama",
        "134.5 million",
        "Q4_1",
        "8192 tokens",
        "apache-2.0",
        "weights",
        "total",
        "blk.0.attn_q.weight",
    ] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
}

#[test]
fn what_cannot_run_is_refused_with_the_reason() {
    let Some(path) = tiny("llama") else { return };
    refused(&["inspect", &path, "-c", "513"], "", "E_BAD_CONTEXT");
    refused(&["inspect", &path, "-m", &path], "", "E_USAGE");
    refused(&["inspect", "Cargo.toml"], "", "E_STORE_NOT_GGUF");
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.gguf");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&cut, &whole[..whole.len() - 100]).unwrap();
    refused(&["inspect", cut.to_str().unwrap()], "", "E_GGUF_TRUNCATED");
    for name in ["mamba", "bert", "t5", "q_IQ1_S"] {
        let Some(path) = tiny(name) else { continue };
        let code = if name == "q_IQ1_S" { "E_MODEL_UNSUPPORTED_TYPE" } else { "E_MODEL_UNSUPPORTED_ARCH" };
        refused(&["inspect", &path], "", code);
    }
}
