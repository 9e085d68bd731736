//! Searches that draw: votes, the first to finish, scored trees, drafts in one stream.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;

use common::{ask, bigram, far_sighted, outcome, row_of, sampled};
use goldcrest_decode::{
    Ask, Candidate, DecodeError, Lm, Method, Resources, TableLm, decode_among, decode_with,
};
use goldcrest_engine::{AnswerText, Finish};

const END: u32 = 3;

fn ending(ask: Ask) -> Ask {
    Ask { answer: Some(AnswerText::without_text(vec![END]).unwrap()), ..ask }
}

fn scored(ask: Ask, scorer: impl FnMut(Candidate<'_>) -> f32 + 'static) -> Ask {
    Ask { resources: Resources { scorer: Some(Box::new(scorer)), ..Resources::default() }, ..ask }
}

#[test]
fn the_first_to_finish_ends_the_batch() {
    for seed in 0..40 {
        let got = outcome(&mut bigram(), ending(sampled(64, seed)), "first_finish:n=6,min_length=0");
        let length = got.tokens.len() as u64;
        assert_eq!((got.finish, got.tokens.last()), (Some(Finish::Stop), Some(&END)), "seed {seed}");
        // The prompt's row, then six rows a step up to the end, none behind it.
        assert_eq!(got.report["rows"], 1 + 6 * (length - 1), "seed {seed}");
        let guarded = outcome(&mut bigram(), ending(sampled(64, seed)), "first_finish:n=6,min_length=4");
        // Where all six are shorter than that, the likeliest is given and the report says that none was fit.
        assert_eq!(guarded.tokens.len() > 4, guarded.report["ended"] == true, "seed {seed}");
    }
    let none = outcome(&mut bigram(), ending(sampled(5, 1)), "first_finish:n=3,min_length=9");
    assert_eq!((none.tokens.len(), none.report["ended"].as_bool()), (5, Some(false)));
}

/// The minimum of n is likelier right where right answers are shorter: accuracies 0.500, 0.678, 0.819 for lengths of
/// N(9, 2) against N(12, 2).
#[test]
fn the_shortest_of_n_is_the_better_the_more_there_are() {
    let accuracy = |n: usize| {
        let (mut right, trials) = (0, 400);
        for seed in 0..trials {
            // Token 0 is right, 1 wrong; behind it the model counts up to an end whose hazard depends on which.
            let mut model = TableLm::new(4, |context| {
                let kind = context.get(1).copied();
                let hazard = |mean: f32| {
                    let z = (context.len() as f32 - 2.0 - mean) / 2.0;
                    let at_least = 1.0 / (1.0 + (1.6 * z).exp());
                    (0.5 * (-z * z / 2.0).exp() * 0.399 / at_least.max(1e-3)).clamp(1e-6, 0.95)
                };
                let end = match kind {
                    None => return vec![0.0, 0.0, -50.0, -50.0],
                    Some(0) => hazard(9.0),
                    Some(_) => hazard(12.0),
                };
                vec![-50.0, -50.0, (1.0 - end).ln(), end.ln()]
            });
            let spec = format!("first_finish:n={n}");
            let got = outcome(&mut model, ending(sampled(40, seed)), &spec);
            right += u32::from(got.tokens[0] == 0);
        }
        f64::from(right) / trials as f64
    };
    for (n, want) in [(1, 0.5), (2, 0.678), (4, 0.819)] {
        let got = accuracy(n);
        assert!((got - want).abs() < 0.08, "{n}: {got} for {want}");
    }
}

#[test]
fn the_vote_wins_and_stops_when_it_is_decided() {
    // Behind the prompt three answers at .5, .3 and .2, then the end.
    let model = || {
        TableLm::new(4, |context| match context.len() {
            1 => [0.5_f32, 0.3, 0.2, 1e-9].iter().map(|p| p.ln()).collect(),
            _ => vec![-30.0, -30.0, -30.0, 0.0],
        })
    };
    let mut wins = 0;
    for seed in 0..200 {
        let got = outcome(&mut model(), ending(sampled(4, seed)), "self_consistency:n=9,answer=last_token");
        wins += u32::from(got.tokens[0] == 0);
        let votes = got.report["votes"].as_array().unwrap();
        assert_eq!(votes[0]["answer"], got.tokens[0].to_string());
        assert!(votes.iter().all(|vote| vote["weight"].as_f64() <= votes[0]["weight"].as_f64()));
    }
    // One sample is right half of the time; the vote of nine about three quarters.
    assert!((135..=175).contains(&wins), "{wins}");
    let scorer = |candidate: Candidate<'_>| if candidate.tokens[0] == 2 { 5.0 } else { 0.5 };
    let got = outcome(
        &mut model(),
        scored(ending(sampled(4, 3)), scorer),
        "self_consistency:n=24,answer=last_token",
    );
    assert_eq!(got.tokens[0], 2);
}

/// Of three votes with .5, .3 and .2, where three different ones go to the likeliest: .68, .216 and .104.
#[test]
fn the_vote_of_three_has_its_exact_distribution() {
    let (mut counts, trials) = ([0.0_f64; 3], 1500);
    for seed in 0..trials {
        let mut model = TableLm::new(4, |context| match context.len() {
            1 => [0.5_f32, 0.3, 0.2, 1e-9].iter().map(|p| p.ln()).collect(),
            _ => vec![-30.0, -30.0, -30.0, 0.0],
        });
        let got = outcome(&mut model, ending(sampled(4, seed)), "self_consistency:n=3,answer=last_token");
        counts[got.tokens[0] as usize] += 1.0;
    }
    let expected = [0.68, 0.216, 0.104].map(|p| p * trials as f64);
    let chi_square: f64 = counts.iter().zip(expected).map(|(n, want)| (n - want).powi(2) / want).sum();
    // The one-in-a-thousand bound of two degrees of freedom.
    assert!(chi_square < 13.8, "{chi_square}: {counts:?}");
}

#[test]
fn a_decided_vote_leaves_the_rest_undone() {
    // Samples end at different lengths with one answer, so five of eight decide it.
    let mut model = TableLm::new(4, |context| match context.last() {
        Some(2) => vec![-30.0, -30.0, -30.0, 0.0],
        _ => vec![0.0, -30.0, -1.0, -30.0],
    });
    let got = outcome(&mut model, ending(sampled(60, 5)), "self_consistency:n=8,answer=last_token");
    assert!((5..8).contains(&got.report["samples"].as_u64().unwrap()), "{:?}", got.report);
}

fn twos(candidate: Candidate<'_>) -> f32 {
    candidate.tokens.iter().filter(|token| **token == 2).count() as f32 / 8.0
}

#[test]
fn scored_searches_do_no_worse_than_greedy() {
    let greedy = outcome(&mut bigram(), ask(8), "sample");
    let worth = |tokens: &[u32]| twos(Candidate { tokens, text: "", finished: true });
    for spec in ["pg_td:rollouts=64", "transfer_q:candidates=4,lookahead=3,weight=50"] {
        let got = outcome(&mut bigram(), scored(ask(8), twos), spec);
        assert!(worth(&got.tokens) > worth(&greedy.tokens), "{spec}: {:?}", got.tokens);
    }
    let drawn =
        outcome(&mut bigram(), scored(sampled(8, 2), twos), "a_star:width=4,step_tokens=2,budget=100");
    let plain = outcome(&mut bigram(), sampled(8, 2), "sample");
    assert!(worth(&drawn.tokens) > worth(&plain.tokens), "{:?}", drawn.tokens);
}

#[test]
fn planning_runs_nothing_twice_and_begins_with_the_greedy_answer() {
    let first = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let seen = std::rc::Rc::clone(&first);
    let scorer = move |candidate: Candidate<'_>| {
        seen.borrow_mut().push(candidate.tokens.to_vec());
        0.0
    };
    let got = outcome(&mut far_sighted(), scored(ask(6), scorer), "pg_td:rollouts=30");
    assert_eq!(first.borrow()[0], outcome(&mut far_sighted(), ask(6), "sample").tokens);
    let judged = first.borrow().clone();
    assert!(judged.iter().enumerate().all(|(i, tokens)| !judged[..i].contains(tokens)));
    assert!(
        got.report["reused_answers"].as_u64().unwrap() > 0 && got.report["reused_rows"].as_u64().unwrap() > 0
    );
}

