//! Token for token with the reference engines, on real vocabularies and on the tiny ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{golden, golden_json, ids, model, tokenizer};
use goldcrest_tokenizer::{Encode, Tokenizer};

const PLAIN: Encode = Encode { add_special: false, parse_special: false };
const PARSE: Encode = Encode { add_special: false, parse_special: true };
const ADD: Encode = Encode { add_special: true, parse_special: true };

/// Every case of a `*_tokenize.json`. Where the two references differ the model maker's ids count: it normalizes to
/// NFC, and takes `</s>` for text in a vocabulary where that is an ordinary piece.
fn check(tokenizer: &Tokenizer, name: &str) {
    let Some(json) = golden_json(&format!("public/{name}_tokenize.json")) else { return };
    let cases = json["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 61);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let parsed = tokenizer.encode(text, PARSE);
        if case["hf_agrees"] == false {
            // No special token occurs in these texts, as the model maker sees them.
            let expected = ids(&case["hf_ids"]);
            assert_eq!(parsed, expected, "{name}, the model maker's ids: {text:?}");
            assert_eq!(
                tokenizer.encode(text, PLAIN),
                expected,
                "{name}, the model maker's ids, plain: {text:?}"
            );
            continue;
        }
        assert_eq!(tokenizer.encode(text, PLAIN), ids(&case["ids_plain"]), "{name}, plain: {text:?}");
        assert_eq!(parsed, ids(&case["ids_parse_special"]), "{name}, parsed: {text:?}");
        assert_eq!(tokenizer.encode(text, ADD), ids(&case["ids_add_special"]), "{name}, added: {text:?}");
        assert_eq!(tokenizer.decode(&parsed, false), case["detok"].as_str().unwrap(), "{name}, text");
        let hex = |id: u32| {
            tokenizer.piece(id).unwrap().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let pieces: Vec<_> = parsed.iter().map(|&id| hex(id)).collect();
        assert_eq!(serde_json::json!(pieces), case["pieces_hex"], "{name}, pieces: {text:?}");
    }
}

#[test]
fn smollm2() {
    let Some(path) = model("SmolLM2-135M-Instruct.Q4_1.gguf") else { return };
    let tokenizer = tokenizer(&path).unwrap();
    check(&tokenizer, "smollm2");
    assert_eq!((tokenizer.n_vocab(), tokenizer.n_merges()), (49152, 48900));
    assert!(!tokenizer.adds_bos() && !tokenizer.adds_eos());
    // <|endoftext|>, <|im_end|>, and <reponame>, which ends a fill in the middle.
    assert_eq!(tokenizer.eog(), [0, 2, 4]);
    assert_eq!(tokenizer.eot(), Some(2));
}

#[test]
fn gemma3() {
    let Some(path) = model("gemma-3-270m-q4_k_m.gguf") else { return };
    let tokenizer = tokenizer(&path).unwrap();
    check(&tokenizer, "gemma3");
    assert_eq!(tokenizer.n_vocab(), 262_144);
    assert!(tokenizer.adds_bos() && !tokenizer.adds_space_prefix());
    assert!([1, 106].iter().all(|&id| tokenizer.is_eog(id)), "{:?}", tokenizer.eog());
}

#[test]
fn qwen25coder() {
    let Some(path) = model("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf") else { return };
    let tokenizer = tokenizer(&path).unwrap();
    check(&tokenizer, "qwen25coder");
    assert!([151_643, 151_645].iter().all(|&id| tokenizer.is_eog(id)), "{:?}", tokenizer.eog());
    assert!(!tokenizer.is_eog(128_247), "</s> is text here");
}

#[test]
fn tiny_models() {
    let names = [
        "llama",
        "llama_spm",
        "llama3_rope",
        "qwen2",
        "qwen3",
        "qwen3moe",
        "gemma2",
        "gemma3",
        "phi3",
        "mixtral",
        "qwen2moe",
        "olmoe",
        "mamba",
        "gpt2",
    ];
    let mut n = 0;
    for name in names {
        let (Some(path), Some(json)) =
            (golden(&format!("tiny/{name}.gguf")), golden_json(&format!("tiny/{name}.json")))
        else {
            continue;
        };
        let tokenizer = tokenizer(&path).unwrap();
        for case in json["tokenize"].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let encoded = tokenizer.encode(text, ADD);
            assert_eq!(encoded, ids(&case["ids"]), "{name}: {text:?}");
            assert_eq!(
                tokenizer.decode(&encoded, true),
                text.replace("<|im_end|>", removed(&tokenizer)),
                "{name}"
            );
            n += 1;
        }
    }
    assert!(n >= 40, "only {n} cases: the golden files in the repository cover more");
}

/// What is left of `<|im_end|>` when special tokens are skipped: all of it where the vocabulary has no such token.
fn removed(tokenizer: &Tokenizer) -> &'static str {
    if tokenizer.token_id(b"<|im_end|>").is_some() { "" } else { "<|im_end|>" }
}

#[test]
fn files_of_other_families_are_refused_by_name() {
    for (name, model) in [("bert", "bert"), ("t5", "t5")] {
        let Some(path) = golden(&format!("tiny/{name}.gguf")) else { continue };
        let error = tokenizer(&path).unwrap_err();
        assert_eq!(error, goldcrest_tokenizer::TokenizerError::UnsupportedModel { model: model.into() });
    }
}
