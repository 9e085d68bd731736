//! What a vocabulary costs: at most twice the bytes that it takes in a file, at the highest point of building too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use allocation_counter::measure;
use common::{gguf, model, spec};
use goldcrest_tokenizer::{Tokenizer, TokenizerError, TokenizerSpec};

/// Bytes of a string in a GGUF array.
fn string(text: &[u8]) -> u64 {
    8 + text.len() as u64
}

#[track_caller]
fn check(name: &str, in_file: u64, build: impl Fn() -> Result<Tokenizer, TokenizerError>) {
    let mut built = None;
    let peak = measure(|| built = Some(build())).bytes_max;
    let kind =
        built.unwrap().map_or_else(|error| error.to_string(), |tokenizer| tokenizer.n_vocab().to_string());
    println!("{name}: {in_file} bytes in the file, {peak} at most: {kind}");
    // The tables of a tokenizer without any token take a few KiB.
    assert!(peak <= 2 * in_file + (8 << 10), "{name}: {peak} bytes for {in_file} in the file");
}

#[test]
fn real_vocabularies() {
    for name in [
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "gemma-3-270m-q4_k_m.gguf",
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    ] {
        let Some(path) = model(name) else { continue };
        let file = gguf(&path);
        let tables = spec(&file);
        let floats = tables.scores.map_or(0, |scores| scores.len() as u64 * 4);
        let types = tables.token_types.map_or(0, |types| types.len() as u64 * 4);
        let merges: u64 = tables.merges.into_iter().flatten().map(string).sum();
        let in_file = tables.pieces.map(string).sum::<u64>() + merges + floats + types;
        check(name, in_file, || Tokenizer::new(spec(&file)));
    }
}

#[test]
fn pieces_as_short_as_they_can_be() {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut pieces: Vec<Vec<u8>> = ALPHABET.iter().map(|&letter| vec![letter]).collect();
    let mut merges = Vec::new();
    let mut grow = |from: std::ops::Range<usize>| {
        for left in from {
            for &letter in ALPHABET {
                let left = pieces[left].clone();
                merges.push([left.as_slice(), &[b' ', letter]].concat());
                pieces.push([left.as_slice(), &[letter]].concat());
            }
        }
    };
    grow(0..64);
    grow(64..64 + 64 * 64);
    let strings = |list: &[Vec<u8>]| list.iter().map(|text| string(text)).sum::<u64>();
    let build = |merges: &[Vec<u8>]| {
        Tokenizer::new(TokenizerSpec {
            model: "gpt2",
            pre: Some("gpt-2"),
            pieces: Box::new(pieces.iter().map(Vec::as_slice)),
            merges: Some(Box::new(merges.iter().map(Vec::as_slice))),
            ..TokenizerSpec::default()
        })
    };
    check("short pieces", strings(&pieces) + strings(&merges), || build(&merges));
    let same = vec![b"A B".to_vec(); 4 << 20];
    check("4 Mi merges", strings(&pieces) + strings(&same), || build(&same));
    check("no merges", strings(&pieces), || build(&[]));
}
