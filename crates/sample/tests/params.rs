//! Ranges of all sampling settings: everything outside is a typed error that names the setting.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_sample::{SampleError, SamplerParams, StopMatcher};

type SetFloat = fn(&mut SamplerParams, f32);
type SetInt = fn(&mut SamplerParams, i32);

/// (name, setter, values that must pass, values that must not); NaN and the infinities are added to the latter.
const FLOATS: [(&str, SetFloat, &[f32], &[f32]); 20] = [
    ("temperature", |p, v| p.temperature = v, &[0.0, 1e-9, 0.7, 100.0], &[-1.0, -1e-9, 100.1, f32::MAX]),
    ("dynatemp_range", |p, v| p.dynatemp_range = v, &[0.0, 100.0], &[-1.0, f32::MAX]),
    ("dynatemp_exponent", |p, v| p.dynatemp_exponent = v, &[0.01, 1.0, 100.0], &[-1.0, 0.0, f32::MAX]),
    ("top_p", |p, v| p.top_p = v, &[0.0, 0.5, 1.0], &[-1.0, 1.1, f32::MAX]),
    ("min_p", |p, v| p.min_p = v, &[0.0, 0.5, 1.0], &[-1.0, 1.1, f32::MAX]),
    ("typical_p", |p, v| p.typical_p = v, &[0.0, 1.0], &[-1.0, 1.1, f32::MAX]),
    ("top_n_sigma", |p, v| p.top_n_sigma = v, &[0.0, 100.0], &[-1.0, f32::MAX]),
    ("xtc_probability", |p, v| p.xtc_probability = v, &[0.0, 1.0], &[-1.0, 1.1, f32::MAX]),
    ("xtc_threshold", |p, v| p.xtc_threshold = v, &[0.0, 1.0], &[-1.0, 1.1, f32::MAX]),
    ("repeat_penalty", |p, v| p.repeat_penalty = v, &[0.01, 1.0, 100.0], &[-1.0, 0.0, f32::MAX]),
    ("frequency_penalty", |p, v| p.frequency_penalty = v, &[-1.0, 0.0, 2.0], &[-101.0, f32::MAX, f32::MIN]),
    ("presence_penalty", |p, v| p.presence_penalty = v, &[-1.0, 0.0, 2.0], &[-101.0, f32::MAX, f32::MIN]),
    ("top_h", |p, v| p.top_h = v, &[0.0, 0.4, 1.0], &[-0.1, 1.1, f32::MAX]),
    ("epsilon_cutoff", |p, v| p.epsilon_cutoff = v, &[0.0, 1.0], &[-0.1, 1.1]),
    ("eta_cutoff", |p, v| p.eta_cutoff = v, &[0.0, 1.0], &[-0.1, 1.1]),
    ("mirostat_tau", |p, v| p.mirostat_tau = v, &[0.0, 5.0, 100.0], &[-0.1, 101.0]),
    ("mirostat_eta", |p, v| p.mirostat_eta = v, &[0.0, 1.0, 10.0], &[-0.1, 11.0]),
    ("adaptive_target", |p, v| p.adaptive_target = v, &[-1.0, 0.0, 1.0], &[-1.1, 1.1]),
    ("adaptive_decay", |p, v| p.adaptive_decay = v, &[0.0, 0.99], &[-0.1, 1.0]),
    ("dry_multiplier", |p, v| p.dry_multiplier = v, &[0.0, 100.0], &[-1.0, f32::MAX]),
];

const INTS: [(&str, SetInt, &[i32], &[i32]); 7] = [
    ("top_k", |p, v| p.top_k = v, &[0, 1, i32::MAX], &[-1, i32::MIN]),
    ("penalty_last_n", |p, v| p.penalty_last_n = v, &[-1, 0, i32::MAX], &[-2, i32::MIN]),
    ("dry_last_n", |p, v| p.dry_last_n = v, &[-1, 0, i32::MAX], &[-2, i32::MIN]),
    ("dry_allowed_length", |p, v| p.dry_allowed_length = v, &[1, i32::MAX], &[0, -1, i32::MIN]),
    ("no_cite_ngram", |p, v| p.no_cite_ngram = v, &[0, 1, i32::MAX], &[-1]),
    ("mirostat", |p, v| p.mirostat = v, &[0, 1, 2], &[-1, 3]),
    ("no_repeat_ngram", |p, v| p.no_repeat_ngram = v, &[0, 1, i32::MAX], &[-1, i32::MIN]),
];

#[track_caller]
fn refused(params: &SamplerParams, name: &str, value: &str) {
    match params.validate() {
        Err(SampleError::InvalidParameter { name: got, allowed, .. }) => {
            assert_eq!(got, name, "{value}");
            assert!(!allowed.is_empty());
        }
        other => panic!("{name} = {value}: {other:?}"),
    }
    assert!(params.to_chain().is_err(), "{name} = {value} made a chain");
}

