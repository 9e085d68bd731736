//! Drafters without weights on a table model: the same answers in fewer passes.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;

use common::{
    BIGRAM, ask, bigram, far_sighted, head_file_of, outcome, pairs, pairs_draft, passes_chi_square, sampled,
};
use std::rc::Rc;

use goldcrest_decode::speculate::{Curve, HeadError, HeadFile, SharedLearnt, Speculate};
use goldcrest_decode::{
    Ask, DecodeError, Lm, Method, Outcome, Resources, TableLm, decode_among, decode_with,
};
use goldcrest_sample::SamplerParams;

/// Drafters that need no further model.
const ALONE: [&str; 11] =
    ["auto", "recycling", "suffix", "copyspec", "pld", "aded", "lookahead", "jacobi", "exit", "skip", "del"];

fn run(model: &mut TableLm, ask: Ask, spec: &str) -> Outcome {
    pollster::block_on(decode_with(model, ask, &Speculate::parse(spec).unwrap())).unwrap()
}

fn tau(outcome: &Outcome) -> f64 {
    outcome.report["speculation"]["tau"].as_f64().unwrap()
}

/// The table as a model of four layers, whose first ones are often right.
fn layered() -> TableLm {
    bigram().with_exits(4, |context, layer| {
        let last = context.last().copied().unwrap_or(0);
        (0..4).map(|id| (BIGRAM[last as usize][id as usize] + 0.1 / layer as f32 * id as f32).ln()).collect()
    })
}

#[test]
fn every_drafter_gives_the_plain_answer_greedily() {
    for name in ALONE {
        for rows in [1, 2, 5, 12, 64] {
            let spec = format!("{name}:rows={rows},plan=false");
            let plain = outcome(&mut layered(), ask(40), "sample");
            let mut model = layered();
            let got = run(&mut model, ask(40), &spec);
            assert_eq!(got.tokens, plain.tokens, "{spec}");
            assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
            assert!(rows > 1 || tau(&got) == 1.0, "{spec}: {}", tau(&got));
            // In a text where every token names the next one, all of Jacobi's columns move on together and none is right.
            assert!(rows < 64 || name == "jacobi" || tau(&got) > 1.3, "{spec}: {}", tau(&got));
        }
    }
}

#[test]
fn guesses_that_are_no_draws_leave_every_seed_its_answer() {
    for name in ["auto", "recycling", "suffix", "copyspec", "pld", "aded", "lookahead"] {
        for seed in 0..20 {
            let plain = outcome(&mut bigram(), sampled(40, seed), "sample");
            let got = run(&mut bigram(), sampled(40, seed), &format!("{name}:plan=false"));
            assert_eq!(got.tokens, plain.tokens, "{name}, seed {seed}");
            assert_eq!(got.logprobs, plain.logprobs, "{name}, seed {seed}");
        }
    }
}

#[test]
fn what_was_learnt_helps_the_next_request() {
    let memory = SharedLearnt::default();
    let with = |memory: &SharedLearnt| {
        let resources = Resources { learnt: Some(memory.clone()), ..Resources::default() };
        run(&mut bigram(), Ask { resources, ..ask(12) }, "recycling:plan=false")
    };
    let (cold, hot) = (with(&memory), with(&memory));
    assert_eq!(cold.tokens, hot.tokens);
    assert!(tau(&hot) > tau(&cold), "{} against {}", tau(&hot), tau(&cold));
}

#[test]
fn where_rows_are_dear_speculation_turns_itself_off() {
    let on = |points: &[(usize, f32)]| {
        let resources = Resources { pass_times: Some(Curve::new(points)), ..Resources::default() };
        run(&mut bigram(), Ask { resources, ..sampled(200, 3) }, "auto")
    };
    let steep = on(&[(1, 1.0), (2, 2.0), (12, 12.0)]);
    assert_eq!(steep.report["rows"], 200, "not one guess was worth its row");
    let flat = on(&[(1, 1.0), (64, 1.01)]);
    assert!(tau(&flat) > 1.5, "{}", tau(&flat));
    let between = on(&[(1, 1.0), (2, 1.9), (64, 1.95)]);
    let unassisted = between.report["speculation"]["unassisted"].as_u64().unwrap();
    assert!(unassisted > 0, "{:?}", between.report);
}

#[test]
fn mistakes_in_a_drafter_are_named() {
    let error = |spec: &str| Speculate::parse(spec).unwrap_err();
    assert!(matches!(error("recyclign"), DecodeError::InvalidParameter { name: "drafter", .. }));
    assert!(matches!(error("auto:rows=65"), DecodeError::InvalidParameter { name: "rows", .. }));
    assert!(matches!(error("recycling:gamma=3"), DecodeError::UnknownParameter { .. }));
    assert_eq!(Speculate::parse("auto").unwrap(), Method::parse("speculate").unwrap());
    let object = serde_json::json!({ "name": "copyspec", "gamma": 4 });
    assert_eq!(Speculate::from_json(&object).unwrap(), Speculate::parse("copyspec:gamma=4").unwrap());
}

