//! Worked numbers of every stage: `data/vectors.json` comes from an independent numpy program, the rest are the
//! vectors that llama.cpp publishes in its sampling test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use goldcrest_sample::stage::{
    Bias, Dry, DynamicTemperature, MinP, NoRepeatNgram, Penalties, Temperature, TopK, TopNSigma, TopP,
    Typical, Xtc,
};
use goldcrest_sample::{Candidates, Chain, Ctx, LogitStage, SampleError, SamplerParams};

use common::{BASE, SIX_DECIMALS, after, close, ctx, golden, ids, numbers, row};

#[test]
fn truncations_of_the_base_example() {
    let cases: [(&str, &dyn LogitStage); 4] = [
        ("top_k.3", &TopK { k: 3 }),
        ("min_p.0.2", &MinP { p: 0.2 }),
        ("top_n_sigma.1", &TopNSigma { n: 1.0 }),
        ("top_p.0.7.llama", &TopP { p: 0.7 }),
    ];
    for (key, stage) in cases {
        let (kept, q) = after(row(&BASE), 6, stage, &[]);
        let want = golden(key);
        assert_eq!(kept, ids(want.get("kept").unwrap_or(&want)), "{key}");
        if let Some(want) = want.get("q") {
            close(&q, &numbers(want), SIX_DECIMALS);
        }
    }
    let (kept, q) = after(row(&BASE), 6, &TopP { p: 0.7 }, &[]);
    assert_eq!(kept, ids(&golden("top_p.0.7.hf")));
    close(&q, &numbers(&golden("top_p.0.7.q")), SIX_DECIMALS);
}

#[test]
fn typical_takes_in_order_of_shift() {
    for (key, p) in [("typical.0.5", 0.5), ("typical.0.2", 0.2)] {
        let want = ids(&golden(key)["order_kept"]);
        assert_eq!(Typical { p }.selection(&mut row(&BASE)), want, "{key}");
        let mut sorted = want;
        sorted.sort_unstable();
        assert_eq!(after(row(&BASE), 6, &Typical { p }, &[]).0, sorted);
    }
}

#[test]
fn heat() {
    for (key, t) in [("temp.0.5", 0.5), ("temp.2.0", 2.0)] {
        close(&after(row(&BASE), 6, &Temperature { t }, &[]).1, &numbers(&golden(key)), SIX_DECIMALS);
    }
    let want = golden("dynatemp.0.8.0.5");
    let stage = DynamicTemperature { t: 0.8, range: 0.5, exponent: 1.0 };
    assert!((stage.temperature(&row(&BASE)) - want["T"].as_f64().unwrap()).abs() <= SIX_DECIMALS);
    close(&after(row(&BASE), 6, &stage, &[]).1, &numbers(&want["q"]), SIX_DECIMALS);
    let alone = after(row(&[1.0]), 1, &stage, &[]).1;
    close(&alone, &[1.0], 0.0);
}

#[test]
fn xtc_removes_all_but_the_last_top_choice() {
    let stage = |threshold| Xtc { probability: 1.0, threshold };
    assert_eq!(after(row(&BASE), 6, &stage(0.12), &[]).0, ids(&golden("xtc.0.12")));
    let p = [0.4, 0.3, 0.2, 0.1];
    for (threshold, want) in [
        (0.09, vec![3]),
        (0.19, vec![2, 3]),
        (0.29, vec![1, 2, 3]),
        (0.39, vec![0, 1, 2, 3]),
        (0.51, vec![0, 1, 2, 3]),
    ] {
        assert_eq!(after(row(&p), 4, &stage(threshold), &[]).0, want, "threshold {threshold}");
    }
}

#[test]
fn xtc_fires_as_often_as_asked() {
    let stage = Xtc { probability: 0.3, threshold: 0.12 };
    let fired = (0..20_000u32).filter(|&position| {
        let mut candidates = row(&BASE);
        stage.apply(&mut candidates, &Ctx { history: &[], seed: 7, sequence: 0, position }).unwrap();
        candidates.len() == 4
    });
    // 6,000 expected, deviation 65.
    assert!((5_700..6_300).contains(&fired.count()));
}

