//! Contrasts and cascades against a plain reading of their formulas, on models that see every token before.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::cell::Cell;
use std::rc::Rc;

use common::{ask, far_sighted, row_of, sampled};
use goldcrest_decode::{
    Ask, DecodeError, Lm, Method, Outcome, Remote, RemoteAnswer, Resources, TableLm, decode_among,
};

const STEPS: usize = 24;

/// Logits of another model of eight tokens.
fn other_row(context: &[u32]) -> Vec<f32> {
    row_of(&context.iter().map(|token| 7 - token).collect::<Vec<_>>())
}

/// Logits before a layer.
fn early_row(layer: u32, context: &[u32]) -> Vec<f32> {
    row_of(&context.iter().copied().chain([layer % 8]).collect::<Vec<_>>())
}

/// The model, its other, both of six layers.
fn models() -> (TableLm, TableLm) {
    let other =
        TableLm::new(8, other_row).with_exits(6, |context, layer| other_row(&[context, &[layer]].concat()));
    (far_sighted().with_exits(6, |context, layer| early_row(layer, context)), other)
}

fn asked(references: &[&[u32]]) -> Ask {
    let references = references.iter().map(|reference| reference.to_vec()).collect();
    let prompt = vec![5, 1, 6, 2];
    Ask { prompt, resources: Resources { references, ..Resources::default() }, ..ask(STEPS) }
}

fn run(ask: Ask, spec: &str) -> Result<Outcome, DecodeError> {
    let (mut model, mut other) = models();
    let method = Method::parse(spec).unwrap();
    let outcome = pollster::block_on(decode_among(&mut model, vec![&mut other], ask, &method));
    for model in [&model, &other] {
        assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
    }
    outcome
}

fn log_softmax(row: &[f32], temperature: f64) -> Vec<f64> {
    let total: f64 = row.iter().map(|l| (f64::from(*l) / temperature).exp()).sum();
    row.iter().map(|l| f64::from(*l) / temperature - total.ln()).collect()
}

/// Greedy tokens of a formula: from the number of tokens, the base row, and what is written, to scores.
fn greedy(prompt: &[u32], gate: f64, score: impl Fn(usize, &[u32]) -> Vec<f64>) -> Vec<u32> {
    let mut written = Vec::new();
    for t in 0..STEPS {
        let base = log_softmax(&row_of(&[prompt, &written[..]].concat()), 1.0);
        let best = base.iter().copied().fold(f64::MIN, f64::max);
        let scores = score(t, &written);
        let plausible = (0..8_usize).filter(|id| gate == 0.0 || base[*id] >= best + gate.ln());
        written.push(plausible.max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap() as u32);
    }
    written
}

fn sum(parts: &[(f64, Vec<f64>)]) -> Vec<f64> {
    (0..8).map(|id| parts.iter().map(|(weight, row)| weight * row[id]).sum()).collect()
}

