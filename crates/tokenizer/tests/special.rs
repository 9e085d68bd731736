//! Special tokens in text, what is added around it, and which tokens end a generation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_tokenizer::{Encode, TokenType, Tokenizer, TokenizerSpec};

const CONTROL: i32 = 3;
const USER: i32 = 4;

const PLAIN: Encode = Encode { add_special: false, parse_special: false };
const PARSE: Encode = Encode { add_special: false, parse_special: true };
const ADD: Encode = Encode { add_special: true, parse_special: false };

/// Single letters, then the given pieces.
fn spec<'a>(more: &'a [(&'a str, i32)], types: &'a mut Vec<i32>) -> TokenizerSpec<'a> {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz<>|/_=[]";
    types.clear();
    types.extend(LETTERS.iter().map(|_| 1).chain(more.iter().map(|piece| piece.1)));
    TokenizerSpec {
        model: "gpt2",
        pre: Some("gpt-2"),
        pieces: Box::new(LETTERS.chunks(1).chain(more.iter().map(|piece| piece.0.as_bytes()))),
        token_types: Some(types),
        merges: Some(Box::new(std::iter::empty())),
        ..TokenizerSpec::default()
    }
}

fn texts(tokenizer: &Tokenizer, text: &str, options: Encode) -> Vec<String> {
    let text_of = |&id: &u32| String::from_utf8(tokenizer.piece(id).unwrap().to_vec()).unwrap();
    tokenizer.encode(text, options).iter().map(text_of).collect()
}

#[test]
fn control_tokens_need_to_be_asked_for_and_user_defined_do_not() {
    let mut types = vec![];
    let tokenizer = Tokenizer::new(spec(&[("<|im_end|>", CONTROL), ("<think>", USER)], &mut types)).unwrap();
    let text = "a<|im_end|><think>b";
    let plain = tokenizer.encode(text, PLAIN);
    assert!(plain.iter().all(|&id| tokenizer.token_type(id) != Some(TokenType::Control)));
    assert_eq!(texts(&tokenizer, text, PLAIN).last_chunk(), Some(&["<think>".to_owned(), "b".to_owned()]));
    assert_eq!(texts(&tokenizer, text, PARSE), ["a", "<|im_end|>", "<think>", "b"]);
    assert_eq!(tokenizer.decode(&plain, true), text);
    assert_eq!(tokenizer.decode(&tokenizer.encode(text, PARSE), true), "a<think>b");
}

#[test]
fn the_leftmost_then_the_longest_is_cut_out() {
    let mut types = vec![];
    let more = [("<a", USER), ("<ab", USER), ("<abcd", USER), ("<abcx", USER), ("==", USER), ("====", USER)];
    let tokenizer = Tokenizer::new(spec(&more, &mut types)).unwrap();
    let cut = |text| texts(&tokenizer, text, PLAIN);
    assert_eq!(cut("<abcd"), ["<abcd"]);
    assert_eq!(cut("<abce"), ["<ab", "c", "e"]);
    assert_eq!(cut("<abc"), ["<ab", "c"]);
    assert_eq!(cut("<<a<"), ["<", "<a", "<"]);
    assert_eq!(cut("======="), ["====", "==", "="]);
    assert_eq!(cut("<"), ["<"]);
    assert!(cut("").is_empty());
}

#[test]
fn bos_and_eos_are_added_where_the_model_asks() {
    let mut types = vec![];
    let more = [("<s>", CONTROL), ("</s>", CONTROL)];
    let added = |pre, add_bos, add_eos, types: &mut Vec<i32>| {
        let spec = TokenizerSpec {
            pre: Some(pre),
            bos: Some(34),
            eos: Some(35),
            add_bos,
            add_eos,
            ..spec(&more, types)
        };
        let tokenizer = Tokenizer::new(spec).unwrap();
        assert_eq!(tokenizer.encode("a", PLAIN), [0]);
        (tokenizer.encode("a", ADD), tokenizer.encode("", ADD))
    };
    assert_eq!(added("gpt-2", None, None, &mut types), (vec![0], vec![]));
    assert_eq!(added("llama-bpe", None, None, &mut types), (vec![34, 0], vec![34]));
    assert_eq!(added("tekken", None, None, &mut types), (vec![34, 0], vec![34]));
    assert_eq!(added("llama-bpe", Some(false), Some(true), &mut types), (vec![0, 35], vec![35]));
    assert_eq!(added("gpt-2", Some(true), Some(true), &mut types), (vec![34, 0, 35], vec![34, 35]));
}

#[test]
fn ends_of_generation_are_gathered_by_key_and_by_name() {
    let mut types = vec![];
    let eog = |more: &[(&str, i32)], types: &mut Vec<i32>| {
        let tokenizer = Tokenizer::new(TokenizerSpec { eos: Some(34), ..spec(more, types) }).unwrap();
        let names: Vec<_> = tokenizer.eog().iter().map(|&id| texts_of(&tokenizer, id)).collect();
        assert!(tokenizer.eog().iter().all(|&id| tokenizer.is_eog(id)));
        names
    };
    let names = ["<|endoftext|>", "<|eot_id|>", "<end_of_turn>", "<|fim_pad|>", "<|file_sep|>"];
    let control: Vec<_> = names.iter().map(|&name| (name, CONTROL)).collect();
    assert_eq!(eog(&control, &mut types), names);
    // One name of a kind: the second padding is text that a model may write.
    assert_eq!(
        eog(&[("<eos>", CONTROL), ("<|fim_pad|>", CONTROL), ("<PAD>", CONTROL)], &mut types),
        ["<eos>", "<|fim_pad|>"]
    );
    // Qwen's </s> is an ordinary piece; <|im_end|> never is, whatever the converter wrote.
    assert_eq!(
        eog(&[("<eos>", CONTROL), ("</s>", 1), ("<|im_end|>", 1)], &mut types),
        ["<eos>", "<|im_end|>"]
    );
    // Harmony: <|end|> ends a message, not the answer.
    let harmony = [("<|return|>", CONTROL), ("<|call|>", CONTROL), ("<|end|>", CONTROL)];
    assert_eq!(eog(&harmony, &mut types), ["<|return|>", "<|call|>"]);
    assert_eq!(eog(&harmony[1..], &mut types), ["<|call|>", "<|end|>"]);
}

