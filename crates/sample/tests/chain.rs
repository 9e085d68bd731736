//! Chains as a whole: neutral settings, frequencies, order independence, partial rows, descriptions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_sample::{
    Candidates, Chain, Choose, Needs, Order, Purpose, RowStats, SampleError, SamplerParams, draw, uniform,
};
use proptest::prelude::*;

fn logits(n: usize, seed: u32) -> Vec<f32> {
    (0..n as u32).map(|i| uniform(u64::from(seed), 0, i, Purpose::Policy) * 12.0 - 6.0).collect()
}

fn stats(row: &[f32]) -> RowStats {
    let (argmax, max) = row
        .iter()
        .enumerate()
        .fold((0, f32::MIN), |best, (id, &logit)| if logit > best.1 { (id as u32, logit) } else { best });
    let sum: f64 = row.iter().map(|logit| f64::from(logit - max).exp()).sum();
    let mut sorted = row.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    RowStats {
        max,
        argmax,
        log_sum_exp: max + sum.ln() as f32,
        entropy: row
            .iter()
            .map(|logit| f64::from(logit - max) - sum.ln())
            .map(|log_p| -log_p.exp() * log_p)
            .sum::<f64>() as f32,
        max_p: (1.0 / sum) as f32,
        top2_gap: sorted[0] - sorted[1],
    }
}

fn top(row: &[f32], k: usize, with_stats: bool) -> Candidates {
    let mut all = Candidates::from_row(row).unwrap();
    all.keep_first(k);
    let ids: Vec<u32> = all.as_slice().iter().map(|candidate| candidate.id).collect();
    let values: Vec<f32> = all.as_slice().iter().map(|candidate| candidate.logit).collect();
    Candidates::from_top(&ids, &values, with_stats.then(|| stats(row))).unwrap()
}

/// Every stage at its neutral setting leaves the row as it is, bit for bit, and so the same token stream.
#[test]
fn neutral_stages_change_nothing() {
    let neutral = Chain::parse(
        "bias(3=0) | penalties(last_n=64) | penalties(last_n=0,repeat=1.3) | dry(mult=0) | no_repeat_ngram(0) | \
         no_cite(n=0,text=1-2) | no_cite(n=2) | \
         top_n_sigma(0) | top_h(0) | top_h(0,variant=paper) | top_k(0) | typical(1) | top_p(1) | min_p(0) | epsilon(0) | \
         eta(0) | xtc(p=0) | dynatemp(t=1,range=0) | temp(1)",
        9,
    )
    .unwrap();
    let plain = Chain::new(Vec::new(), Choose::Draw, 9);
    assert_eq!(SamplerParams { seed: 9, ..SamplerParams::neutral() }.to_chain().unwrap().spec(), "draw");
    let (mut neutral, mut plain) = (neutral, plain);
    for position in 0..200 {
        let row = logits(300, position);
        let mut candidates = Candidates::from_row(&row).unwrap();
        neutral.apply(&mut candidates, position).unwrap();
        assert_eq!(candidates, Candidates::from_row(&row).unwrap());
        let a = neutral.choose(&mut Candidates::from_row(&row).unwrap(), position).unwrap();
        let b = plain.choose(&mut Candidates::from_row(&row).unwrap(), position).unwrap();
        assert_eq!(a, b);
        neutral.accept(a.id);
        plain.accept(b.id);
    }
}

#[test]
fn draws_follow_the_distribution() {
    let p = [0.40f64, 0.25, 0.15, 0.10, 0.06, 0.04];
    let row: Vec<f32> = p.iter().map(|p| p.ln() as f32).collect();
    let chain = Chain::parse("draw", 12_345).unwrap();
    let n = 100_000u32;
    let mut counts = [0u32; 6];
    for position in 0..n {
        counts[chain.choose(&mut Candidates::from_row(&row).unwrap(), position).unwrap().id as usize] += 1;
    }
    let chi_square: f64 = counts
        .iter()
        .zip(p)
        .map(|(&count, p)| {
            let expected = p * f64::from(n);
            (f64::from(count) - expected).powi(2) / expected
        })
        .sum();
    // Five degrees of freedom: 25.74 is exceeded by chance once in 10,000.
    assert!(chi_square < 25.74, "chi-square {chi_square}, counts {counts:?}");
}

