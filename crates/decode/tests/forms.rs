//! An answer that must have a form has it, whichever strategy writes it, or the strategy says that it cannot.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;

use common::{Alternating, bigram, far_sighted, outcome_beside, sleepy};
use goldcrest_decode::strategy::FormBy;
use goldcrest_decode::{Ask, DecodeError, Lm, Method, TableLm, decode_among};
use goldcrest_engine::{AnswerText, Finish};
use goldcrest_sample::{Constraint, ConstraintError, SamplerParams};

const END: u32 = 7;

/// Strategies that draw, search and contrast, with more than their defaults.
const MORE: &[&str] = &[
    "beam:beams=7,early_stopping=never",
    "diverse_beam:beams=6,groups=3,diversity=2",
    "contrastive_search:k=8,alpha=0.9",
    "adadec:quantile=0,threshold=0.5,lookahead=3",
    "transfer_q:candidates=4,lookahead=6",
    "a_star:width=5,step_tokens=1,step_cost=0.1,budget=200",
    "pg_td:rollouts=40,c=1",
    "dola:beta=0",
    "context_aware:alpha=3",
    "entropy_adaptive:tau=3,window=1,min_stay=1",
    "entropy_adaptive:tau=1,window=1,min_stay=1",
];

fn formed(ask: Ask, n_vocab: u32, end: Option<u32>) -> Ask {
    let answer = Some(AnswerText::without_text(end.into_iter().collect()).unwrap());
    Ask { constraint: Some(Box::new(Alternating::new(n_vocab, end))), answer, ..ask }
}

/// Two layers of eight tokens, so that rows are read between layers too.
fn layered() -> TableLm {
    far_sighted().with_exits(2, |context, _| common::row_of(&context[context.len() / 2..]))
}

#[test]
fn every_strategy_keeps_to_a_form_or_refuses_it() {
    // Speculation keeps to forms by itself, in tests of its own.
    let names = Method::LIST.iter().map(|(name, _)| *name).filter(|name| *name != "speculate");
    let names = names.chain(MORE.iter().copied());
    for spec in names {
        let method = Method::parse(spec).unwrap();
        let (mut ended, mut seen) = (0, 0);
        for seed in 0..12 {
            let sampler =
                SamplerParams { seed, top_k: [0, 5][seed as usize % 2], ..SamplerParams::neutral() };
            let prompt = vec![seed as u32 % 7, 0, 6];
            let mut other = layered();
            let (mut model, limit) = (layered(), [3, 5, 9][seed as usize % 3]);
            let ask = formed(Ask { sampler, prompt, ..common::equipped(limit) }, 8, Some(END));
            let got = pollster::block_on(decode_among(&mut model, vec![&mut other], ask, &method));
            if method.form() == FormBy::Nothing {
                assert!(matches!(got, Err(DecodeError::Unconstrained { .. })), "{spec}");
                continue;
            }
            let got = got.unwrap();
            seen += 1;
            let mut form = Alternating::new(8, Some(END));
            let (said, last) = match got.tokens.split_last() {
                Some((last, said)) if *last == END => (said, true),
                _ => (&got.tokens[..], false),
            };
            for token in said {
                assert!(form.commit(*token).is_ok(), "{spec}, seed {seed}: {:?}", got.tokens);
            }
            assert!(!last || [4, 6].contains(&said.len()), "{spec}, seed {seed}: {:?}", got.tokens);
            assert_eq!(got.finish, Some(if last { Finish::Stop } else { Finish::Length }), "{spec}");
            assert!(got.logprobs.iter().all(|p| *p <= 1e-6 && *p > -1e3), "{spec}: {:?}", got.logprobs);
            assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
            ended += usize::from(last);
        }
        assert!(ended > 0 || seen == 0, "{spec}: no answer ended");
    }
}

