//! Ends with a memory: Mirostat and adaptive-p. Worked numbers, exact forks and rollbacks, distributions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{BASE, SIX_DECIMALS, close, golden, ids, numbers, row};
use goldcrest_sample::end::{Mirostat, MirostatVersion, Surprise};
use goldcrest_sample::{Candidates, Chain, Choice, Purpose, SamplerParams, draw, uniform};

const MIROSTATS: [&str; 4] = [
    "mirostat(tau=3)",
    "mirostat(tau=3,surprise=truncated)",
    "mirostat_v2(tau=3)",
    "mirostat_v2(tau=3,surprise=truncated)",
];

fn zipf() -> Vec<f64> {
    let weights: Vec<f64> = (1..=1000).map(|rank| f64::from(rank).powf(-1.2)).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// The first choice of `chain` that takes `token`, over positions.
fn taking(chain: &Chain, p: &[f64], token: u32) -> Choice {
    let choices = (0..100_000).map(|position| chain.choose(&mut row(p), position).unwrap());
    choices.into_iter().find(|choice| choice.id == token).expect("a token that is kept is drawn some time")
}

/// What the chain keeps for its next choice.
fn kept(chain: &Chain, p: &[f64]) -> usize {
    chain.choose(&mut row(p), 0).unwrap().n_candidates
}

#[test]
fn the_draw_of_the_worked_example() {
    let want = golden("rng.splitmix64.seed42");
    let tokens: Vec<u32> =
        numbers(&want["u"]).iter().map(|u| draw(&mut row(&BASE), *u as f32).unwrap().id).collect();
    assert_eq!(tokens, ids(&want["tokens_base_p"]));
}

#[test]
fn mirostat_1_fits_zipfs_law() {
    let want = golden("mirostat1.zipf1.2");
    let count = Mirostat::zipf_count(&mut row(&zipf()), 6.0);
    assert!((count - want["k_real"].as_f64().unwrap()).abs() < 1e-3, "{count}");
    // τ = 3 begins with a bound of 6 bits.
    let authors = Chain::parse("mirostat(tau=3,eta=1)", 0).unwrap();
    let llama_cpp = Chain::parse("mirostat(tau=3,eta=0.1,surprise=truncated)", 0).unwrap();
    assert_eq!(kept(&authors, &zipf()), want["k_authors"].as_u64().unwrap() as usize);
    assert_eq!(kept(&llama_cpp, &zipf()), want["k_llamacpp"].as_u64().unwrap() as usize);
    // Equal probabilities have exponent 0; a lone candidate has none.
    assert!(Mirostat::zipf_count(&mut row(&[0.25; 4]), 6.0) >= 0.0);
    assert_eq!(Mirostat::zipf_count(&mut row(&[1.0]), 6.0), 1.0);
    for description in MIROSTATS {
        let chain = Chain::parse(description, 0).unwrap();
        assert_eq!(chain.choose(&mut row(&[1.0]), 0).unwrap().id, 0);
        assert!(kept(&chain, &[0.25; 4]) >= 1);
    }
}

/// The bound itself is not shown, so it is found by what it keeps: the second version keeps surprises up to it.
#[test]
fn mirostat_bounds_follow_the_worked_numbers() {
    for (key, token) in [("mirostat1.tok0", 0), ("mirostat1.tok3", 3)] {
        let want = golden(key);
        for (chain, field) in [
            ("mirostat(tau=3,eta=1)", "mu_authors_lr1_tau3"),
            ("mirostat(tau=3,eta=0.1,surprise=truncated)", "mu_llamacpp_eta0.1_tau3"),
        ] {
            let mut chain = Chain::parse(chain, 0).unwrap();
            let choice = taking(&chain, &zipf(), token);
            chain.commit(&choice);
            let count = Mirostat::zipf_count(&mut row(&zipf()), want[field].as_f64().unwrap());
            let rounded = if field.contains("authors") { count.round() as usize + 1 } else { count as usize };
            assert_eq!(kept(&chain, &zipf()), rounded, "{key} {field}");
        }
    }
    let want = golden("mirostat2");
    for (surprise, field) in [("original", "mu_paper(tau2,eta.1)"), ("truncated", "mu_llamacpp")] {
        // A bound of 2.5 bits to begin with, as the example has it, and its target of 2.
        let mut chain =
            Chain::parse(&format!("mirostat_v2(tau=1.25,eta=0.1,surprise={surprise})"), 0).unwrap();
        assert_eq!(kept(&chain, &BASE), ids(&want["kept"]).len());
        let choice = taking(&chain, &BASE, 1);
        chain.commit(&choice);
        // The example's target is 2, this one's 1.25: 0.075 less.
        let mu = want[field].as_f64().unwrap() - 0.075;
        // Equal candidates of just less and just more surprise than the bound, and one that is out of its reach.
        let probe = |bits: f64| {
            let p = (-bits).exp2();
            kept(&chain, &[p, p, 1.0 - 2.0 * p]) == 3
        };
        assert!(probe(mu - 2e-5) && !probe(mu + 2e-5), "{surprise}: {mu}");
    }
}

#[test]
fn mirostat_draws_among_what_it_keeps() {
    let q = numbers(&golden("mirostat2")["q"]);
    let chain = Chain::parse("mirostat_v2(tau=1.25)", 77).unwrap();
    let n = 100_000;
    let mut counts = [0u32; 6];
    for position in 0..n {
        counts[chain.choose(&mut row(&BASE), position).unwrap().id as usize] += 1;
    }
    assert!(counts[2..].iter().all(|count| *count == 0));
    let chi: f64 = counts
        .iter()
        .zip(&q)
        .take(2)
        .map(|(c, q)| (f64::from(*c) - q * f64::from(n)).powi(2) / (q * f64::from(n)))
        .sum();
    // One degree of freedom: 15.1 is exceeded by chance once in 10,000.
    assert!(chi < 15.1, "{chi} {counts:?}");
}

/// On a table of rows the mean surprise comes near the target from both sides.
#[test]
fn mirostat_holds_its_target() {
    for (version, tau) in [("mirostat", 3.0), ("mirostat", 5.0), ("mirostat_v2", 3.0), ("mirostat_v2", 5.0)] {
        let mut chain = Chain::parse(&format!("{version}(tau={tau},eta=0.1)"), 5).unwrap();
        let mut sum = 0.0;
        for position in 0..400u32 {
            let flat = 0.9 + 0.6 * f64::from(uniform(1, 0, position, Purpose::Policy));
            let weights: Vec<f64> = (1..=2000).map(|rank| f64::from(rank).powf(-flat)).collect();
            let total: f64 = weights.iter().sum();
            let p: Vec<f64> = weights.iter().map(|w| w / total).collect();
            let choice = chain.choose(&mut row(&p), position).unwrap();
            sum -= p[choice.id as usize].log2();
            chain.commit(&choice);
        }
        let mean = sum / 400.0;
        assert!((mean - tau).abs() < 0.3, "{version}: {mean} for {tau}");
    }
}

#[test]
fn adaptive_p_of_the_worked_example() {
    let mut chain = Chain::parse("adaptive_p(target=0.25)", 0).unwrap();
    let shaped = |chain: &Chain| {
        let mut candidates = row(&BASE);
        chain.choose(&mut candidates, 0).unwrap();
        let mut q = [0.0; 6];
        for (candidate, p) in candidates.as_slice().iter().zip(candidates.probabilities()) {
            q[candidate.id as usize] = f64::from(p);
        }
        q
    };
    close(&shaped(&chain), &numbers(&golden("adaptive_p.t0.25.first")["q"]), SIX_DECIMALS);
    let choice = taking(&chain, &BASE, 0);
    chain.commit(&choice);
    close(&shaped(&chain), &numbers(&golden("adaptive_p.after_A")["q"]), SIX_DECIMALS);
    chain.rollback(1);
    close(&shaped(&chain), &numbers(&golden("adaptive_p.t0.25.first")["q"]), SIX_DECIMALS);
}

/// A fork, or a chain that went on and was rolled back, goes on exactly as the chain does.
#[test]
fn forks_and_rollbacks_keep_the_memory() {
    let run = |chain: &mut Chain, from: u32, n: u32| -> Vec<u32> {
        let step = |position| {
            let choice = chain.choose(&mut row(&zipf()), position).unwrap();
            chain.commit(&choice);
            choice.id
        };
        (from..from + n).map(step).collect()
    };
    for description in MIROSTATS.into_iter().chain(["adaptive_p(target=0.1)"]) {
        let mut chain = Chain::parse(description, 3).unwrap();
        chain.accept(7);
        let first = run(&mut chain, 1, 30);
        let mut fork = chain.fork(0);
        let rest = run(&mut chain, 31, 30);
        assert_eq!(run(&mut fork, 31, 30), rest, "{description}");
        chain.rollback(30);
        assert_eq!(run(&mut chain, 31, 30), rest, "{description}");
        chain.reset();
        chain.accept(7);
        assert_eq!(run(&mut chain, 1, 30), first, "{description}");
        chain.rollback(1000);
        assert!(chain.history().is_empty());
        // A token that the chain did not choose teaches it nothing.
        let mut told = Chain::parse(description, 3).unwrap();
        (0..50).for_each(|token| told.accept(token));
        assert_eq!(run(&mut told, 1, 30), first, "{description}");
    }
}

#[test]
fn mirostat_takes_the_place_of_the_truncations() {
    let params = SamplerParams {
        mirostat: 2,
        mirostat_tau: 4.0,
        repeat_penalty: 1.1,
        logit_bias: vec![(1, 1.0)],
        ..SamplerParams::default()
    };
    let spec = params.to_chain().unwrap().spec();
    let want = "bias(1=1) | penalties(last_n=64,repeat=1.1,freq=0,present=0) | temp(0.8) | mirostat_v2(tau=4,eta=0.1,surprise=original)";
    assert_eq!(spec, want);
    let greedy = SamplerParams { temperature: 0.0, ..params };
    assert!(greedy.to_chain().unwrap().spec().ends_with("greedy"));
    let adaptive = SamplerParams { adaptive_target: 0.3, ..SamplerParams::default() };
    assert!(adaptive.to_chain().unwrap().spec().ends_with("adaptive_p(target=0.3,decay=0.9)"));
    let end = Mirostat { version: MirostatVersion::V2, tau: 4.0, eta: 0.1, surprise: Surprise::Original };
    assert_eq!(
        params_end(&SamplerParams { mirostat: 2, mirostat_tau: 4.0, ..SamplerParams::neutral() }),
        end
    );
}

fn params_end(params: &SamplerParams) -> Mirostat {
    match params.to_chain().unwrap().end() {
        goldcrest_sample::Choose::Mirostat(end) => end,
        other => panic!("{other:?}"),
    }
}

/// With a bound that nothing exceeds, Mirostat is the plain draw: its identity.
#[test]
fn a_bound_beyond_all_surprise_is_the_plain_draw() {
    let plain = Chain::parse("draw", 8).unwrap();
    for description in ["mirostat_v2(tau=100,eta=0)", "mirostat(tau=100,eta=0)"] {
        let mut chain = Chain::parse(description, 8).unwrap();
        for position in 0..200 {
            let logits: Vec<f32> = (0..300).map(|i| 9.0 * uniform(2, i, position, Purpose::Policy)).collect();
            let row = || Candidates::from_row(&logits).unwrap();
            let choice = chain.choose(&mut row(), position).unwrap();
            assert_eq!(choice.id, plain.choose(&mut row(), position).unwrap().id, "{description}");
            chain.commit(&choice);
        }
    }
}