#[test]
fn the_draw_at_its_borders() {
    let row: Vec<f32> = [0.5f64, 0.25, 0.25].iter().map(|p| p.ln() as f32).collect();
    let pick = |u| draw(&mut Candidates::from_row(&row).unwrap(), u).unwrap().id;
    assert_eq!(pick(0.0), 0);
    assert_eq!(pick(0.499_99), 0);
    // The running sum must be greater than u times the total, so 0.5 belongs to the second candidate.
    assert_eq!(pick(0.5), 1);
    assert_eq!(pick(0.75), 2);
    assert_eq!(pick(0.999_999_94), 2);
    // e^-200 is 0 in f32: never drawn, not even at the end.
    let far = [0.0, -200.0, -300.0];
    assert_eq!(draw(&mut Candidates::from_row(&far).unwrap(), 0.999_999_94).unwrap().id, 0);
}

#[test]
fn forks_draw_from_streams_of_their_own() {
    let chain = Chain::parse("temp(2)", 5).unwrap();
    let row = logits(1000, 1);
    let stream = |chain: &Chain| {
        (0..64)
            .map(|position| chain.choose(&mut Candidates::from_row(&row).unwrap(), position).unwrap().id)
            .collect::<Vec<_>>()
    };
    assert_eq!(stream(&chain), stream(&chain.fork(0)));
    assert_ne!(stream(&chain), stream(&chain.fork(1)));
}

#[test]
fn fork_and_rollback_keep_histories_apart() {
    let mut chain = Chain::parse("no_repeat_ngram(2) | greedy", 0).unwrap();
    for token in [1, 0, 1] {
        chain.accept(token);
    }
    let best =
        |chain: &Chain| chain.choose(&mut Candidates::from_row(&[3.0, 2.0, 1.0]).unwrap(), 3).unwrap().id;
    assert_eq!(best(&chain), 1);
    let fork = chain.fork(1);
    chain.rollback(1);
    assert_eq!(chain.history(), [1, 0]);
    assert_eq!(best(&chain), 0);
    assert_eq!(best(&fork), 1);
    chain.reset();
    assert!(chain.history().is_empty());
    assert_eq!(best(&chain), 0);
}

/// From the top K alone a chain gives the whole row's token, or asks for the whole row; it never gives another.
#[test]
fn top_k_rows_are_exact_or_refused() {
    let chains = [
        ("top_k(40) | top_p(0.9) | min_p(0.05) | temp(0.8)", true),
        ("greedy", true),
        // Of 2,000 logits spread over 12, the best 64 span 0.38: min-p 0.9 cuts inside, 0.3 beyond.
        ("min_p(0.9)", true),
        ("min_p(0.3)", false),
        ("top_k(65)", false),
        ("typical(0.5)", false),
        ("top_n_sigma(1)", false),
        ("bias(3=1)", false),
        ("dynatemp(t=1,range=0.5)", false),
        ("xtc(p=1,thr=0.01)", false),
    ];
    let row: Vec<f32> = logits(2000, 3);
    for (description, exact) in chains {
        let chain = Chain::parse(description, 1).unwrap();
        for position in 0..50 {
            let whole = chain.choose(&mut Candidates::from_row(&row).unwrap(), position).unwrap();
            match chain.choose(&mut top(&row, 64, false), position) {
                Ok(choice) => assert!(exact && choice.id == whole.id, "{description}"),
                Err(SampleError::NeedsFullRow { .. }) => assert!(!exact, "{description}"),
                Err(error) => panic!("{description}: {error}"),
            }
        }
    }
    let raised = Chain::parse("penalties(repeat=0.8) | top_k(4)", 1).unwrap();
    let mut after_token = raised.fork(0);
    after_token.accept(3);
    assert!(raised.choose(&mut top(&row, 64, false), 0).is_ok());
    assert_eq!(
        after_token.choose(&mut top(&row, 64, false), 0),
        Err(SampleError::NeedsFullRow { stage: "penalties" })
    );
}