#[test]
fn every_contrast_follows_its_formula() {
    let prompt = [5, 1, 6, 2];
    let (one, two): (&[u32], &[u32]) = (&[6, 2], &[3]);
    let ours = |written: &[u32]| log_softmax(&row_of(&[&prompt, written].concat()), 1.0);
    let at = |reference: &[u32], written: &[u32]| log_softmax(&row_of(&[reference, written].concat()), 1.0);
    let theirs = |written: &[u32], t: f64| log_softmax(&other_row(&[&prompt, written].concat()), t);
    let plain = greedy(&prompt, 0.0, |_, w| ours(w));

    let expected = greedy(&prompt, 0.0, |_, w| sum(&[(1.5, ours(w)), (-0.5, at(one, w))]));
    assert_eq!(run(asked(&[one]), "context_aware").unwrap().tokens, expected);
    assert_ne!(expected, plain);

    let expected =
        greedy(&prompt, 0.1, |_, w| sum(&[(2.0, ours(w)), (-0.5, at(one, w)), (-0.5, at(two, w))]));
    assert_eq!(run(asked(&[one, two]), "debias-sampling").unwrap().tokens, expected);

    let expected = greedy(&prompt, 0.2, |_, w| sum(&[(1.7, ours(w)), (-0.7, at(two, w))]));
    assert_eq!(run(asked(&[two]), "leading_query:alpha=0.7,beta=0.2").unwrap().tokens, expected);

    let weight = |t: usize| ((0.2 * t as f64).exp() - 1.0).min(3.0);
    let expected = greedy(&prompt, 0.1, |t, w| sum(&[(1.0 + weight(t), ours(w)), (-weight(t), at(one, w))]));
    let spec = "prompt_amplification:lambda=0.2,max_weight=3";
    assert_eq!(run(asked(&[one]), spec).unwrap().tokens, expected);

    let expected = greedy(&prompt, 0.1, |_, w| sum(&[(1.0, ours(w)), (-1.0, theirs(w, 0.5))]));
    let got = run(asked(&[]), "contrastive_decoding").unwrap();
    assert_eq!((got.tokens, got.report["other_passes"].as_u64()), (expected, Some(STEPS as u64)));

    let early = |layer, w: &[u32]| log_softmax(&early_row(layer, &[&prompt, w].concat()), 1.0);
    let expected = greedy(&prompt, 0.1, |_, w| sum(&[(1.0, ours(w)), (-1.0, early(4, w))]));
    let got = run(asked(&[]), "dola:layer=4").unwrap();
    assert_eq!(got.tokens, expected);
    // An exit and the rest of the layers, once a token.
    assert_eq!(got.report["passes"], 2 * STEPS);

    let their_early = |w: &[u32]| log_softmax(&other_row(&[&prompt, w, &[2]].concat()), 1.0);
    let expected = greedy(&prompt, 0.1, |_, w| {
        sum(&[(1.0, ours(w)), (-1.0, theirs(w, 1.0)), (0.5, early(2, w)), (-0.5, their_early(w))])
    });
    assert_eq!(run(asked(&[]), "lower_layer:layer=2").unwrap().tokens, expected);
}

#[test]
fn dola_takes_the_layer_that_is_farthest_from_the_last() {
    // Only layer 3 of the upper half says something else than the last.
    let early =
        |context: &[u32], layer: u32| if layer == 5 { early_row(0, context) } else { row_of(context) };
    let mut model = far_sighted().with_exits(6, early);
    let method = Method::parse("dola:layers=high").unwrap();
    let outcome = pollster::block_on(decode_among(&mut model, Vec::new(), asked(&[]), &method)).unwrap();
    assert!(outcome.report["layers"].as_array().unwrap().iter().all(|layer| *layer == 5));
}

#[test]
fn a_sampled_contrast_has_the_distribution_of_its_formula() {
    const DRAWS: u64 = 8000;
    let row = |context: &[u32]| log_softmax(&row_of(context), 1.0);
    let mixed: Vec<f32> = sum(&[(1.5, row(&[0])), (-0.5, row(&[3]))]).iter().map(|l| *l as f32).collect();
    let expected: Vec<f64> = log_softmax(&mixed, 1.0).iter().map(|l| l.exp() * DRAWS as f64).collect();
    let mut seen = [0.0; 8];
    for seed in 0..DRAWS {
        let resources = Resources { references: vec![vec![3]], ..Resources::default() };
        let outcome = run(Ask { resources, ..sampled(1, seed) }, "context_aware").unwrap();
        seen[outcome.tokens[0] as usize] += 1.0;
    }
    // Classes of fewer than five expected draws count together with the first.
    let (mut chi, mut rest) = (0.0, (0.0, 0.0));
    for (seen, expected) in seen.iter().zip(&expected) {
        if *expected < 5.0 {
            rest = (rest.0 + seen, rest.1 + expected);
        } else {
            chi += (seen - expected).powi(2) / expected;
        }
    }
    if rest.1 > 0.0 {
        chi += (rest.0 - rest.1).powi(2) / rest.1.max(1.0);
    }
    // 0.999 of the chi-square distribution with seven degrees of freedom.
    assert!(chi < 24.32, "{chi}: {seen:?}, {expected:?}");
}