#[test]
fn penalties_touch_the_window_only() {
    let logits = [2.0, 1.0, 0.5, -0.5, -1.0, 0.0];
    let stage = Penalties { last_n: 64, repeat: 1.2, frequency: 0.1, presence: 0.3 };
    let mut candidates = Candidates::from_row(&logits).unwrap();
    stage.apply(&mut candidates, &ctx(&[0, 3, 0])).unwrap();
    let mut got = vec![0.0; 6];
    for candidate in candidates.as_slice() {
        got[candidate.id as usize] = f64::from(candidate.logit);
    }
    close(&got, &numbers(&golden("penalty.1.2.freq.1.pres.3")), SIX_DECIMALS);

    let narrow = Penalties { last_n: 1, ..stage };
    let (_, q) = after(Candidates::from_row(&logits).unwrap(), 6, &narrow, &[3, 3, 0]);
    let only_zero = after(Candidates::from_row(&logits).unwrap(), 6, &stage, &[0]).1;
    close(&q, &only_zero, 0.0);
}

#[test]
fn llama_cpp_truncation_vectors() {
    let p = [0.1, 0.2, 0.3, 0.4];
    let check = |stage: &dyn LogitStage, want: &[f64]| close(&after(row(&p), 4, stage, &[]).1, want, 1e-5);
    check(&TopK { k: 1 }, &[0.0, 0.0, 0.0, 1.0]);
    check(&TopK { k: 3 }, &[0.0, 0.222_22, 0.333_33, 0.444_44]);
    check(&TopK { k: 4 }, &p);
    check(&TopK { k: 0 }, &p);
    check(&TopP { p: 0.0 }, &[0.0, 0.0, 0.0, 1.0]);
    check(&TopP { p: 0.7 }, &[0.0, 0.0, 0.428_571, 0.571_429]);
    check(&TopP { p: 0.8 }, &[0.0, 0.222_222, 0.333_333, 0.444_444]);
    check(&TopP { p: 1.0 }, &p);
    for (least, n) in [(0.0, 4), (0.24, 4), (0.26, 3), (0.49, 3), (0.51, 2), (0.74, 2), (0.76, 1), (1.0, 1)] {
        let (kept, _) = after(row(&p), 4, &MinP { p: least }, &[]);
        assert_eq!(kept, [0, 1, 2, 3][4 - n..], "min-p {least}");
    }
    check(&TopNSigma { n: 1.0 }, &[0.0, 0.0, 0.428_571, 0.571_429]);
    check(&TopNSigma { n: 0.0 }, &p);
    check(&TopNSigma { n: 3.0 }, &p);
    assert_eq!(after(row(&[0.97, 0.01, 0.01, 0.01]), 4, &Typical { p: 0.5 }, &[]).0, [0]);
    assert_eq!(after(row(&[0.4, 0.2, 0.2, 0.2]), 4, &Typical { p: 0.5 }, &[]).0, [1, 2, 3]);
}

#[test]
fn llama_cpp_penalty_vectors() {
    let five = [0.2; 5];
    let check = |history: &[u32], repeat, frequency, presence, want: [f64; 5]| {
        let stage = Penalties { last_n: -1, repeat, frequency, presence };
        let mut got = after(row(&five), 5, &stage, history).1;
        got.sort_by(|a, b| b.total_cmp(a));
        let mut want = want.to_vec();
        want.sort_by(|a, b| b.total_cmp(a));
        close(&got, &want, 1e-5);
    };
    check(&[0, 1, 2, 0, 0], 1.0, 5.0, 5.0, [0.0, 0.000_023, 0.000_023, 0.499_977, 0.499_977]);
}