/// At its neutral setting a strategy writes under a form what plain decoding writes under it.
#[test]
fn neutral_settings_are_plain_decoding_under_a_form() {
    for spec in [
        "best_of_n:n=1",
        "momentum:k=1",
        "contrastive_search:alpha=0",
        "beam:beams=1",
        "self_consistency:n=1",
        "first_finish:n=1",
        "adadec:candidates=1",
        "a_star:width=1,step_tokens=2",
        "pg_td:rollouts=1",
        "transfer_q:weight=0",
        "context_aware:alpha=0",
        "dola:weight=0,beta=0",
        "plan_then_write:no_repeat_ngram=0",
        "just_read_twice:times=1",
    ] {
        let (mut plain, mut other) = (bigram(), bigram());
        let greedy = |spec: &str| {
            let ask = Ask { sampler: SamplerParams::greedy(), ..common::equipped(11) };
            let ask = Ask { resources: common::judged(1).resources, ..ask };
            let references = if spec == "context_aware:alpha=0" { vec![vec![3]] } else { Vec::new() };
            let resources = goldcrest_decode::Resources { references, ..ask.resources };
            formed(Ask { resources, ..ask }, 4, None)
        };
        let want = outcome_beside(&mut plain, greedy(spec), "sample");
        let got = outcome_beside(&mut other, greedy(spec), spec);
        assert_eq!((got.tokens, got.logprobs), (want.tokens, want.logprobs), "{spec}");
    }
}

/// The first token is drawn from the distribution that the form leaves: chi-square with one degree of freedom, p > 1e-4.
#[test]
fn samples_follow_what_the_form_leaves_of_the_distribution() {
    let mut first = [0.0_f64; 4];
    for seed in 0..4000 {
        let ask = formed(common::sampled(2, seed), 4, None);
        first[outcome_beside(&mut bigram(), ask, "best_of_n:n=1").tokens[0] as usize] += 1.0;
    }
    // Behind token 0 the model gives .55 to token 1 and .10 to token 3; the others are of the wrong kind.
    let expected = [0.0, 4000.0 * 0.55 / 0.65, 0.0, 4000.0 * 0.10 / 0.65];
    assert_eq!((first[0], first[2]), (0.0, 0.0));
    let chi: f64 = [1, 3].map(|i| (first[i] - expected[i]).powi(2) / expected[i]).iter().sum();
    assert!(chi < 15.14, "{first:?} for {expected:?}");
}

/// A form that leaves nothing is an error of that name, not another token.
#[test]
fn a_form_that_leaves_nothing_is_an_error() {
    #[derive(Debug)]
    struct Nothing;
    impl Constraint for Nothing {
        fn mask(&mut self) -> Result<goldcrest_sample::TokenMask, ConstraintError> {
            Err(ConstraintError::Stuck { at: 0 })
        }
        fn commit(&mut self, _: u32) -> Result<(), ConstraintError> {
            Ok(())
        }
        fn rollback(&mut self, _: usize) -> Result<(), ConstraintError> {
            Ok(())
        }
        fn is_accepting(&mut self) -> Result<bool, ConstraintError> {
            Ok(false)
        }
        fn is_over(&self) -> bool {
            false
        }
        fn fork(&self) -> Box<dyn Constraint> {
            Box::new(Self)
        }
    }
    for spec in ["sample", "best_of_n", "beam", "contrastive_search", "a_star"] {
        let ask = Ask { constraint: Some(Box::new(Nothing)), ..common::equipped(5) };
        let (mut model, mut other) = (bigram(), sleepy());
        let method = Method::parse(spec).unwrap();
        let got = decode_among(&mut model, vec![&mut other], ask, &method);
        let stuck = ConstraintError::Stuck { at: 0 };
        let error = pollster::block_on(got).unwrap_err();
        let found = matches!(&error, DecodeError::Engine(goldcrest_engine::EngineError::Constraint(e)) if *e == stuck);
        assert!(found, "{spec}: {error}");
        assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
    }
}
