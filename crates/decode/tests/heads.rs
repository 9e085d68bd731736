//! Draft heads on a table model and on real ones: the answer of plain decoding, in fewer passes where a head knows something.
//!
//! Without SmolLM2 in the store its part is skipped, with a line that says so. `GOLDCREST_FULL=1` measures the committed head.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail loudly and say what they leave out")]

mod common;
mod real;

use std::path::PathBuf;
use std::rc::Rc;

use common::{ask, bigram, outcome, sampled};
use goldcrest_decode::speculate::{HeadError, HeadFile, Speculate};
use goldcrest_decode::{Ask, DecodeError, Lm, Method, Outcome, Resources, TableLm, decode_with};
use goldcrest_sample::SamplerParams;
use serde_json::{Map, Value, json};

const KINDS: [&str; 9] =
    ["medusa", "hydra", "clover", "chimera", "hidden_transfer", "ppd", "eagle", "eagle3", "fspad"];

/// Name, shape and values.
type Tensor = (String, Vec<usize>, Vec<f32>);

/// A safetensors file of float32.
fn file(settings: &Value, tensors: &[Tensor]) -> Rc<HeadFile> {
    file_with(settings, tensors, 0)
}

/// The same with the first `n_draft` tokens as its draft vocabulary.
fn file_with(settings: &Value, tensors: &[Tensor], n_draft: usize) -> Rc<HeadFile> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    header.insert("__metadata__".into(), settings.clone());
    for (name, shape, values) in tensors {
        let begin = data.len();
        data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        let entry = json!({ "dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()] });
        header.insert(name.clone(), entry);
    }
    if n_draft > 0 {
        let begin = data.len();
        data.extend(vec![0; 4 * n_draft]);
        let entry = json!({ "dtype": "I32", "shape": [n_draft], "data_offsets": [begin, data.len()] });
        header.insert("d2t".into(), entry);
    }
    let text = Value::Object(header).to_string();
    let bytes = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &data].concat();
    Rc::new(HeadFile::parse(bytes).unwrap())
}

fn committed(path: &str) -> Rc<HeadFile> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/heads").join(path);
    Rc::new(HeadFile::parse(std::fs::read(path).unwrap()).unwrap())
}

fn with(head: &Rc<HeadFile>, ask: Ask) -> Ask {
    Ask { resources: Resources { head: Some(Rc::clone(head)), ..Resources::default() }, ..ask }
}

fn run(model: &mut TableLm, ask: Ask, spec: &str) -> Outcome {
    let got = pollster::block_on(decode_with(model, ask, &Speculate::parse(spec).unwrap())).unwrap();
    assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
    got
}

fn tau(outcome: &Outcome) -> f64 {
    outcome.report["speculation"]["tau"].as_f64().unwrap()
}

fn mixed(state: u32, token: u32) -> u32 {
    (state ^ (token + 1)).wrapping_mul(0x9E37_79B1).rotate_left(13)
}

/// Twelve tokens, rows of eight, four layers, everything dependent on every token before.
fn wide() -> TableLm {
    let state = |context: &[u32]| context.iter().copied().fold(0x811C_9DC5, mixed);
    let values = move |context: &[u32], n: u32, salt: u32| -> Vec<f32> {
        let state = mixed(state(context), salt);
        (0..n).map(|i| (mixed(state, i) >> 8) as f32 / (1 << 22) as f32).collect()
    };
    TableLm::new(12, move |context| values(context, 12, 77))
        .with_hidden(8, move |context| values(context, 8, 78).iter().map(|v| v - 2.0).collect())
        .with_exits(4, move |context, layer| values(context, 12, layer))
}