#[test]
fn dry_vectors() {
    let dry = |multiplier, base, allowed_length, breakers: &[u32]| Dry {
        multiplier,
        base,
        allowed_length,
        last_n: -1,
        breakers: breakers.iter().map(|id| vec![*id]).collect(),
    };
    // a b c d a b c, with d = 3.
    let history = [0, 1, 2, 3, 0, 1, 2];
    let want = golden("dry.abcdabc");
    let got = dry(0.8, 1.75, 2, &[]).penalties(&history);
    assert_eq!(got.keys().copied().collect::<Vec<_>>(), [3]);
    assert!((f64::from(got[&3]) - want["3"].as_f64().unwrap()).abs() <= SIX_DECIMALS);
    assert!(golden("dry.abcdabc.breaker_b").as_object().unwrap().is_empty());
    assert!(dry(0.8, 1.75, 2, &[1]).penalties(&history).is_empty());

    let four = [0.25; 4];
    let got = after(row(&four), 4, &dry(1.0, 1.1, 2, &[]), &[0, 1, 2, 0, 1]).1;
    close(&got, &[0.296_923, 0.296_923, 0.109_232, 0.296_923], 1e-5);
    let got = after(row(&[0.2; 5]), 5, &dry(2.0, 1.1, 2, &[]), &[0, 1, 2, 0, 1]).1;
    close(&got, &[0.241_818, 0.241_818, 0.032_727, 0.241_818, 0.241_818], 1e-5);
    let got = after(row(&[0.2; 5]), 5, &dry(1.0, 1.1, 2, &[3]), &[0, 1, 3, 4, 0, 1]).1;
    close(&got, &[0.2; 5], 1e-6);
    let got = after(row(&[0.2; 5]), 5, &dry(1.0, 1.1, 4, &[]), &[0, 1, 2, 0, 1]).1;
    close(&got, &[0.2; 5], 1e-6);
}

#[test]
fn dry_breakers_of_several_tokens() {
    let dry = |breaker: &[u32]| Dry {
        multiplier: 1.0,
        base: 1.75,
        allowed_length: 2,
        last_n: -1,
        breakers: vec![breaker.to_vec()],
    };
    let history = [5, 6, 1, 2, 9, 5, 6, 1, 2];
    // The repetition of four is cut to the two tokens behind the breaker 5 6.
    assert_eq!(dry(&[5, 6]).penalties(&history).get(&9), Some(&1.0));
    // A head whose tail does not follow is no breaker: all four count.
    assert_eq!(dry(&[5, 7]).penalties(&history).get(&9), Some(&(1.75f32 * 1.75)));
    // The window ends inside the tail: no breaker either.
    assert!(!dry(&[2, 9]).penalties(&history[..4]).contains_key(&9));
}

#[test]
fn a_long_repetition_stays_finite() {
    let history = [1u32; 5_000];
    let stage = Dry { multiplier: 100.0, base: 100.0, allowed_length: 1, last_n: -1, breakers: vec![] };
    let penalty = stage.penalties(&history)[&1];
    assert!(penalty.is_finite() && penalty > 1e30);
}