#[test]
fn a_search_out_of_budget_gives_its_best() {
    let got = outcome(&mut bigram(), scored(sampled(8, 4), twos), "a_star:width=2,step_tokens=1,budget=3");
    assert!(!got.tokens.is_empty() && got.tokens.len() <= 3);
    assert_eq!(got.report["judged"], 4);
}

#[test]
fn searches_without_a_scorer_say_what_is_missing() {
    for name in ["a_star", "pg_td", "transfer_q"] {
        let method = Method::parse(name).unwrap();
        let error = pollster::block_on(decode_with(&mut bigram(), ask(4), &method)).unwrap_err();
        assert!(matches!(error, DecodeError::MissingResource { method, what: "a scorer" } if method == name));
    }
}

#[test]
fn parameters_have_ranges() {
    for spec in [
        "momentum:alpha=-1",
        "contrastive_search:k=17",
        "beam:beams=0",
        "beam:early_stopping=maybe",
        "diverse_beam:beams=4,groups=3",
        "first_finish:n=0",
        "self_consistency:answer=first",
        "adadec:quantile=2",
        "superposed:temperature=0",
        "a_star:width=0",
        "pg_td:base=0",
        "transfer_q:weight=-1",
        "icn:n=33",
        "plan_then_write:length_penalty=9",
    ] {
        let error = Method::parse(spec).unwrap_err();
        assert!(matches!(error, DecodeError::InvalidParameter { .. }), "{spec}: {error}");
    }
}