#[test]
fn cells_are_those_of_plain_decoding() {
    // Every token before counts, so that one wrong cell anywhere gives another answer.
    for name in ["auto", "recycling", "suffix", "aded", "lookahead", "jacobi"] {
        for seed in 0..6 {
            let make = || Ask {
                sampler: SamplerParams { seed, temperature: 0.3, ..SamplerParams::neutral() },
                ..ask(80)
            };
            let greedy = outcome(&mut far_sighted(), ask(80), "sample");
            assert_eq!(
                run(&mut far_sighted(), ask(80), &format!("{name}:plan=false")).tokens,
                greedy.tokens,
                "{name}"
            );
            if name != "jacobi" {
                let plain = outcome(&mut far_sighted(), make(), "sample");
                let got = run(&mut far_sighted(), make(), &format!("{name}:plan=false"));
                assert_eq!(got.tokens, plain.tokens, "{name}, seed {seed}");
            }
        }
    }
}

fn drafted(ask: Ask, spec: &str) -> Outcome {
    let (mut model, mut draft) = (pairs(), if spec.starts_with("s2d") { pairs() } else { pairs_draft() });
    let others = vec![&mut draft];
    let got = pollster::block_on(decode_among(&mut model, others, ask, &Speculate::parse(spec).unwrap()));
    assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
    assert_eq!(draft.pool().n_free(), draft.pool().n_cells(), "{spec}");
    got.unwrap()
}

/// Drafters whose guesses are draws.
const DRAWN: [&str; 12] = [
    "draft:tokens=3",
    "specdec_pp:max=4",
    "pearl:tokens=2",
    "s2d:layers=1-5,tokens=3",
    "dyspec:tokens=6",
    "rsd_c:branching=2-2-1",
    "rsd_s:width=3,depth=3",
    "jacobi:window=3",
    "exit:layer=5,tokens=3",
    "skip:speed=2,tokens=3",
    "matformer:slice=2,tokens=3",
    "del",
];

/// With as many guesses as there are, whatever they cost.
fn unplanned(spec: &str) -> String {
    format!("{spec}{}plan=false", if spec.contains(':') { ',' } else { ':' })
}

#[test]
fn drawn_guesses_leave_the_distribution_as_it_is() {
    const N: u32 = 6000;
    for spec in DRAWN {
        for group in 0..5 {
            let mut counts = [0u32; 81];
            for i in 0..N {
                let got = drafted(sampled(4, u64::from(group * N + i)), &unplanned(spec));
                counts[got.tokens.iter().fold(0, |index, token| 3 * index + *token as usize)] += 1;
            }
            passes_chi_square(&counts, N, &format!("{spec}, group {group}"));
        }
    }
}

#[test]
fn draft_models_give_the_greedy_answer_in_fewer_passes() {
    let plain = outcome(&mut pairs(), ask(60), "sample");
    for spec in DRAWN {
        let spec = unplanned(spec);
        let got = drafted(ask(60), &spec);
        assert_eq!(got.tokens, plain.tokens, "{spec}");
        assert!(tau(&got) > 1.2, "{spec}: {}", tau(&got));
    }
}

#[test]
fn a_draft_that_is_the_model_itself_is_always_accepted() {
    for seed in 0..10 {
        let (mut model, mut twin) = (pairs(), pairs());
        let method = Speculate::parse("draft:tokens=4,plan=false").unwrap();
        let got = decode_among(&mut model, vec![&mut twin], sampled(61, seed), &method);
        assert_eq!(tau(&pollster::block_on(got).unwrap()), 5.0, "seed {seed}");
        let got = run(&mut pairs(), sampled(61, seed), "skip:speed=1,tokens=4,plan=false");
        assert_eq!(tau(&got), 5.0, "seed {seed}");
        let got = run(&mut pairs(), sampled(61, seed), "matformer:slice=3,tokens=4,plan=false");
        assert_eq!(tau(&got), 5.0, "seed {seed}");
    }
}

#[test]
fn slices_that_the_model_does_not_have_are_refused() {
    let error = |mut model: TableLm, spec: &str| {
        let method = Speculate::parse(spec).unwrap();
        pollster::block_on(decode_with(&mut model, ask(4), &method)).unwrap_err()
    };
    let missing = error(bigram(), "matformer");
    assert!(missing.to_string().contains("ARCH.matformer.feed_forward_lengths"), "{missing}");
    let beyond = error(pairs(), "matformer:slice=4");
    assert_eq!(beyond.to_string(), "matformer: slice is 4; allowed is 1 to 3, for the widths [32, 64, 128]");
}