/// Stages that only lower or remove logits leave the best few of a row known, down to where the last of them stood.
#[test]
fn lowered_top_k_rows_are_exact_or_refused() {
    let row: Vec<f32> = logits(2000, 5);
    let mut order: Vec<u32> = (0..2000).collect();
    order.sort_by(|a, b| row[*b as usize].total_cmp(&row[*a as usize]));
    let (mut exact, mut refused) = (0, 0);
    for n_history in [1, 8, 30, 60, 64, 65, 100] {
        for (description, k) in [
            (format!("bias({}=-3,{}=-inf)", order[0], order[2]), 4),
            ("penalties(repeat=1.3,freq=0.5,present=1)".to_owned(), 4),
            ("no_repeat_ngram(1)".to_owned(), 4),
            ("dry(mult=5,base=1.2,allowed=1)".to_owned(), 8),
            (format!("no_cite(n=1,text={}-{})", order[0], order[63]), 40),
        ] {
            let mut chain = Chain::parse(&format!("{description} | top_k({k}) | temp(0.8)"), 1).unwrap();
            order[..n_history].iter().chain(&order[..1]).for_each(|token| chain.accept(*token));
            assert_eq!(chain.needs(64), Needs::Best);
            for position in 0..20 {
                let whole = chain.choose(&mut Candidates::from_row(&row).unwrap(), position).unwrap();
                match chain.choose(&mut top(&row, 64, true), position) {
                    Ok(choice) => {
                        exact += 1;
                        assert_eq!(choice, whole, "{description} behind {n_history}");
                    }
                    Err(SampleError::NeedsFullRow { .. }) => refused += 1,
                    Err(error) => panic!("{description}: {error}"),
                }
            }
        }
    }
    assert!(exact > 400 && refused > 60, "{exact} exact, {refused} refused");
}

/// What a chain says it needs, and that it keeps its word on rows where everything is settled by the best.
#[test]
fn needs_are_known_before_there_is_a_row() {
    for (description, needs) in [
        ("draw", Needs::Best),
        ("greedy", Needs::Best),
        ("temp(0.7) | draw", Needs::Row),
        ("temp(0.7) | greedy", Needs::Best),
        ("top_k(40) | temp(0.7)", Needs::Best),
        ("top_k(257) | temp(0.7)", Needs::Row),
        (
            "top_k(256) | typical(0.5) | top_n_sigma(1) | dynatemp(t=1,range=1) | xtc(p=1,thr=0.1)",
            Needs::Best,
        ),
        ("typical(0.5) | top_k(40)", Needs::Row),
        ("typical(1) | top_k(40)", Needs::Best),
        ("top_n_sigma(1)", Needs::Row),
        ("dynatemp(t=1,range=0.5)", Needs::Row),
        ("xtc(p=0.5)", Needs::Row),
        ("top_p(0.9) | temp(2)", Needs::Best),
        ("temp(2) | top_p(0.9)", Needs::Row),
        ("temp(2) | min_p(0.1)", Needs::Best),
        ("top_h(0.4)", Needs::Best),
        ("temp(2) | top_h(0.4)", Needs::Best),
        ("top_h(0.4,variant=authors)", Needs::Best),
        ("temp(2) | top_h(0.4,variant=authors)", Needs::Row),
        ("temp(2) | top_h(0.4,variant=paper)", Needs::Row),
        ("epsilon(0.001) | temp(2)", Needs::Best),
        ("temp(2) | eta(0.001)", Needs::Row),
        ("bias(3=1) | top_k(4)", Needs::Row),
        ("bias(3=-1) | top_k(4)", Needs::Best),
        ("bias(3=-1)", Needs::Row),
        ("penalties(repeat=1.1) | top_k(4)", Needs::Best),
        ("penalties(freq=-0.1) | top_k(4)", Needs::Row),
        ("dry() | top_k(4)", Needs::Best),
        ("mirostat_v2", Needs::Best),
        ("temp(0.8) | mirostat_v2", Needs::Row),
        ("mirostat", Needs::Row),
        ("top_k(100) | mirostat", Needs::Best),
        ("adaptive_p(target=0.5)", Needs::Row),
        ("min_p(0.05) | adaptive_p(target=0.5)", Needs::Best),
    ] {
        assert_eq!(Chain::parse(description, 0).unwrap().needs(256), needs, "{description}");
    }
    // A peaked row: the best 256 of it carry nearly all the mass.
    let row: Vec<f32> = (0..5000).map(|i| -0.05 * i as f32).collect();
    for description in [
        "draw",
        "top_p(0.9)",
        "top_h(0.4)",
        "top_h(0.6,variant=authors)",
        "top_h(0.6,variant=paper)",
        "epsilon(0.001)",
        "eta(0.001)",
        "mirostat_v2",
        "min_p(0.1)",
    ] {
        let chain = Chain::parse(description, 3).unwrap();
        for position in 0..50 {
            let best = chain.choose(&mut top(&row, 256, true), position).unwrap();
            let whole = chain.choose(&mut Candidates::from_row(&row).unwrap(), position).unwrap();
            assert_eq!(
                (best.id, best.n_candidates.min(256)),
                (whole.id, whole.n_candidates.min(256)),
                "{description}"
            );
        }
    }
}