#[test]
fn an_aligned_model_looks_ahead_in_step_with_the_other() {
    // The baseline counts upwards, so what it makes of token t is t, t + 1, …; the scorer wants a 2 soon.
    let upwards = || {
        TableLm::new(4, |context| {
            (0..4).map(|id| if context.last() == Some(&((id + 3) % 4)) { 3.0 } else { 0.0 }).collect()
        })
    };
    let scorer =
        |candidate: Candidate<'_>| -(candidate.tokens.iter().position(|t| *t == 2).unwrap_or(9) as f32);
    let method = Method::parse("transfer_q:candidates=4,lookahead=2,weight=9").unwrap();
    let (mut model, mut other) = (bigram(), upwards());
    let ask = scored(ask(6), scorer);
    let got = pollster::block_on(decode_among(&mut model, vec![&mut other], ask, &method)).unwrap();
    assert_eq!(got.tokens[0], 2);
    assert_eq!(
        (model.pool().n_free(), other.pool().n_free()),
        (model.pool().n_cells(), other.pool().n_cells())
    );
}

#[test]
fn superposed_drafts_are_scored_by_the_model_itself() {
    let got = outcome(&mut far_sighted(), ask(6), "superposed:k=2");
    let mut context = vec![0];
    for (token, logprob) in got.tokens.iter().zip(&got.logprobs) {
        let row = row_of(&context);
        let want = row[*token as usize] - row.iter().map(|logit| logit.exp()).sum::<f32>().ln();
        assert!((want - logprob).abs() < 1e-4, "{logprob} for {want}");
        context.push(*token);
    }
    let drafts = got.report["drafts"].as_array().unwrap();
    assert_eq!(drafts.len(), 2);
    assert!(drafts[0]["mean_logprob"].as_f64() >= drafts[1]["mean_logprob"].as_f64());
    // One row a step for both, and one pass of scoring.
    assert_eq!(got.report["passes"], 1 + 5 + 1);
    assert_eq!(got.report["rows"], 1 + 5 + 2 * 5);
    let rough = outcome(&mut far_sighted(), ask(6), "superposed:k=2,rescore=false");
    assert_eq!((rough.report["passes"].as_u64(), rough.report["rows"].as_u64()), (Some(6), Some(6)));
}

/// The references' n-grams pull the drafts apart: each follows the text that it began.
#[test]
fn n_grams_keep_superposed_drafts_apart() {
    let flat = || TableLm::new(8, |_| vec![0.3, 0.2, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let references = vec![vec![7, 0, 2, 4, 2, 4, 2, 4], vec![7, 1, 3, 5, 3, 5, 3, 5]];
    let resources = Resources { references, ..Resources::default() };
    let ask = Ask { prompt: vec![7], resources, ..ask(5) };
    let got = outcome(&mut flat(), ask, "superposed:k=2,temperature=1");
    let mut texts: Vec<Vec<u64>> = got.report["drafts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|draft| draft["tokens"].as_array().unwrap().iter().map(|t| t.as_u64().unwrap()).collect())
        .collect();
    texts.sort();
    assert_eq!(texts, [[0, 2, 4, 2, 4], [1, 3, 5, 3, 5]]);
}

#[test]
fn an_uncertain_step_looks_ahead() {
    // Token 0 is a little likelier, but leads where nothing is likely; token 1 leads to certainty.
    let model = || {
        TableLm::new(4, |context| match context.last() {
            Some(0) if context.len() > 1 => vec![-9.0, 0.1, 0.1, 0.1],
            Some(1) => vec![-9.0, -9.0, 3.0, -9.0],
            Some(2) => vec![-9.0, 3.0, -9.0, -9.0],
            _ => vec![1.0, 0.9, 0.3, 0.0],
        })
    };
    let got = outcome(&mut model(), ask(6), "adadec:quantile=0,threshold=1.2");
    assert_eq!(
        (got.tokens[0], got.report["pauses"].as_u64(), got.report["changed"].as_u64()),
        (1, Some(1), Some(1))
    );
    assert_eq!(outcome(&mut model(), ask(6), "sample").tokens[0], 0);
}

#[test]
fn navigation_begins_every_answer_anew() {
    let got = outcome(&mut bigram(), ask(5), "icn:n=4");
    let answers = got.report["answers"].as_array().unwrap();
    let mut first: Vec<u64> = answers.iter().map(|answer| answer["tokens"][0].as_u64().unwrap()).collect();
    first.sort_unstable();
    assert_eq!(first, [0, 1, 2, 3]);
    let scorer = |candidate: Candidate<'_>| f32::from(u8::from(candidate.tokens[0] == 3));
    assert_eq!(outcome(&mut bigram(), scored(ask(5), scorer), "icn:n=4").tokens[0], 3);
}

#[test]
fn the_plan_with_the_likeliest_answer_is_written() {
    let references = vec![vec![1], vec![3], vec![2]];
    let resources = Resources { references, ..Resources::default() };
    let got = outcome(&mut bigram(), Ask { resources, ..ask(1) }, "plan_then_write");
    // Behind 3 the best token has .60, behind 1 and 2 less.
    assert_eq!((got.report["plan"].as_u64(), got.tokens), (Some(1), vec![0]));
}