#[test]
fn pearl_that_writes_one_token_is_plain_decoding_and_its_twin_is_always_right() {
    for seed in 0..10 {
        let got = drafted(sampled(41, seed), "pearl:tokens=1,plan=false");
        // What was guessed during a pass is judged by that pass, and nothing is ahead of the next.
        assert_eq!((tau(&got), got.report["speculation"]["mean_rows"].as_f64()), (1.0, Some(1.0)), "{seed}");
        let (mut model, mut twin) = (pairs(), pairs());
        let method = Speculate::parse("pearl:tokens=4,plan=false").unwrap();
        let got = decode_among(&mut model, vec![&mut twin], sampled(62, seed), &method);
        // The first token is the prompt's, the second comes with the first guesses; then 15 passes of three guesses that
        // were ahead and one that was made meanwhile.
        let report = pollster::block_on(got).unwrap().report;
        assert_eq!(report["speculation"]["accepted_histogram"], serde_json::json!([1, 0, 0, 15]), "{seed}");
    }
}

/// The answer with the model itself as its draft.
fn with_twin(ask: Ask, spec: &str) -> Result<Outcome, DecodeError> {
    let (mut model, mut twin) = (pairs(), pairs());
    let method = Speculate::parse(spec).unwrap();
    pollster::block_on(decode_among(&mut model, vec![&mut twin], ask, &method))
}

#[test]
fn sorted_drafts_go_as_deep_as_they_have_to() {
    for seed in 0..20 {
        let twin = |spec: &str| with_twin(sampled(41, seed), spec).unwrap();
        // Sure of everything, only the first layers are asked; sure of nothing, only the last ones count.
        let (first, shallow) = (twin("s2d:layers=5-10,sure=0,plan=false"), twin("s2d:layers=5,plan=false"));
        assert_eq!((first.tokens, first.report.get("speculation").map(|s| s["steps"].clone())), {
            let steps = shallow.report.get("speculation").map(|s| s["steps"].clone());
            (shallow.tokens, steps)
        });
        assert_eq!(tau(&twin("s2d:layers=5-10,sure=1,tokens=4,plan=false")), 5.0);
        let deep = twin("draft:tokens=4,plan=false");
        assert_eq!(twin("s2d:layers=2-5-10,sure=1,tokens=4,plan=false").tokens, deep.tokens);
    }
    let error = |spec: &str| with_twin(ask(4), spec).unwrap_err();
    assert!(matches!(error("s2d:layers=2-11"), DecodeError::InvalidParameter { name: "layers", .. }));
    let error = |spec: &str| Speculate::parse(spec).unwrap_err();
    assert!(matches!(error("s2d:layers=5-2"), DecodeError::InvalidParameter { name: "layers", .. }));
    assert!(matches!(error("s2d:sure=1.5"), DecodeError::InvalidParameter { name: "sure", .. }));
}

#[test]
fn a_head_says_when_a_second_model_stops_writing() {
    // Behind no blocks the two logits are sums over the one-hot hidden row.
    let head = |kind: &str, reject: f32| {
        let tensors = [
            ("linear.weight", vec![2, 3], vec![reject, reject, reject, 0.0, 0.0, 0.0]),
            ("linear.bias", vec![2], vec![0.0, 0.0]),
        ];
        Some(Rc::new(HeadFile::parse(head_file_of(&[("kind", kind)], &tensors)).unwrap()))
    };
    let run = |spec: &str, head: Option<Rc<HeadFile>>| {
        let resources = Resources { head, ..Resources::default() };
        with_twin(Ask { resources, ..sampled(60, 2) }, spec)
    };
    let guesses = |spec: &str, reject: f32| {
        let got = run(spec, head("specdec_pp", reject)).unwrap();
        got.report["speculation"]["accepted_histogram"].as_array().unwrap().len() - 1
    };
    assert_eq!(guesses("specdec_pp:min=2,max=7,plan=false", 30.0), 2, "a rejection is certain");
    assert_eq!(guesses("specdec_pp:min=2,max=7,plan=false", -30.0), 7, "nothing is rejected");
    // Each guess but the first is accepted with 0.731: with the second judged 0.27 may be rejected, with the third 0.47.
    assert_eq!(guesses("specdec_pp:min=1,max=7,threshold=0.3,plan=false", -1.0), 3);
    assert_eq!(guesses("specdec_pp:min=1,max=7,threshold=1,plan=false", -1.0), 7);
    assert_eq!(guesses("specdec_pp:min=1,max=7,threshold=0,plan=false", -1.0), 2);
    let wrong = run("specdec_pp", head("judge", 0.0)).unwrap_err();
    assert!(matches!(wrong, DecodeError::Head(HeadError::WrongKind { kind: "judge", .. })), "{wrong}");
}

#[test]
fn a_draft_that_does_not_fit_is_refused() {
    let error = |draft: Option<TableLm>| {
        let mut draft = draft;
        let others = draft.as_mut().into_iter().collect();
        let method = Speculate::parse("draft").unwrap();
        pollster::block_on(decode_among(&mut bigram(), others, ask(4), &method)).unwrap_err()
    };
    assert!(matches!(error(None), DecodeError::MissingResource { what: "a draft model", .. }));
    assert!(matches!(error(Some(pairs())), DecodeError::VocabularyMismatch { ours: 4, theirs: 3 }));
    let large = error(Some(layered()));
    assert!(matches!(large, DecodeError::DraftTooLarge { draft: (4, 4), target: (1, 4) }), "{large}");
}