#[test]
fn heads_of_any_weights_give_the_plain_answer_and_cells() {
    for kind in KINDS {
        let head = committed(&format!("tiny/{kind}.safetensors"));
        for rows in [1, 2, 5, 12, 64] {
            let plain = outcome(&mut wide(), ask(40), "sample");
            let got = run(&mut wide(), with(&head, ask(40)), &format!("head:rows={rows},plan=false"));
            assert_eq!(got.tokens, plain.tokens, "{kind}, {rows} rows");
            assert!(rows > 1 || tau(&got) == 1.0, "{kind}: {}", tau(&got));
        }
        // One draw per node: a seed gives the same answer, so that the distribution is the same too.
        for seed in 0..20 {
            let sampler = SamplerParams { seed, temperature: 0.5, ..SamplerParams::neutral() };
            let make = || Ask { sampler: sampler.clone(), ..sampled(40, seed) };
            let plain = outcome(&mut wide(), make(), "sample");
            let got = run(&mut wide(), with(&head, make()), "head:width=3,depth=3");
            assert_eq!((got.tokens, got.logprobs), (plain.tokens, plain.logprobs), "{kind}, seed {seed}");
        }
    }
}

/// Chi-square over all sequences of two tokens behind the prompt, for a few seeds apart.
#[test]
fn heads_leave_the_distribution_as_it_is() {
    type Case = (Rc<HeadFile>, fn() -> TableLm);
    const N: u32 = 6000;
    let cases: [Case; 2] = [(follower(0, 3), bigram), (prompts(), || blank(0.1))];
    for (head, model) in cases {
        for group in 0..5 {
            let seeds = |round: u32| (0..N).map(move |i| u64::from((group + round) * N + i));
            let count = |answers: &mut dyn Iterator<Item = Outcome>| {
                let mut counts = vec![0u32; 25];
                answers.for_each(|got| counts[(5 * got.tokens[1] + got.tokens[2]) as usize] += 1);
                counts
            };
            let with_head = |seed| run(&mut model(), with(&head, sampled(3, seed)), "head:plan=false");
            let counts = count(&mut seeds(0).map(with_head));
            let plain = count(&mut seeds(9).map(|seed| outcome(&mut model(), sampled(3, seed), "sample")));
            // Two samples of one distribution, at most 24 degrees of freedom: 51.2 is passed once in a thousand.
            let pairs = counts.iter().zip(&plain).filter(|(a, b)| **a + **b > 0);
            let chi: f64 =
                pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2) / f64::from(a + b)).sum();
            assert!(chi < 51.2, "{}, group {group}: {chi}", head.name());
        }
    }
}

/// A Medusa head of `heads` guesses for the bigram's greedy text, each off by `shift`: its output matrices know what
/// comes so many tokens behind the one-hot row of the last token.
fn follower(shift: u32, heads: usize) -> Rc<HeadFile> {
    const NEXT: [usize; 4] = [1, 3, 0, 0];
    let mut tensors = Vec::new();
    for k in 0..heads {
        tensors.push((format!("head.{k}.linear.weight"), vec![4, 4], vec![0.0; 16]));
        let mut output = vec![0.0; 16];
        for last in 0..4 {
            let far = (0..k + 2).fold(last, |token, _| NEXT[token]);
            output[(far + shift as usize) % 4 * 4 + last] = 9.0;
        }
        tensors.push((format!("head.{k}.lm_head.weight"), vec![4, 4], output));
    }
    file(&json!({ "kind": "medusa" }), &tensors)
}

#[test]
fn a_head_that_knows_is_taken_whole_and_one_that_errs_costs_nothing_but_rows() {
    let plain = outcome(&mut bigram(), ask(61), "sample");
    for (shift, want) in [(0, 5.0), (2, 1.0)] {
        let ask = with(&follower(shift, 4), ask(61));
        let got = run(&mut bigram(), ask, "head:width=1,depth=4,rows=5,plan=false");
        assert_eq!(got.tokens, plain.tokens);
        // The first token is the prompt's; then 12 passes of 4 + 1.
        assert_eq!(tau(&got), want, "{:?}", got.report);
    }
}

/// Four tokens that count round, and a blank that asks one further: behind n blanks stands what comes n tokens later.
fn blank(sharp: f32) -> TableLm {
    TableLm::new(5, move |context| {
        let blanks = context.iter().rev().take_while(|token| **token == 4).count();
        let last = context.iter().rev().find(|token| **token != 4).copied().unwrap_or(0);
        let next = (last as usize + 1 + blanks) % 4;
        (0..5).map(|id| if id == next { 12.0 * sharp } else { -(id as f32) }).collect()
    })
    .with_exits(4, |_, _| vec![0.0; 5])
}

