//! Streaming: what comes out piece by piece is what comes out at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{golden, model, tokenizer};
use goldcrest_tokenizer::{Encode, StreamDecoder, Tokenizer};
use proptest::prelude::*;

/// The repository's two small vocabularies: byte-level and SentencePiece with byte tokens.
fn tiny() -> Vec<Tokenizer> {
    let paths = ["llama", "llama_spm", "gemma3"].map(|name| golden(&format!("tiny/{name}.gguf")));
    let found: Vec<_> = paths.into_iter().flatten().map(|path| tokenizer(&path).unwrap()).collect();
    assert!(!found.is_empty(), "the repository carries at least one");
    found
}

fn joined(mut decoder: StreamDecoder<&Tokenizer>, ids: &[u32]) -> String {
    let mut text = String::new();
    for &id in ids {
        text.push_str(decoder.push(id));
        assert!(decoder.n_pending() <= 3, "{} bytes held back", decoder.n_pending());
    }
    text.push_str(decoder.finish());
    assert_eq!(decoder.n_pending(), 0);
    text
}

fn check(tokenizer: &Tokenizer, ids: &[u32]) {
    for skip_special in [false, true] {
        let bytes = tokenizer.decode_bytes(ids, skip_special);
        let whole = String::from_utf8_lossy(&bytes);
        assert_eq!(joined(StreamDecoder::new(tokenizer, skip_special), ids), whole, "{ids:?}");
        let stripped = joined(StreamDecoder::at_text_start(tokenizer, skip_special), ids);
        assert_eq!(stripped, tokenizer.decode(ids, skip_special));
        if !tokenizer.adds_space_prefix() {
            assert_eq!(stripped, whole);
        }
    }
}

#[test]
fn random_ids() {
    let tokenizers = tiny();
    let cases = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) };
    // A few ids lie outside; most sequences of this vocabulary are no UTF-8.
    proptest!(cases, |(ids in proptest::collection::vec(0..400u32, 0..40))| {
        for tokenizer in &tokenizers {
            check(tokenizer, &ids);
        }
    });
}

#[test]
fn random_text_comes_back() {
    let tokenizers = tiny();
    let cases = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) };
    let text = proptest::collection::vec(
        prop_oneof![
            any::<char>(),
            proptest::char::range(' ', '~'),
            proptest::sample::select(vec![' ', '\n', '👩', '\u{200d}'])
        ],
        0..40,
    );
    proptest!(cases, |(chars in text)| {
        // U+2581 is SentencePiece's own space.
        let text: String = chars.into_iter().filter(|&c| c != '\u{2581}').collect();
        for tokenizer in &tokenizers {
            let ids = tokenizer.encode(&text, Encode::default());
            check(tokenizer, &ids);
            prop_assert_eq!(tokenizer.decode(&ids, true), text.as_str());
        }
    });
}

#[test]
fn characters_come_whole_and_broken_ones_once() {
    let Some(path) = golden("tiny/llama_spm.gguf") else { return };
    let tokenizer = tokenizer(&path).unwrap();
    // Byte tokens are 3 + the byte in this vocabulary.
    let ids: Vec<u32> = "é😀".bytes().chain([0xf0, 0x9f]).map(|byte| u32::from(byte) + 3).collect();
    let mut decoder = StreamDecoder::new(&tokenizer, true);
    let steps: Vec<String> = ids.iter().map(|&id| decoder.push(id).to_owned()).collect();
    assert_eq!(steps, ["", "é", "", "", "", "😀", "", ""]);
    assert_eq!(decoder.push(u32::from(b'!') + 3), "\u{fffd}!");
    assert_eq!(decoder.finish(), "");
}

#[test]
fn a_continuation_keeps_its_space() {
    let Some(path) = golden("tiny/llama_spm.gguf") else { return };
    let tokenizer = std::sync::Arc::new(tokenizer(&path).unwrap());
    let ids = tokenizer.encode("a b", Encode { add_special: true, parse_special: false });
    assert_eq!(tokenizer.decode(&ids, true), "a b");
    assert_eq!(tokenizer.decode(&ids, false), "<s>a b");
    let mut decoder = StreamDecoder::new(std::sync::Arc::clone(&tokenizer), true);
    let text: String = ids.iter().map(|&id| decoder.push(id).to_owned()).collect();
    assert_eq!(text, " a b");
}

#[test]
fn real_vocabularies() {
    for name in ["SmolLM2-135M-Instruct.Q4_1.gguf", "gemma-3-270m-q4_k_m.gguf"] {
        let Some(path) = model(name) else { continue };
        let tokenizer = tokenizer(&path).unwrap();
        let n_vocab = u32::try_from(tokenizer.n_vocab()).unwrap();
        // A multiplicative walk meets every id when the step is odd and n_vocab a power of two times three.
        let walk: Vec<u32> = (0..n_vocab)
            .map(|i| u32::try_from(u64::from(i) * 40_503 % u64::from(n_vocab)).unwrap())
            .collect();
        for ids in walk.chunks(4096) {
            check(&tokenizer, ids);
        }
    }
}
