//! Early exit with a trained adapter behind the exit layer: the plain answer, and every guess accepted where the adapter is the identity
//! behind the last layer.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail loudly and say what they leave out")]

mod common;
mod real;

use std::path::PathBuf;
use std::rc::Rc;

use common::{BIGRAM, ask, bigram, far_sighted, head_file_of, outcome, row_of, sampled};
use goldcrest_decode::speculate::{HeadError, HeadFile, Speculate};
use goldcrest_decode::{Ask, DecodeError, Lm, Method, Outcome, Resources, TableLm, decode_with};
use goldcrest_gguf::Gguf;

const SETTINGS: [(&str, &str); 4] = [("kind", "kangaroo"), ("n_head", "1"), ("eps", "0"), ("layer", "1")];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

/// An adapter of width `n` that adds nothing, with this norm and output matrix.
fn identity(settings: &[(&str, &str)], norm: Vec<f32>, lm_head: Vec<f32>) -> Rc<HeadFile> {
    let n = norm.len();
    let square = |value: f32| (0..n * n).map(|i| value * (i % 7) as f32).collect::<Vec<_>>();
    let tensors = [
        ("input_norm.weight", vec![n], vec![1.0; n]),
        ("adapter.attn_q.weight", vec![n, n], square(0.1)),
        ("adapter.attn_k.weight", vec![n, n], square(0.2)),
        ("adapter.attn_v.weight", vec![n, n], square(0.3)),
        ("adapter.attn_output.weight", vec![n, n], square(0.0)),
        ("norm.weight", vec![n], norm),
        ("lm_head.weight", vec![lm_head.len() / n, n], lm_head),
    ];
    Rc::new(HeadFile::parse(head_file_of(settings, &tensors)).unwrap())
}

/// The identity behind the last layer of the table of four tokens, whose rows are one-hot: the norm makes 2 of 1.
fn of_the_table(settings: &[(&str, &str)]) -> Rc<HeadFile> {
    let column = |token: usize| BIGRAM.iter().map(move |row| row[token].ln() / 2.0);
    identity(settings, vec![1.0; 4], (0..4).flat_map(column).collect())
}

fn with(head: &Rc<HeadFile>, ask: Ask) -> Ask {
    Ask { resources: Resources { head: Some(Rc::clone(head)), ..Resources::default() }, ..ask }
}

fn tried(model: &mut TableLm, head: &Rc<HeadFile>, ask: Ask, spec: &str) -> Result<Outcome, DecodeError> {
    let got = pollster::block_on(decode_with(model, with(head, ask), &Speculate::parse(spec).unwrap()));
    assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
    got
}

fn tau(outcome: &Outcome) -> f64 {
    outcome.report["speculation"]["tau"].as_f64().unwrap()
}

#[test]
fn the_identity_behind_the_last_layer_is_always_right() {
    let head = of_the_table(&SETTINGS);
    for seed in 0..10 {
        for ask in [ask(61), sampled(61, seed)] {
            let got = tried(&mut bigram(), &head, ask, "exit:tokens=4,eta=0,plan=false").unwrap();
            assert_eq!(tau(&got), 5.0, "seed {seed}");
        }
        // One guess a pass where none is ever sure enough.
        let got = tried(&mut bigram(), &head, sampled(61, seed), "exit:eta=1,plan=false").unwrap();
        assert_eq!(tau(&got), 2.0, "seed {seed}");
    }
}

#[test]
fn an_adapter_of_any_weights_gives_the_plain_answer_and_cells() {
    let file = std::fs::read(folder().join("heads/tiny/kangaroo.safetensors")).unwrap();
    let head = Rc::new(HeadFile::parse(file).unwrap());
    let wide = || {
        let hidden = |context: &[u32]| row_of(context).iter().map(|v| v - 2.0).collect();
        let twelve = |context: &[u32]| [row_of(context), row_of(&context[1..])[..4].to_vec()].concat();
        TableLm::new(12, twelve).with_hidden(8, hidden).with_exits(4, |_, _| vec![0.0; 12])
    };
    for spec in
        ["exit:plan=false", "exit:eta=0,tokens=9,plan=false", "exit:layer=2,rows=3,eta=0,plan=false", "exit"]
    {
        let plain = outcome(&mut wide(), ask(60), "sample");
        let got = tried(&mut wide(), &head, ask(60), spec).unwrap();
        assert_eq!(got.tokens, plain.tokens, "{spec}");
    }
}