#[test]
fn with_exact_figures_the_mass_outside_the_top_counts() {
    let mut row = logits(2000, 4);
    row[7] = 14.0; // carries about nine tenths of the mass
    for description in ["top_p(0.5)", "top_p(0.85)", "draw"] {
        let chain = Chain::parse(description, 2).unwrap();
        let (mut exact, mut refused) = (0, 0);
        for position in 0..400 {
            let whole = chain.choose(&mut Candidates::from_row(&row).unwrap(), position).unwrap();
            match chain.choose(&mut top(&row, 32, true), position) {
                Ok(choice) => {
                    assert_eq!(choice.id, whole.id, "{description}");
                    exact += 1;
                }
                Err(SampleError::NeedsFullRow { .. }) => refused += 1,
                Err(error) => panic!("{description}: {error}"),
            }
        }
        assert!(exact > 300, "{description}: {exact} exact, {refused} refused");
        assert_eq!(refused > 0, description == "draw", "{description}");
    }
    let chain = Chain::parse("top_p(0.5)", 2).unwrap();
    assert!(chain.choose(&mut top(&row, 32, false), 0).is_err());
}

#[test]
fn a_trace_lists_survivors_stage_by_stage() {
    let row: Vec<f32> = [0.4f64, 0.3, 0.2, 0.1].iter().map(|p| p.ln() as f32).collect();
    let chain = Chain::parse("top_k(3) | temp(0.5) | greedy", 0).unwrap();
    let (choice, traces) = chain.choose_traced(&mut Candidates::from_row(&row).unwrap(), 0, 2).unwrap();
    assert_eq!((choice.id, choice.n_candidates), (0, 3));
    let summary: Vec<(&str, usize, usize)> =
        traces.iter().map(|trace| (trace.stage.as_str(), trace.n_candidates, trace.top.len())).collect();
    assert_eq!(summary, [("input", 4, 2), ("top_k(3)", 3, 2), ("temp(0.5)", 3, 2)]);
    assert!((traces[1].top[0].1 - 0.4 / 0.9).abs() < 1e-6);
    assert!((traces[2].top[0].1 - 0.16 / 0.29).abs() < 1e-6);
}