#[test]
fn turns_follow_the_entropy_and_nobody_misses_a_token() {
    let entropy = |row: &[f32]| log_softmax(row, 1.0).iter().map(|l| -l * l.exp()).sum::<f64>() / 2f64.ln();
    let (prompt, tau) = ([5, 1, 6, 2], 2.4);
    let (mut context, mut large, mut expected, mut large_tokens) = (prompt.to_vec(), false, Vec::new(), 0);
    for _ in 0..STEPS {
        let row = |large: bool| if large { row_of(&context) } else { other_row(&context) };
        large = entropy(&row(large)) > tau;
        large_tokens += usize::from(large);
        let row = row(large);
        let token = (0..8).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as u32;
        expected.push(token);
        context.push(token);
    }
    let got = run(asked(&[]), "entropy_adaptive:tau=2.4,window=1,min_stay=0").unwrap();
    assert_eq!(got.tokens, expected);
    assert_eq!(got.report["large_tokens"], large_tokens);
    assert!(large_tokens > 2 && large_tokens < STEPS - 2, "{large_tokens}: both must have their turns");
    assert!(got.report["switches"].as_u64().unwrap() > 4);
}

#[test]
fn routing_keeps_the_answer_of_a_small_model_that_is_sure() {
    let small = greedy_of(other_row);
    let large = greedy_of(row_of);
    for probe in [0, 1, 5, STEPS, 100] {
        let sure = run(asked(&[]), &format!("energy_routing:threshold=0,probe={probe}")).unwrap();
        assert_eq!((sure.tokens, sure.report["sure"].as_bool()), (small.clone(), Some(true)), "{probe}");
        let unsure =
            run(asked(&[]), &format!("energy_routing:by=entropy,threshold=0,probe={probe}")).unwrap();
        assert_eq!((unsure.tokens, unsure.report["sure"].as_bool()), (large.clone(), Some(false)), "{probe}");
    }
}

#[test]
fn a_server_is_asked_only_by_a_model_that_is_unsure() {
    let with = |spec: &str| {
        let calls = Rc::new(Cell::new(0));
        let remote: Option<Box<dyn Remote>> = Some(Box::new(Counted(Rc::clone(&calls))));
        let ask = Ask { resources: Resources { remote, ..Resources::default() }, ..asked(&[]) };
        (run(ask, spec).unwrap(), calls.get())
    };
    let (sure, calls) = with("remote_cascade:threshold=0");
    assert_eq!((sure.tokens, calls, sure.report["remote"].as_bool()), (greedy_of(row_of), 0, Some(false)));
    let (unsure, calls) = with("remote_cascade:by=entropy,threshold=0");
    assert_eq!((unsure.tokens, calls, unsure.report["remote"].as_bool()), (vec![1, 2, 3], 1, Some(true)));
}

#[test]
fn what_is_missing_is_named() {
    for (spec, what) in [
        ("context_aware", "a reference prompt"),
        ("debias_sampling", "a reference prompt"),
        ("leading_query", "a reference prompt"),
        ("prompt_amplification", "a reference prompt"),
        ("contrastive_decoding", "another model"),
        ("lower_layer", "another model"),
        ("entropy_adaptive", "another, smaller model"),
        ("energy_routing", "another, smaller model"),
        ("remote_cascade", "a server and your consent to ask it"),
    ] {
        let method = Method::parse(spec).unwrap();
        let (mut model, _) = models();
        let failed = pollster::block_on(decode_among(&mut model, Vec::new(), asked(&[]), &method));
        let Err(DecodeError::MissingResource { method, what: missing }) = failed else {
            panic!("{spec}: {failed:?}");
        };
        assert_eq!((method, missing, model.passes()), (spec, what, 0));
    }
    for spec in ["dola:layer=6", "lower_layer:layer=6"] {
        let failed = run(asked(&[]), spec);
        assert!(matches!(failed, Err(DecodeError::InvalidParameter { name: "layer", .. })), "{failed:?}");
    }
}

#[test]
fn a_prompt_is_read_twice() {
    let twice = run(asked(&[]), "just_read_twice").unwrap();
    let prompt = [5, 1, 6, 2].repeat(2);
    let expected = run(Ask { prompt, ..asked(&[]) }, "sample").unwrap();
    assert_eq!(twice.tokens, expected.tokens);
}

fn greedy_of(row: impl Fn(&[u32]) -> Vec<f32>) -> Vec<u32> {
    let mut context = vec![5, 1, 6, 2];
    for _ in 0..STEPS {
        let row = row(&context);
        context.push((0..8).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as u32);
    }
    context.split_off(4)
}

struct Counted(Rc<Cell<u32>>);

impl Remote for Counted {
    fn answer(&mut self, _: usize) -> RemoteAnswer<'_> {
        self.0.set(self.0.get() + 1);
        Box::pin(async { Ok(vec![1, 2, 3]) })
    }
}