/// Two tokens behind the first of the answer, by an adapter that knows another table.
#[test]
fn an_adapter_leaves_the_distribution_as_it_is() {
    const N: u64 = 20_000;
    let other = |token: usize| {
        BIGRAM.iter().map(move |row| (0.5 * row[token] + 0.125 * token as f32 + 0.01).ln() / 2.0)
    };
    let head = identity(&SETTINGS, vec![1.0; 4], (0..4).flat_map(other).collect());
    let mut counts = [0.0; 16];
    for seed in 0..N {
        let got = tried(&mut bigram(), &head, sampled(3, seed), "exit:eta=0,tokens=2,plan=false").unwrap();
        counts[(4 * got.tokens[1] + got.tokens[2]) as usize] += 1.0;
    }
    let p = |a: usize, b: usize| {
        let reached: f32 = (0..4).map(|first| BIGRAM[0][first] * BIGRAM[first][a]).sum();
        f64::from(reached * BIGRAM[a][b])
    };
    let chi: f64 = (0..16)
        .map(|i| (i, p(i / 4, i % 4) * N as f64))
        .map(|(i, expected)| (f64::powi(counts[i] - expected, 2)) / expected)
        .sum();
    // Once in a thousand at 15 degrees of freedom.
    assert!(chi < 37.7, "{chi}");
}

#[test]
fn the_identity_behind_the_last_layer_of_a_real_model_is_always_right() {
    let Some(engine) = real::tiny("llama") else { return };
    let file = std::fs::read(folder().join("golden/tiny/llama.gguf")).unwrap();
    let gguf = Gguf::parse(&file).unwrap();
    let values = |name: &str| {
        let range = gguf.tensor_range(gguf.tensors.get(name)?);
        let bytes = &file[range.start as usize..range.end as usize];
        Some(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<f32>>())
    };
    let output = values("output.weight").or_else(|| values("token_embd.weight")).unwrap();
    let eps = gguf.metadata.get_f32("llama.attention.layer_norm_rms_epsilon").unwrap().to_string();
    let settings = [("kind", "kangaroo"), ("n_head", "1"), ("eps", eps.as_str()), ("layer", "2")];
    let head = identity(&settings, values("output_norm.weight").unwrap(), output);
    let prompt: Vec<u32> = (0..24).map(|i| (i * i * 7 + 3) % 256).collect();
    let plain = real::run(
        &engine,
        Ask { max_tokens: 41, ..Ask::new(prompt.clone()) },
        &Method::parse("sample").unwrap(),
    );
    let asked = with(&head, Ask { max_tokens: 41, ..Ask::new(prompt.clone()) });
    let got = real::run(&engine, asked, &Speculate::parse("exit:tokens=4,eta=0,plan=false").unwrap());
    real::compare(&engine, &prompt, &plain.tokens, &got.tokens, "the identity");
    assert!(tau(&got) > 4.8, "{}", got.report["speculation"]);
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let error = |head: &Rc<HeadFile>, spec: &str| tried(&mut bigram(), head, ask(4), spec).unwrap_err();
    let layer = error(&of_the_table(&SETTINGS), "exit:layer=2");
    let told = "exit: layer is 2; allowed is 1, which the adapter was trained for, or 0";
    assert_eq!(layer.to_string(), told);
    let mut settings = SETTINGS;
    settings[3].1 = "2";
    let beyond = error(&of_the_table(&settings), "exit");
    assert!(matches!(beyond, DecodeError::Head(HeadError::BadSetting { key: "layer", .. })), "{beyond}");
    let medusa = std::fs::read(folder().join("heads/tiny/medusa.safetensors")).unwrap();
    let other = error(&Rc::new(HeadFile::parse(medusa).unwrap()), "exit");
    assert!(matches!(other, DecodeError::Head(HeadError::WrongKind { kind: "medusa", .. })), "{other}");
    let wide = tried(&mut far_sighted(), &of_the_table(&SETTINGS), ask(4), "exit").unwrap_err();
    assert!(
        matches!(&wide, DecodeError::Head(HeadError::WrongShape { kind: "kangaroo", tensor, .. }) if tensor == "input_norm.weight"),
        "{wide}"
    );
    let guessing = error(&of_the_table(&SETTINGS), "head");
    assert!(
        matches!(guessing, DecodeError::Head(HeadError::WrongKind { kind: "kangaroo", .. })),
        "{guessing}"
    );
}