#[test]
fn descriptions_read_back() {
    let all = "bias(5=1.5,7=-inf) | penalties(last_n=-1,repeat=1.1,freq=0.2,present=0.3) | \
               dry(mult=0.8,base=1.75,allowed=2,last_n=64,breaker=4,breaker=5-6) | no_repeat_ngram(3) | \
               no_cite(n=3,text=1-2-3,text=9) | top_n_sigma(1) | top_h(0.4,variant=authors) | top_k(40) | typical(0.9) | \
               top_p(0.95) | min_p(0.05) | epsilon(0.001) | eta(0.002) | xtc(p=0.5,thr=0.1) | temp(0.8) | \
               dynatemp(t=0.8,range=0.5,exp=1) | greedy";
    let chain = Chain::parse(all, 0).unwrap();
    assert_eq!(chain.spec(), all);
    assert_eq!(Chain::parse(" top_k( k = 3 ) ", 0).unwrap().spec(), "top_k(3) | draw");
    assert_eq!(Chain::parse("", 0).unwrap().spec(), "draw");
    for (short, long) in [
        ("top_h", "top_h(0.4,variant=hf) | draw"),
        ("top_h(h=0.5,variant=paper)", "top_h(0.5,variant=paper) | draw"),
        ("mirostat", "mirostat(tau=5,eta=0.1,surprise=original)"),
        ("mirostat_v2(tau=3,surprise=truncated)", "mirostat_v2(tau=3,eta=0.1,surprise=truncated)"),
        ("adaptive_p(target=0.4)", "adaptive_p(target=0.4,decay=0.9)"),
        ("no_cite(text=1-2)", "no_cite(n=8,text=1-2) | draw"),
    ] {
        assert_eq!(Chain::parse(short, 0).unwrap().spec(), long);
        assert_eq!(Chain::parse(long, 0).unwrap().spec(), long);
    }
    for bad in [
        "top_q(1)",
        "top_k",
        "top_k()",
        "top_k(x)",
        "top_k(3",
        "top_k(3)|",
        "|",
        "greedy | top_k(3)",
        "top_k(1,2)",
        "top_p(p=1,p=1)",
        "temp(0)",
        "xtc()",
        "xtc(p=0.1,q=3)",
        "bias(a=1)",
        "bias(1=)",
        "dry(breaker=x)",
        "top_k(-1.5)",
        "dynatemp(t=1)",
        "top_h(0.4,variant=all)",
        "top_h(0.4,0.5)",
        "mirostat(tau=3,surprise=none)",
        "mirostat | top_k(3)",
        "mirostat(3)",
        "adaptive_p()",
        "adaptive_p(target=-0.5)",
        "no_cite(text=a)",
        "draw(3)",
    ] {
        assert!(matches!(Chain::parse(bad, 0), Err(SampleError::BadSpec { .. })), "{bad}");
    }
    for (bad, setting) in [
        ("top_k(-1)", "top_k"),
        ("top_p(1.5)", "top_p"),
        ("top_p(nan)", "top_p"),
        ("min_p(-0.1)", "min_p"),
        ("temp(inf)", "temperature"),
        ("bias(1=inf)", "logit_bias"),
        ("bias(1=nan)", "logit_bias"),
        ("dry(allowed=0)", "dry_allowed_length"),
        ("penalties(repeat=0)", "repeat_penalty"),
        ("penalties(last_n=-2)", "penalty_last_n"),
        ("top_h(1.5)", "top_h"),
        ("epsilon(2)", "epsilon_cutoff"),
        ("eta(-1)", "eta_cutoff"),
        ("mirostat(tau=-1)", "mirostat_tau"),
        ("mirostat_v2(eta=11)", "mirostat_eta"),
        ("adaptive_p(target=2)", "adaptive_target"),
        ("adaptive_p(target=0.5,decay=1)", "adaptive_decay"),
        ("no_cite(n=-1)", "no_cite_ngram"),
    ] {
        match Chain::parse(bad, 0) {
            Err(SampleError::InvalidParameter { name, .. }) => assert_eq!(name, setting, "{bad}"),
            other => panic!("{bad}: {other:?}"),
        }
    }
}

#[test]
fn gpu_plans_say_what_they_cover() {
    let base = SamplerParams::default();
    let plan = base.gpu_plan();
    assert!(plan.exact_with(40) && plan.exact_with(256) && !plan.exact_with(39));
    assert_eq!((plan.top_k, plan.top_p, plan.min_p, plan.greedy), (40, 0.95, 0.05, false));
    assert_eq!(plan.inv_temperature, 1.0 / 0.8);
    assert_eq!(plan.last_n, 0);
    let exact = |params: &SamplerParams| params.gpu_plan().exact_with(256);
    assert!(exact(&SamplerParams::greedy()));
    assert!(exact(&SamplerParams { repeat_penalty: 1.1, ..SamplerParams::greedy() }));
    assert!(!exact(&SamplerParams { top_k: 0, ..base.clone() }));
    assert!(!exact(&SamplerParams { top_k: 257, ..base.clone() }));
    assert!(!exact(&SamplerParams { typical_p: 0.9, ..base.clone() }));
    assert!(!exact(&SamplerParams { typical_p: 0.9, ..SamplerParams::greedy() }));
    assert!(!exact(&SamplerParams { dry_multiplier: 0.8, ..base.clone() }));
    assert!(!exact(&SamplerParams { xtc_probability: 0.5, ..base.clone() }));
    assert!(!exact(&SamplerParams { top_n_sigma: 1.0, ..base.clone() }));
    assert!(!exact(&SamplerParams { no_repeat_ngram: 3, ..base.clone() }));
    assert!(!exact(&SamplerParams { dynatemp_range: 0.1, ..base.clone() }));
    assert!(!exact(&SamplerParams { top_h: 0.4, ..base.clone() }));
    assert!(!exact(&SamplerParams { epsilon_cutoff: 0.01, ..base.clone() }));
    assert!(!exact(&SamplerParams { eta_cutoff: 0.01, ..base.clone() }));
    assert!(!exact(&SamplerParams { mirostat: 2, ..base.clone() }));
    assert!(exact(&SamplerParams { mirostat: 2, ..SamplerParams::greedy() }));
    assert!(!exact(&SamplerParams { adaptive_target: 0.0, ..base.clone() }));
    let no_cite = |n| SamplerParams { no_cite_ngram: n, no_cite_texts: vec![vec![1, 2]], ..base.clone() };
    assert_eq!([exact(&no_cite(0)), exact(&no_cite(2))], [true, false]);
    let hf = SamplerParams { order: Order::HuggingFace, ..base };
    assert!(!exact(&hf));
    assert!(exact(&SamplerParams { temperature: 1.0, ..hf.clone() }));
    assert!(exact(&SamplerParams { top_p: 1.0, min_p: 0.0, ..hf }));
}