fn prompts() -> Rc<HeadFile> {
    let rows = [0.0, 0.0, 0.0, 0.0, 1.0].repeat(3);
    file(&json!({ "kind": "ppd" }), &[("prompt_emb".into(), vec![3, 5], rows)])
}

#[test]
fn rows_of_the_pass_itself_say_what_follows() {
    // Whatever the row of a node is, it becomes the blank.
    let transfer = [vec![0.0; 20], vec![1.0; 5]].concat();
    let transfers: Vec<_> =
        (0..3).map(|k| (format!("transfer.{k}.weight"), vec![5, 5], transfer.clone())).collect();
    let joined = file(&json!({ "kind": "hidden_transfer", "layers": "1,2,2" }), &transfers);
    for head in [prompts(), joined] {
        let plain = outcome(&mut blank(1.0), ask(60), "sample");
        let got = run(&mut blank(1.0), with(&head, ask(60)), "head:width=1,plan=false");
        assert_eq!(got.tokens, plain.tokens, "{}", head.name());
        assert!(tau(&got) > 3.5, "{}: {:?}", head.name(), got.report);
        // With room for the newest token alone there is neither a guess nor a row behind one.
        let got = run(&mut blank(1.0), with(&head, ask(60)), "head:rows=1,plan=false");
        assert_eq!((tau(&got), got.report["rows"].as_u64()), (1.0, Some(60)), "{}", head.name());
    }
}

#[test]
fn a_head_that_is_missing_or_for_another_model_is_refused() {
    let error = |ask: Ask| {
        let method = Speculate::parse("head").unwrap();
        pollster::block_on(decode_with(&mut bigram(), ask, &method)).unwrap_err()
    };
    assert!(matches!(error(ask(4)), DecodeError::MissingResource { what: "the file of a draft head", .. }));
    for kind in KINDS {
        let found = error(with(&committed(&format!("tiny/{kind}.safetensors")), ask(4)));
        let other = matches!(&found, DecodeError::Head(HeadError::WrongShape { n_embd: 4, n_vocab: 4, .. }));
        let shallow = matches!(&found, DecodeError::Head(HeadError::BadSetting { key: "layers", .. }));
        assert!(other || shallow && kind == "hidden_transfer", "{kind}: {found}");
        assert!(found.to_string().contains(kind), "{found}");
    }
}

/// Numbers between -0.5 and 0.5 that mean nothing.
fn random(name: String, shape: &[usize]) -> Tensor {
    let salt = name.bytes().fold(7, |state, byte| mixed(state, u32::from(byte)));
    let n: usize = shape.iter().product();
    let values = (0..n as u32).map(|i| (mixed(salt, i) >> 8) as f32 / (1 << 24) as f32 - 0.5).collect();
    (name, shape.to_vec(), values)
}

/// Heads of random weights for rows of `n`, one of every way to read the model.
fn strangers(n: usize) -> Vec<Rc<HeadFile>> {
    let layer = |columns: usize| {
        let shapes = [
            ("attn_q", vec![n, columns]),
            ("attn_k", vec![n, columns]),
            ("attn_v", vec![n, columns]),
            ("attn_output", vec![n, n]),
            ("post_norm", vec![n]),
            ("ffn_gate", vec![n, n]),
            ("ffn_up", vec![n, n]),
            ("ffn_down", vec![n, n]),
        ];
        shapes.map(|(name, shape)| random(format!("layer.{name}.weight"), &shape)).to_vec()
    };
    let named = |list: &[(&str, &[usize])]| -> Vec<_> {
        list.iter().map(|(name, shape)| random((*name).to_owned(), shape)).collect()
    };
    vec![
        drafting(
            &json!({ "kind": "medusa" }),
            named(&[("head.0.linear.weight", &[n, n]), ("head.1.linear.weight", &[n, n])]),
            n,
        ),
        drafting(
            &json!({ "kind": "eagle", "n_head": "2" }),
            [named(&[("fc.weight", &[n, 2 * n])]), layer(n)].concat(),
            n,
        ),
        drafting(
            &json!({ "kind": "eagle3", "n_head": "2", "layers": "1,1,1" }),
            [
                named(&[
                    ("fc.weight", &[n, 3 * n]),
                    ("embedding_norm.weight", &[n]),
                    ("hidden_norm.weight", &[n]),
                    ("norm.weight", &[n]),
                ]),
                layer(2 * n),
            ]
            .concat(),
            n,
        ),
        file(&json!({ "kind": "ppd" }), &named(&[("prompt_emb", &[3, n])])),
        file(
            &json!({ "kind": "hidden_transfer", "layers": "1,1" }),
            &named(&[("transfer.0.weight", &[n, n]), ("transfer.1.weight", &[n, n])]),
        ),
    ]
}