fn texts_of(tokenizer: &Tokenizer, id: u32) -> String {
    String::from_utf8(tokenizer.piece(id).unwrap().to_vec()).unwrap()
}

#[test]
fn an_end_of_turn_that_users_could_type_becomes_a_control_token() {
    let mut types = vec![];
    let tokenizer = Tokenizer::new(spec(&[("<end_of_turn>", USER), ("<|im_end|>", 1)], &mut types)).unwrap();
    for text in ["<end_of_turn>", "<|im_end|>"] {
        assert!(tokenizer.encode(text, PLAIN).len() > 1, "{text}");
        assert_eq!(tokenizer.encode(text, PARSE).len(), 1, "{text}");
    }
    assert_eq!((tokenizer.eot(), tokenizer.eom()), (Some(35), None));
}

#[test]
fn sentencepiece_puts_its_space_at_the_start_and_after_special_tokens() {
    let pieces = ["<unk>", "<s>", "</s>", "▁", "a", "b", "▁a", "▁b", "<x>"];
    let scores = [0.0, 0.0, 0.0, -9.0, -8.0, -7.0, -2.0, -1.0, 0.0];
    let build = |prefix| {
        Tokenizer::new(TokenizerSpec {
            model: "llama",
            pieces: Box::new(pieces.iter().map(|piece| piece.as_bytes())),
            scores: Some(&scores),
            token_types: Some(&[2, 3, 3, 1, 1, 1, 1, 1, 4]),
            add_space_prefix: prefix,
            ..TokenizerSpec::default()
        })
        .unwrap()
    };
    let llama = build(None);
    assert_eq!(
        (llama.bos(), llama.eos(), llama.unk(), llama.adds_bos(), llama.adds_eos()),
        (Some(1), Some(2), Some(0), true, false)
    );
    assert_eq!(llama.encode("a b", ADD), [1, 6, 7]);
    assert_eq!(llama.encode("a<x>b</s>b", PARSE), [6, 8, 7, 2, 7]);
    assert_eq!(llama.encode("", ADD), [1]);
    assert_eq!(llama.encode("▁a", PLAIN), [3, 6]);
    // No byte tokens here: each byte of an unknown character is <unk>.
    assert_eq!(llama.encode("é", PLAIN), [3, 0, 0]);
    assert_eq!(llama.decode(&[1, 6, 7], true), "a b");
    let gemma = build(Some(false));
    assert_eq!(gemma.encode("a b", ADD), [1, 4, 7]);
    assert_eq!(gemma.decode(&[6], true), " a");
}

#[test]
fn pieces_are_found_by_their_text() {
    let mut types = vec![];
    let tokenizer = Tokenizer::new(spec(&[("Ġab", 1), ("<x>", CONTROL), ("[PAD9]", 5)], &mut types)).unwrap();
    assert_eq!(tokenizer.token_id(b" ab"), Some(34));
    assert_eq!(tokenizer.token_id(b"<x>"), Some(35));
    assert_eq!(tokenizer.token_id("Ġab".as_bytes()), None);
    assert!(tokenizer.is_special(35) && tokenizer.is_special(36) && !tokenizer.is_special(34));
}

/// "abc" by merges and as a token that they do not reach, and the two bytes of "é".
fn word_spec(pre: &str) -> TokenizerSpec<'_> {
    const PIECES: [&str; 8] = ["a", "b", "c", "ab", "abc", "Ã", "©", "Ã©"];
    TokenizerSpec {
        model: "gpt2",
        pre: Some(pre),
        pieces: Box::new(PIECES.iter().map(|piece| piece.as_bytes())),
        merges: Some(Box::new(["a b", "Ã ©"].iter().map(|rule| rule.as_bytes()))),
        ..TokenizerSpec::default()
    }
}

#[test]
fn whole_words_come_before_merges_where_the_model_says_so() {
    let encode = |pre| Tokenizer::new(word_spec(pre)).unwrap().encode("abc", PLAIN);
    assert_eq!((encode("gpt-2"), encode("qwen2")), (vec![3, 2], vec![3, 2]));
    assert_eq!((encode("llama-bpe"), encode("tekken"), encode("gpt-4o")), (vec![4], vec![4], vec![4]));
}

#[test]
fn qwen_composes_accents_and_others_do_not() {
    let encode = |pre| Tokenizer::new(word_spec(pre)).unwrap().encode("e\u{301}", PLAIN);
    assert_eq!(encode("qwen2"), [7]);
    assert_eq!(encode("qwen35"), [7]);
    // Neither "e" nor the accent has tokens here.
    assert!(encode("deepseek-r1-qwen").is_empty());
    assert!(encode("gpt-2").is_empty());
}
