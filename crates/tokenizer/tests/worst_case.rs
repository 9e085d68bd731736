//! Texts made to be slow. 100,000 repeated letters once took minutes in four well-known tokenizers; here time is
//! n log n, so that a quadratic step anywhere overruns the watchdog a hundred times over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{gguf, golden, model, spec, tokenizer};
use goldcrest_tokenizer::{Encode, Tokenizer};
use std::time::{Duration, Instant};

/// One name of each group of pre-tokenizers.
const RULES: [&str; 13] = [
    "gpt-2",
    "smollm",
    "llama-bpe",
    "glm4",
    "minicpm5",
    "qwen2",
    "stablelm2",
    "qwen35",
    "ufakzeka",
    "seed-coder",
    "tekken",
    "gpt-4o",
    "deepseek-v3",
];

const MIB: usize = 1 << 20;

/// Most time for one text of 1 MiB. A release build takes a tenth to half a second, a debug build on a busy machine
/// ten times that; n² steps at this length take a quarter of an hour and more.
const WATCHDOG: Duration = Duration::from_secs(20);

fn patterns() -> Vec<(&'static str, String)> {
    let mut seed = 1u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    })
    .take(1 << 16)
    .collect();
    let marks: String = std::iter::once('e').chain(std::iter::repeat_n('\u{301}', 100_000)).collect();
    let mixed: String = std::iter::once('e')
        .chain((0..100_000).map(|i| if i % 2 == 0 { '\u{301}' } else { '\u{323}' }))
        .collect();
    [
        ("a", "a".to_owned()),
        ("underscore", "_".to_owned()),
        ("space", " ".to_owned()),
        ("newline", "\n".to_owned()),
        ("spaces and newlines", "  \n \r\n\t".to_owned()),
        ("family", "👩‍👩‍👧".to_owned()),
        ("noise", String::from_utf8_lossy(&noise).into_owned()),
        ("marks", marks),
        ("two marks", mixed),
        ("digits", "1".to_owned()),
        ("upper", "A".to_owned()),
        ("mark and upper", "\u{301}AAAAAAAAAAAAAAAA".to_owned()),
        ("other letter and upper", "中AAAAAAAAAAAAAAAA".to_owned()),
        ("apostrophes", "'".to_owned()),
        ("half a special", "<|im_star".to_owned()),
        ("opening brackets", "<".to_owned()),
        ("NUL", "\0".to_owned()),
        ("hangul jamo", "\u{1100}\u{1161}\u{11a8}".to_owned()),
    ]
    .into_iter()
    .map(|(name, unit)| (name, unit.repeat(MIB / unit.len() + 1)))
    .collect()
}

/// Encodes the first eighth against a fifth of the watchdog, so that a quadratic step fails within a minute, then all.
fn encode_in_time(tokenizer: &Tokenizer, who: &str, name: &str, text: &str) -> Vec<u32> {
    let eighth = (0..=text.len() / 8).rev().find(|&at| text.is_char_boundary(at)).unwrap();
    timed(tokenizer, who, name, &text[..eighth], WATCHDOG / 5);
    timed(tokenizer, who, name, text, WATCHDOG)
}

fn timed(tokenizer: &Tokenizer, who: &str, name: &str, text: &str, limit: Duration) -> Vec<u32> {
    let start = Instant::now();
    let ids = tokenizer.encode(text, Encode { add_special: true, parse_special: true });
    let took = start.elapsed();
    assert!(took < limit, "{who}: {} bytes of {name} took {took:?}", text.len());
    if took > Duration::from_secs(1) {
        println!("{who}: {} bytes of {name} took {took:?}", text.len());
    }
    ids
}

#[test]
fn tiny_vocabularies() {
    let patterns = patterns();
    for name in ["llama", "llama_spm", "gemma3"] {
        let Some(path) = golden(&format!("tiny/{name}.gguf")) else { continue };
        let tokenizer = tokenizer(&path).unwrap();
        for (pattern, text) in &patterns {
            let ids = encode_in_time(&tokenizer, name, pattern, text);
            let start = Instant::now();
            assert_eq!(tokenizer.decode(&ids, true).len(), text.len(), "{name}: {pattern}");
            assert!(start.elapsed() < WATCHDOG);
        }
    }
}

#[test]
fn every_splitting_rule() {
    let Some(path) = golden("tiny/llama.gguf") else { return };
    let file = gguf(&path);
    let patterns = patterns();
    for pre in RULES {
        let tokenizer = Tokenizer::with_pre(spec(&file), pre).unwrap();
        for (pattern, text) in &patterns {
            // Half of it keeps the test short, and a quadratic step still takes minutes.
            let end = (0..=MIB / 2).rev().find(|&at| text.is_char_boundary(at)).unwrap();
            encode_in_time(&tokenizer, pre, pattern, &text[..end]);
        }
    }
}

#[test]
fn real_vocabularies() {
    for name in [
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "gemma-3-270m-q4_k_m.gguf",
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    ] {
        let Some(path) = model(name) else { continue };
        let tokenizer = tokenizer(&path).unwrap();
        for (pattern, text) in patterns() {
            encode_in_time(&tokenizer, name, pattern, &text);
        }
    }
}
