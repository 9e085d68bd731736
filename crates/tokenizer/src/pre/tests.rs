//! The scanners against the models' own expressions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use super::{Pre, known_pre_names};
use fancy_regex::Regex;
use proptest::prelude::*;

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const UFAKZEKA: &str = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const BAILING: &str =
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const SEED: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;

/// One name of each group, and the expressions that its tokenizer.json applies one after the other.
const EXPRESSIONS: [(&str, &[&str]); 14] = [
    ("gpt-2", &[GPT2]),
    ("smollm", &[r"\p{N}", GPT2]),
    ("llama-bpe", &[LLAMA3]),
    ("glm4", &[LLAMA3]),
    ("minicpm5", &[r"\p{N}{1,3}", LLAMA3]),
    ("qwen2", &[QWEN2]),
    ("stablelm2", &[QWEN2]),
    ("llada-moe", &[BAILING]),
    ("qwen35", &[QWEN35]),
    ("ufakzeka", &[UFAKZEKA]),
    ("seed-coder", &[SEED]),
    ("tekken", &[TEKKEN]),
    ("gpt-4o", &[GPT4O]),
    ("deepseek-v3", &[r"\p{N}{1,3}", r"[\u{4e00}-\u{9fa5}\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+", DEEPSEEK3]),
];

/// Splits as the `Split` pre-tokenizer with behaviour "isolated" does: matches, and what lies between them.
fn isolate<'t>(expression: &Regex, texts: Vec<&'t str>) -> Vec<&'t str> {
    let mut words = Vec::new();
    for text in texts {
        let mut end = 0;
        for found in expression.find_iter(text) {
            let found = found.unwrap();
            words.extend([&text[end..found.start()], found.as_str()]);
            end = found.end();
        }
        words.push(&text[end..]);
    }
    words.retain(|word| !word.is_empty());
    words
}

fn split<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
    let mut words = Vec::new();
    Pre::by_name(name).unwrap().split(text, |word| words.push(word));
    words
}

/// Characters of every class that a rule tells apart, the ASCII ones that mean something, and neighbours of ranges.
fn alphabet() -> impl Strategy<Value = String> {
    let chars: Vec<char> = "aAzZsStTdDmMlLvVeErR019'  \t\r\n/.-_!$(\u{0}\u{a0}\u{2028}\u{3000}éÉǅʰªß中龥龦぀ヿ가\u{301}\u{903}\u{20dd}½٣Ⅷ²€+\u{200d}\u{feff}\u{e000}\u{378}😀👍🏽"
        .chars()
        .collect();
    let word = prop_oneof![
        8 => proptest::sample::select(chars).prop_map(String::from),
        1 => any::<char>().prop_map(String::from),
        1 => proptest::sample::select(vec!["'s", "'LL", "'re", "   ", "\r\n\r\n", "123456", "ABC", "abc", "\n ", "ſ"])
            .prop_map(String::from),
    ];
    proptest::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

#[test]
fn scanners_equal_the_expressions() {
    let compiled: Vec<(&str, Vec<Regex>)> = EXPRESSIONS
        .iter()
        .map(|&(name, sources)| (name, sources.iter().map(|source| Regex::new(source).unwrap()).collect()))
        .collect();
    let cases = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) };
    proptest!(cases, |(text in alphabet())| {
        // Case folding makes ſ an s in these expressions, of which no text was ever trained on.
        prop_assume!(!text.contains("'ſ"));
        for (name, stages) in &compiled {
            let expected = stages.iter().fold(vec![text.as_str()], |words, stage| isolate(stage, words));
            prop_assert_eq!(split(name, &text), expected, "{}: {:?}", name, text);
        }
    });
}

#[test]
fn names_are_unique_and_every_rule_is_lossless() {
    let mut names: Vec<_> = known_pre_names().collect();
    let text = "I'm  12345 ÉCOLE's\r\n\r\n中文\u{200d} \t x";
    for name in &names {
        assert_eq!(split(name, text).concat(), text, "{name}");
    }
    let n = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), n);
}