#[test]
fn no_repeat_ngram_bans_completions() {
    let kept = |n, history: &[u32]| {
        let mut candidates = row(&[0.2; 5]);
        NoRepeatNgram { n }.apply(&mut candidates, &ctx(history)).unwrap();
        let mut ids: Vec<u32> = candidates.as_slice().iter().map(|candidate| candidate.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(kept(3, &[1, 2, 3, 1, 2, 4, 1, 2]), [0, 1, 2]);
    assert_eq!(kept(2, &[1, 2, 1]), [0, 1, 3, 4]);
    assert_eq!(kept(1, &[1, 2, 1]), [0, 3, 4]);
    assert_eq!(kept(0, &[1, 2, 1]), [0, 1, 2, 3, 4]);
    assert_eq!(kept(9, &[1, 2, 1]), [0, 1, 2, 3, 4]);
    let mut candidates = row(&[0.5, 0.5]);
    let all_banned = NoRepeatNgram { n: 1 }.apply(&mut candidates, &ctx(&[0, 1]));
    assert_eq!(all_banned, Err(SampleError::NoCandidate));
}

#[test]
fn bias_adds_and_bans() {
    let stage = Bias::new(&[(1, f32::NEG_INFINITY), (3, 0.5), (3, 0.5), (99, 1.0)]);
    let (kept, q) = after(row(&[0.25; 4]), 4, &stage, &[]);
    assert_eq!(kept, [0, 2, 3]);
    let e = std::f64::consts::E;
    close(&q, &[1.0 / (2.0 + e), 0.0, 1.0 / (2.0 + e), e / (2.0 + e)], 1e-6);
    let ban_all = Bias::new(&[(0, f32::NEG_INFINITY)]);
    let mut candidates = row(&[1.0]);
    assert_eq!(ban_all.apply(&mut candidates, &ctx(&[])), Err(SampleError::NoCandidate));
}

#[test]
fn the_two_orders_keep_different_sets() {
    let finals = |description: &str| {
        let mut candidates = row(&BASE);
        Chain::parse(description, 0).unwrap().apply(&mut candidates, 0).unwrap();
        let mut q = vec![0.0; 6];
        for (candidate, p) in candidates.as_slice().iter().zip(candidates.probabilities()) {
            q[candidate.id as usize] = f64::from(p);
        }
        q
    };
    let kept = |q: &[f64]| (0..6u32).filter(|id| q[*id as usize] > 0.0).collect::<Vec<_>>();
    let sets = golden("order.minp0.2_T2");
    let llama = finals("min_p(0.2) | temp(2)");
    assert_eq!(kept(&llama), ids(&sets["llama_kept"]));
    close(&llama, &numbers(&golden("order.llama_final")), SIX_DECIMALS);
    let hf = finals("temp(2) | min_p(0.2)");
    assert_eq!(kept(&hf), ids(&sets["hf_kept"]));
    close(&hf, &numbers(&golden("order.hf_final")), SIX_DECIMALS);

    use goldcrest_sample::Order;
    let params = SamplerParams { temperature: 2.0, min_p: 0.2, ..SamplerParams::neutral() };
    assert_eq!(params.to_chain().unwrap().spec(), "min_p(0.2) | temp(2) | draw");
    let params = SamplerParams { order: Order::HuggingFace, ..params };
    assert_eq!(params.to_chain().unwrap().spec(), "temp(2) | min_p(0.2) | draw");
}

#[test]
fn masks_come_before_truncation() {
    let want = golden("mask.first_vs_resample");
    let logits: Vec<f32> = BASE.iter().map(|p| p.ln() as f32).collect();
    let masked = || Candidates::from_row_masked(&logits, &[0b10_1010]).unwrap();
    close(&after(masked(), 6, &TopK { k: 0 }, &[]).1, &numbers(&want["plain_mask_first"]), SIX_DECIMALS);
    close(&after(masked(), 6, &TopK { k: 2 }, &[]).1, &numbers(&want["top_k2_mask_first"]), SIX_DECIMALS);
}

#[test]
fn base_entropy_is_the_published_one() {
    let entropy: f64 = BASE.iter().map(|p| -p * p.ln()).sum();
    assert!((entropy - golden("base.H_nats").as_f64().unwrap()).abs() <= SIX_DECIMALS);
    close(&numbers(&golden("base.p")), &BASE, 0.0);
}

/// A mask goes before the chain. Drawing first and masking only what was refused, as llama.cpp does with grammars, is the
/// same without truncations and another distribution with them.
#[test]
fn masking_first_is_not_drawing_again() {
    let want = golden("mask.first_vs_resample");
    let allowed = [1_u32 << 1 | 1 << 3 | 1 << 5];
    let logits: Vec<f32> = BASE.iter().map(|p| p.ln() as f32).collect();
    for (top_k, name) in [(0, "plain"), (2, "top_k2")] {
        let chain = SamplerParams { top_k, ..SamplerParams::neutral() }.to_chain().unwrap();
        let drawn_from = |mut candidates: Candidates| {
            chain.apply(&mut candidates, 0).unwrap();
            let mut q = vec![0.0; BASE.len()];
            for (candidate, p) in candidates.as_slice().iter().zip(candidates.probabilities()) {
                q[candidate.id as usize] = f64::from(p);
            }
            q
        };
        let first = drawn_from(Candidates::from_row_masked(&logits, &allowed).unwrap());
        close(&first, &numbers(&want[format!("{name}_mask_first")]), SIX_DECIMALS);
        // What is allowed stands as drawn; the rest is drawn again, under the mask.
        let open = drawn_from(row(&BASE));
        let is_allowed = |id: usize| f64::from(allowed[0] >> id & 1);
        let refused: f64 = open.iter().enumerate().map(|(id, p)| p * (1.0 - is_allowed(id))).sum();
        let again: Vec<f64> =
            (0..BASE.len()).map(|id| open[id] * is_allowed(id) + refused * first[id]).collect();
        close(&again, &numbers(&want[format!("{name}_resample")]), SIX_DECIMALS);
    }
}
