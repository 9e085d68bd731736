//! What the tests of worked numbers share.
#![allow(dead_code, reason = "each test binary uses its own part")]

use goldcrest_sample::{Candidates, Ctx, LogitStage};
use serde_json::Value;

/// The example that the worked numbers are about.
pub(crate) const BASE: [f64; 6] = [0.40, 0.25, 0.15, 0.10, 0.06, 0.04];
/// The numpy vectors carry six decimals.
pub(crate) const SIX_DECIMALS: f64 = 1e-6;

pub(crate) fn golden(key: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../data/vectors.json")).unwrap();
    all.get(key).unwrap_or_else(|| panic!("no vector {key}")).clone()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

pub(crate) fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

pub(crate) fn row(p: &[f64]) -> Candidates {
    let logits: Vec<f32> = p.iter().map(|p| p.ln() as f32).collect();
    Candidates::from_row(&logits).unwrap()
}

pub(crate) fn ctx(history: &[u32]) -> Ctx<'_> {
    Ctx { history, seed: 0, sequence: 0, position: 0 }
}

/// Survivors in id order and the distribution over all of `n` ids.
pub(crate) fn after(
    mut candidates: Candidates,
    n: usize,
    stage: &dyn LogitStage,
    history: &[u32],
) -> (Vec<u32>, Vec<f64>) {
    stage.apply(&mut candidates, &ctx(history)).unwrap();
    let mut distribution = vec![0.0; n];
    let mut kept = Vec::new();
    for (candidate, p) in candidates.as_slice().iter().zip(candidates.probabilities()) {
        distribution[candidate.id as usize] = f64::from(p);
        kept.push(candidate.id);
    }
    kept.sort_unstable();
    (kept, distribution)
}

#[track_caller]
pub(crate) fn close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() <= tolerance, "{got:?} instead of {want:?}");
    }
}