fn any_params() -> impl Strategy<Value = SamplerParams> {
    let cuts = (0i32..60, 0.0f32..=1.0, 0.0f32..=1.0, 0.0f32..3.0);
    let shape = (0.0f32..4.0, 0.5f32..2.0, -1.0f32..1.0, any::<bool>(), any::<u64>());
    (cuts, shape).prop_map(
        |((top_k, top_p, min_p, top_n_sigma), (temperature, repeat, frequency, hf, seed))| SamplerParams {
            temperature,
            top_k,
            top_p,
            min_p,
            top_n_sigma,
            repeat_penalty: repeat,
            frequency_penalty: frequency,
            seed,
            order: if hf { Order::HuggingFace } else { Order::LlamaCpp },
            ..SamplerParams::neutral()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Survivors come from the input, and the argmax of the corrected row survives every truncation but typical and
    /// XTC, which are meant to drop it.
    #[test]
    fn survivors_are_a_subset_with_the_argmax(
        row in prop::collection::vec(-30.0f32..30.0, 1..200),
        history in prop::collection::vec(0u32..250, 0..80),
        params in any_params(),
    ) {
        let corrections = SamplerParams {
            temperature: 1.0, top_k: 0, top_p: 1.0, min_p: 0.0, top_n_sigma: 0.0, ..params.clone()
        };
        let (mut chain, mut corrections) = (params.to_chain().unwrap(), corrections.to_chain().unwrap());
        for token in history {
            chain.accept(token);
            corrections.accept(token);
        }
        let mut corrected = Candidates::from_row(&row).unwrap();
        corrections.apply(&mut corrected, 3).unwrap();
        let mut left = Candidates::from_row(&row).unwrap();
        chain.apply(&mut left, 3).unwrap();
        prop_assert!(left.as_slice().iter().all(|candidate| (candidate.id as usize) < row.len()));
        let mut ids: Vec<u32> = left.as_slice().iter().map(|candidate| candidate.id).collect();
        prop_assert!(ids.contains(&corrected.best().unwrap().id));
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), left.len());
        let chosen = chain.choose(&mut Candidates::from_row(&row).unwrap(), 3).unwrap();
        prop_assert!(ids.contains(&chosen.id));
    }

    /// The order in which candidates arrive does not matter.
    #[test]
    fn arrival_order_does_not_matter(
        row in prop::collection::vec((-8i32..8).prop_map(|x| x as f32 / 2.0), 2..80),
        params in any_params(),
        rotate in 0usize..80,
    ) {
        let n = row.len();
        let order: Vec<u32> = (0..n as u32).map(|i| (i + rotate as u32) % n as u32).collect();
        let mixed: Vec<f32> = order.iter().map(|id| row[*id as usize]).collect();
        let chain = SamplerParams { top_n_sigma: 0.0, top_k: params.top_k.max(1).min(n as i32), ..params }
            .to_chain()
            .unwrap();
        let straight = chain.choose(&mut Candidates::from_row(&row).unwrap(), 1).unwrap();
        let turned = chain.choose(&mut Candidates::from_top(&order, &mixed, None).unwrap(), 1);
        // Heat before top-k (Hugging Face order) with cuts is still decided by the first k alone.
        prop_assert_eq!(turned.unwrap(), straight);
    }
}