/// The file with an output matrix of its own for the first 64 tokens: a model's need not be its embeddings.
fn drafting(settings: &Value, mut tensors: Vec<Tensor>, n: usize) -> Rc<HeadFile> {
    tensors.push(random("lm_head.weight".into(), &[64, n]));
    file_with(settings, &tensors, 64)
}

#[test]
fn tiny_models_answer_as_they_do_alone() {
    for name in ["llama", "gemma2", "gemma3", "gpt2", "olmoe", "phi3", "qwen2", "qwen3"] {
        let Some(engine) = real::tiny(name) else { continue };
        let (n_vocab, n_embd) = {
            let runtime = engine.runtime().borrow();
            (runtime.config().n_vocab, runtime.config().n_embd as usize)
        };
        let prompt: Vec<u32> = (0..24).map(|i| (i * i * 7 + 3) % n_vocab).collect();
        let plain = real::run(
            &engine,
            Ask { max_tokens: 24, ..Ask::new(prompt.clone()) },
            &Method::parse("sample").unwrap(),
        );
        for head in strangers(n_embd) {
            let ask = with(&head, Ask { max_tokens: 24, ..Ask::new(prompt.clone()) });
            let got = real::run(&engine, ask, &Speculate::parse("head:width=3,plan=false").unwrap());
            real::compare(&engine, &prompt, &plain.tokens, &got.tokens, &format!("{name}, {}", head.name()));
            let rows = got.report["speculation"]["mean_rows"].as_f64().unwrap();
            assert!(rows > 2.0, "{name}, {}: {rows} rows a pass", head.name());
        }
    }
}

/// The committed head at work. What it was trained on is in `tests/heads/topics.json`, none of it in `tests/prompts`.
#[test]
fn the_committed_head_helps_smollm2() {
    let Some(engine) = real::smollm2() else { return };
    let head = committed("smollm2-medusa.safetensors");
    let (sets, n, each): (&[&str], _, _) =
        if real::full() { (&["chat", "quote", "edit", "json"], 128, 99) } else { (&["chat"], 32, 2) };
    for set in sets {
        let (mut tokens, mut steps, mut rows) = (0.0, 0.0, 0.0);
        for prompt in real::prompts(&engine, set).into_iter().take(each) {
            let ask = || Ask { max_tokens: n, ..Ask::new(prompt.clone()) };
            let plain = real::run(&engine, ask(), &Method::parse("sample").unwrap());
            let method = Speculate::parse("head:rows=8,plan=false").unwrap();
            let got = real::run(&engine, with(&head, ask()), &method);
            real::compare(&engine, &prompt, &plain.tokens, &got.tokens, "the committed head");
            let s = &got.report["speculation"];
            let n = s["steps"].as_f64().unwrap();
            (tokens, steps) = (tokens + s["tau"].as_f64().unwrap() * n, steps + n);
            rows += s["mean_rows"].as_f64().unwrap() * n;
        }
        println!("{set}: {:.2} tokens a pass of {:.1} rows", tokens / steps, rows / steps);
        assert!(tokens / steps > 1.15, "{set}: {}", tokens / steps);
    }
}
