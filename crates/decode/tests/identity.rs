//! At its neutral setting every strategy is plain decoding, and none leaves a sequence behind.

mod common;

use common::{ask, bigram, outcome, outcome_beside, sampled};
use goldcrest_decode::{Ask, Lm, Method, Remote, Resources};
use goldcrest_sample::SamplerParams;

/// Strategies that cannot do without a further model.
const NEEDS_ANOTHER: [&str; 4] =
    ["contrastive_decoding", "lower_layer", "entropy_adaptive", "energy_routing"];

#[test]
fn plain_decoding_follows_the_table() {
    // The likeliest path from 0 is 1, 3, 0 and again.
    let mut model = bigram();
    let got = outcome(&mut model, ask(8), "sample");
    assert_eq!(got.tokens, [1, 3, 0, 1, 3, 0, 1, 3]);
    assert_eq!(got.report["passes"], 8);
}

/// A bias of nothing keeps the choice on the host.
#[test]
fn what_a_device_draws_is_what_the_host_draws() {
    for method in
        ["sample", "best_of_n:n=5", "self_consistency:n=3", "first_finish:n=4", "speculate:drafter=auto"]
    {
        for seed in 0..20 {
            let ask = |logit_bias| {
                let asked = sampled(12, seed);
                let sampler = SamplerParams { top_k: 3, temperature: 1.4, logit_bias, ..asked.sampler };
                Ask { sampler, ..asked }
            };
            assert!(
                bigram().draws(&ask(Vec::new()).sampler) && !bigram().draws(&ask(vec![(0, 0.0)]).sampler)
            );
            let drawn = outcome(&mut bigram(), ask(Vec::new()), method);
            let chosen = outcome(&mut bigram(), ask(vec![(0, 0.0)]), method);
            assert_eq!(drawn.tokens, chosen.tokens, "{method}, seed {seed}");
            assert_eq!(drawn.logprobs, chosen.logprobs, "{method}, seed {seed}");
        }
    }
}

#[test]
fn neutral_settings_are_plain_decoding() {
    let greedy: fn(usize, u64) -> Ask = |n, _| ask(n);
    let sampled: fn(usize, u64) -> Ask = sampled;
    let judged: fn(usize, u64) -> Ask = |n, _| common::judged(n);
    let judged_samples: fn(usize, u64) -> Ask =
        |n, seed| Ask { resources: common::judged(n).resources, ..common::sampled(n, seed) };
    let contrasted: fn(usize, u64) -> Ask = |n, seed| {
        let resources = Resources { references: vec![vec![3], vec![2, 1]], ..Resources::default() };
        Ask { resources, ..common::sampled(n, seed) }
    };
    let connected: fn(usize, u64) -> Ask = |n, seed| {
        let remote: Option<Box<dyn Remote>> = Some(Box::new(common::Answers(vec![2])));
        Ask { resources: Resources { remote, ..Resources::default() }, ..common::sampled(n, seed) }
    };
    for (spec, make) in [
        ("contrastive_decoding:coef=0,beta=0", sampled),
        ("context_aware:alpha=0", contrasted),
        ("debias_sampling:alpha=0,beta=0", contrasted),
        ("leading_query:alpha=0,beta=0", contrasted),
        ("prompt_amplification:lambda=0,beta=0", contrasted),
        ("dola:weight=0,beta=0", sampled),
        ("lower_layer:lambda=0,weight=0,beta=0", sampled),
        ("just_read_twice:times=1", sampled),
        ("entropy_adaptive:tau=-1,min_stay=0", sampled),
        ("energy_routing:threshold=1e6", sampled),
        ("remote_cascade:threshold=-1e6", connected),
        ("remote_cascade:by=entropy,threshold=1e6,probe=0", connected),
        ("best_of_n:n=1", sampled),
        ("momentum:alpha=0", greedy),
        ("momentum:k=1", greedy),
        ("contrastive_search:alpha=0", greedy),
        ("contrastive_search:k=1", greedy),
        ("beam:beams=1", greedy),
        ("diverse_beam:beams=3,groups=3,diversity=0", greedy),
        ("conditional_beam:beams=1,min_length=0,no_repeat_ngram=0", greedy),
        ("self_consistency:n=1", sampled),
        ("first_finish:n=1", sampled),
        ("adadec:candidates=1", greedy),
        ("adadec:quantile=0,threshold=20", greedy),
        ("superposed:k=1,alpha=0", greedy),
        ("superposed:k=1,alpha=0,rescore=false", greedy),
        ("a_star:width=1", judged),
        ("a_star:width=1,step_tokens=5", judged_samples),
        ("pg_td:rollouts=1", judged),
        ("transfer_q:weight=0", judged),
        ("transfer_q:candidates=1", judged),
        ("icn:n=1", greedy),
        ("plan_then_write:no_repeat_ngram=0", greedy),
    ] {
        for seed in 0..20 {
            let plain = outcome(&mut bigram(), make(12, seed), "sample");
            let beside = NEEDS_ANOTHER.iter().any(|name| spec.starts_with(name));
            let run = if beside { outcome_beside } else { outcome };
            let got = run(&mut bigram(), make(12, seed), spec);
            assert_eq!(got.tokens, plain.tokens, "{spec}, seed {seed}");
            assert_eq!(got.logprobs, plain.logprobs, "{spec}, seed {seed}");
        }
    }
}

#[test]
fn nothing_is_left_in_the_pool() {
    for (name, _) in Method::LIST {
        let mut model = bigram();
        let _outcome = outcome_beside(&mut model, common::equipped(12), name);
        assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{name}");
    }
}
