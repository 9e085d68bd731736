//! Every row of `tests/kernels.toml` on the CPU twins and on every adapter, and the completeness of that table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::collections::{BTreeMap, BTreeSet};

use goldcrest_kernels::ShaderId;
use goldcrest_kernels::cpu::twin;
use goldcrest_kernels::generated::SHADERS;
use goldcrest_testkit::kernels::compare::Errors;
use goldcrest_testkit::kernels::row::{Row, Rows};
use goldcrest_testkit::kernels::{FAMILIES, adapters, run};

/// A part of a row in one line, or of its profiles: only such rows run.
const ONLY: &str = "GOLDCREST_KERNEL";

#[test]
fn every_row_passes_on_every_adapter() {
    let table = Rows::read().unwrap();
    let only = std::env::var(ONLY).unwrap_or_default();
    let devices = adapters::devices().unwrap();
    let mut failures = Vec::new();
    let mut worst: BTreeMap<(String, String), (u32, Errors)> = BTreeMap::new();
    let mut shaders = BTreeSet::new();
    let chosen = |row: &&Row| format!("{} {}", row.title(), row.profiles.join(" ")).contains(&only);
    for row in table.rows.iter().filter(chosen) {
        let (_, make) = FAMILIES.iter().find(|(op, _)| *op == row.op).expect("an operation of FAMILIES");
        let case = make(row).unwrap();
        match run::run(row, &case, &devices, &table.limits) {
            Ok(outcome) => {
                shaders.extend(outcome.shaders);
                for (device, errors) in outcome.errors {
                    let (n, all) = worst.entry((row.op.clone(), device)).or_default();
                    (*n, *all) = (*n + 1, all.worse(errors));
                }
            }
            Err(failure) => failures.push(format!("{}: {failure}", row.title())),
        }
    }
    for ((op, device), (n, errors)) in &worst {
        println!("{op:12} {n:4} rows  nmse {:8.1e}  max {:8.1e}  {device}", errors.nmse, errors.max);
    }
    assert!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    if only.is_empty() {
        let missing: Vec<_> = SHADERS.iter().map(|s| s.name).filter(|name| !shaders.contains(name)).collect();
        assert!(missing.is_empty(), "no row runs {missing:?}");
    }
}

#[test]
fn every_kernel_has_a_twin() {
    for (i, shader) in SHADERS.iter().enumerate() {
        assert!(twin(ShaderId(u16::try_from(i).unwrap())).is_some(), "{}", shader.name);
    }
}

#[test]
fn every_limit_has_a_reason() {
    for (name, limit) in Rows::read().unwrap().limits {
        assert!(limit.reason.len() > 20, "{name}");
    }
}
