//! Lossy acceptance on a table model: off unless asked for, exact where it takes nothing, said in the report.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{ask, bigram, head_file, outcome, sampled};
use goldcrest_decode::speculate::{HeadError, HeadFile, Lenience, Speculate};
use goldcrest_decode::{Ask, DecodeError, Method, Outcome, Resources, decode_with};
use goldcrest_sample::SamplerParams;

/// A judge of the table model, whose hidden row is the one-hot vector of a token: `taken` it takes for correct, others not.
fn judge(taken: &[usize], says: &str) -> Rc<HeadFile> {
    let sign = if says == "correct" { 8.0 } else { -8.0 };
    let weight: Vec<f32> = (0..4).map(|id| if taken.contains(&id) { 2.0 * sign } else { 0.0 }).collect();
    // Rows are brought to one scale first: (x - 0.25) / 0.5.
    let (mean, scale) = (vec![0.25; 4], vec![0.5; 4]);
    let moved: f32 = weight.iter().map(|w| w * 0.5).sum();
    let tensors = [
        ("judge.weight", weight.iter().map(|w| w * 0.5).collect()),
        ("judge.bias", vec![moved * 0.5 - sign]),
        ("scaler.mean", mean),
        ("scaler.scale", scale),
    ];
    Rc::new(HeadFile::parse(head_file(&[("kind", "judge"), ("says", says)], &tensors)).unwrap())
}

fn run(ask: Ask, spec: &str, judge: Option<Rc<HeadFile>>) -> Result<Outcome, DecodeError> {
    let method = Speculate::parse(spec).unwrap();
    let resources = Resources { judge, ..Resources::default() };
    pollster::block_on(decode_with(&mut bigram(), Ask { resources, ..ask }, &method))
}

fn tau(outcome: &Outcome) -> f64 {
    outcome.report["speculation"]["tau"].as_f64().unwrap()
}

#[test]
fn nothing_is_lossy_unless_it_is_asked_for() {
    for (drafter, _) in Speculate::DRAFTERS {
        let Method::Speculate(method) = Speculate::parse(drafter).unwrap() else { return };
        assert_eq!((method.accept, method.accept.lossy()), (Lenience::Exact, None), "{drafter}");
    }
    let got = run(ask(30), "auto:plan=false", None).unwrap();
    assert!(got.report["speculation"].get("lossy").is_none());
}

#[test]
fn typical_guesses_come_although_others_are_likelier() {
    let plain = outcome(&mut bigram(), ask(60), "sample");
    let exact = run(ask(60), "jacobi:window=4,plan=false", None).unwrap();
    let got = run(ask(60), "jacobi:window=4,plan=false,accept=typical", None).unwrap();
    let lossy = &got.report["speculation"]["lossy"];
    assert_eq!(lossy["rule"], "typical");
    assert!(lossy["taken"].as_u64().unwrap() > 0);
    assert!(got.tokens != plain.tokens && tau(&got) > tau(&exact), "{} and {}", tau(&got), tau(&exact));
    // A chain with stages in front of its argmax says the same.
    let sampler = SamplerParams { temperature: 0.0, ..SamplerParams::default() };
    let staged = run(Ask { sampler, ..ask(60) }, "jacobi:window=4,plan=false,accept=typical", None).unwrap();
    assert_eq!((&staged.tokens, &staged.report["speculation"]["lossy"]), (&got.tokens, lossy));
    // 0.09 · exp(-H) is below 0.05 in every row of the table: no guess is too improbable.
    let all = run(ask(61), "jacobi:window=4,plan=false,accept=typical", None).unwrap();
    assert_eq!(tau(&all), 5.0);
}

#[test]
fn a_judge_takes_what_it_thinks_correct_and_the_exact_rule_the_rest() {
    let plain = outcome(&mut bigram(), ask(60), "sample");
    for says in ["correct", "important"] {
        let got =
            run(ask(60), "jacobi:window=4,plan=false,accept=judge,above=0.5", Some(judge(&[0, 2, 3], says)))
                .unwrap();
        assert_ne!(got.tokens, plain.tokens, "{says}");
        // Wherever another token came than the likeliest, the judge takes it.
        let context: Vec<u32> = [0].into_iter().chain(got.tokens.clone()).collect();
        let likeliest = |last: u32| {
            let row = common::BIGRAM[last as usize];
            (0..4).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as u32
        };
        let other: Vec<u32> =
            context.windows(2).filter(|pair| likeliest(pair[0]) != pair[1]).map(|pair| pair[1]).collect();
        assert!(
            !other.is_empty() && other.iter().all(|token| [0, 2, 3].contains(token)),
            "{says}: {other:?}"
        );
        assert_eq!(got.report["speculation"]["lossy"]["taken"], other.len());
    }
}

#[test]
fn a_judge_that_takes_nothing_changes_nothing() {
    for drafter in ["auto", "recycling", "suffix", "lookahead"] {
        for seed in 0..10 {
            let spec = format!("{drafter}:plan=false,accept=judge,above=1");
            let plain = outcome(&mut bigram(), sampled(40, seed), "sample");
            let got = run(sampled(40, seed), &spec, Some(judge(&[0, 1, 2, 3], "correct"))).unwrap();
            assert_eq!((&got.tokens, &got.logprobs), (&plain.tokens, &plain.logprobs), "{drafter}, {seed}");
            assert_eq!(got.report["speculation"]["lossy"]["taken"], 0);
        }
        let plain = outcome(&mut bigram(), ask(40), "sample");
        let spec = format!("{drafter}:plan=false,accept=judge,above=1");
        assert_eq!(run(ask(40), &spec, Some(judge(&[1], "correct"))).unwrap().tokens, plain.tokens);
    }
}

#[test]
fn drawn_guesses_may_be_judged_too() {
    let made = |above: &str| {
        let spec = format!("jacobi:window=4,plan=false,accept=judge,above={above}");
        run(sampled(61, 3), &spec, Some(judge(&[0, 1, 2, 3], "correct"))).unwrap()
    };
    // Whatever was guessed comes, so that every pass gives all its guesses and one more.
    assert_eq!(tau(&made("0.5")), 5.0);
    assert!(tau(&made("1")) < 3.0);
}

#[test]
fn what_is_missing_or_no_judge_is_named() {
    let error = |judge| run(ask(4), "auto:accept=judge", judge).unwrap_err();
    assert!(matches!(error(None), DecodeError::MissingResource { what: "the file of a judge", .. }));
    let medusa = head_file(&[("kind", "medusa")], &[]);
    let other = error(Some(Rc::new(HeadFile::parse(medusa).unwrap())));
    assert!(matches!(other, DecodeError::Head(HeadError::WrongKind { kind: "medusa", wanted: "a judge" })));
    let wide = [("judge.weight", vec![0.0; 7])];
    let wide = HeadFile::parse(head_file(&[("kind", "judge")], &wide)).unwrap();
    assert!(matches!(error(Some(Rc::new(wide))), DecodeError::Head(HeadError::WrongShape { .. })));
    let says = [("judge.weight", vec![0.0; 4])];
    let says = HeadFile::parse(head_file(&[("kind", "judge"), ("says", "maybe")], &says)).unwrap();
    assert!(matches!(
        error(Some(Rc::new(says))),
        DecodeError::Head(HeadError::BadSetting { key: "says", .. })
    ));
    assert!(matches!(
        Speculate::parse("auto:accept=always").unwrap_err(),
        DecodeError::InvalidParameter { name: "accept", .. }
    ));
    assert!(matches!(
        Speculate::parse("auto:epsilon=0.5").unwrap_err(),
        DecodeError::UnknownParameter { .. }
    ));
}