#[test]
fn every_real_setting() {
    let never = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for (name, set, good, bad) in FLOATS {
        for value in good {
            let mut params = SamplerParams::default();
            set(&mut params, *value);
            assert_eq!(params.validate(), Ok(()), "{name} = {value}");
            assert!(params.to_chain().is_ok());
        }
        for value in bad.iter().chain(&never) {
            let mut params = SamplerParams::default();
            set(&mut params, *value);
            refused(&params, name, &value.to_string());
        }
    }
    for value in [-1.0, f32::NAN, f32::INFINITY, f32::MAX] {
        refused(
            &SamplerParams { dry_base: value, ..SamplerParams::default() },
            "dry_base",
            &value.to_string(),
        );
    }
}

#[test]
fn every_integer_setting() {
    for (name, set, good, bad) in INTS {
        for value in good {
            let mut params = SamplerParams::default();
            set(&mut params, *value);
            assert_eq!(params.validate(), Ok(()), "{name} = {value}");
        }
        for value in bad {
            let mut params = SamplerParams::default();
            set(&mut params, *value);
            refused(&params, name, &value.to_string());
        }
    }
}

#[test]
fn biases_and_token_ids() {
    let with = |logit_bias: Vec<(u32, f32)>| SamplerParams { logit_bias, ..SamplerParams::default() };
    assert_eq!(with(vec![(1, -10_000.0), (2, f32::NEG_INFINITY)]).validate(), Ok(()));
    for bias in [f32::NAN, f32::INFINITY, 10_001.0, f32::MAX] {
        refused(&with(vec![(1, bias)]), "logit_bias", &bias.to_string());
    }
    refused(&with(vec![(1, 0.5); 1025]), "logit_bias", "1025 pairs");
    assert_eq!(with(vec![(99, 1.0)]).validate_tokens(100), Ok(()));
    assert_eq!(
        with(vec![(100, 1.0)]).validate_tokens(100),
        Err(SampleError::UnknownToken { name: "logit_bias", id: 100, n_vocab: 100 })
    );
    let breakers = SamplerParams { dry_breakers: vec![vec![1, 500]], ..SamplerParams::default() };
    assert!(breakers.validate_tokens(100).is_err());
}

#[test]
fn stop_strings() {
    let refused = |stops: &[String]| {
        matches!(StopMatcher::new(stops), Err(SampleError::InvalidParameter { name: "stop", .. }))
    };
    assert!(refused(&[String::new()]));
    assert!(refused(&["x".repeat(1025)]));
    assert!(refused(&vec!["x".to_owned(); 65]));
    assert!(StopMatcher::new(&vec!["x".repeat(1024); 64]).is_ok());
    assert!(StopMatcher::new::<&str>(&[]).is_ok());
}

/// Every place where users write settings goes by these names, so that each name reaches its own field.
#[test]
fn settings_by_name() {
    let mut params = SamplerParams::default();
    for (name, set, good, bad) in FLOATS {
        let mut direct = params.clone();
        set(&mut direct, good[0]);
        params.set(name, f64::from(good[0])).unwrap();
        assert_eq!(params, direct, "{name}");
        assert!(
            params.set(name, f64::from(bad[0])).is_err() && params.set(name, f64::NAN).is_err(),
            "{name}"
        );
    }
    for (name, set, good, bad) in INTS {
        let mut direct = params.clone();
        set(&mut direct, good[0]);
        params.set(name, f64::from(good[0])).unwrap();
        assert_eq!(params, direct, "{name}");
        assert!(params.set(name, f64::from(bad[0])).is_err() && params.set(name, 1.5).is_err(), "{name}");
    }
    let listed: Vec<&str> = SamplerParams::number_names().collect();
    let tested = FLOATS.iter().map(|entry| entry.0).chain(INTS.iter().map(|entry| entry.0));
    assert!(tested.chain(["dry_base"]).all(|name| listed.contains(&name)));
    assert_eq!(listed.len(), FLOATS.len() + INTS.len() + 1);
    let numbers = SamplerParams::default().numbers();
    assert!(numbers.contains(&("top_k", 40.0)) && numbers.len() == listed.len());

    params.set_word("order", "hf").unwrap();
    params.set_word("top_h_variant", "paper").unwrap();
    params.set_word("mirostat_surprise", "truncated").unwrap();
    let words = (params.order.name(), params.top_h_variant.name(), params.mirostat_surprise.name());
    assert_eq!(words, ("hf", "paper", "truncated"));
    assert!(matches!(
        params.set_word("order", "x"),
        Err(SampleError::InvalidParameter { name: "order", .. })
    ));
    assert!(matches!(params.set("top_q", 1.0), Err(SampleError::UnknownSetting { .. })));
    assert!(matches!(params.set_word("top_k", "1"), Err(SampleError::UnknownSetting { .. })));
}
