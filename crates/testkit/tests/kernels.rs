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

/// Software adapters compile on the thread that records, and every machine has two cores.
const THREADS: usize = 2;

/// What rows have shown.
#[derive(Default)]
struct Shown {
    failures: Vec<String>,
    worst: BTreeMap<(String, String), (u32, Errors)>,
    shaders: BTreeSet<&'static str>,
}

#[test]
fn every_row_passes_on_every_adapter() {
    let table = Rows::read().unwrap();
    let only = std::env::var(ONLY).unwrap_or_default();
    let chosen = |row: &&Row| format!("{} {}", row.title(), row.profiles.join(" ")).contains(&only);
    // Rows of one operation and type, which share their shaders, go to one thread.
    let mut parts: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in table.rows.iter().filter(chosen) {
        let title = row.title();
        let ty = title.split(' ').find(|word| word.starts_with("ty=")).unwrap_or_default();
        parts.entry(format!("{} {ty}", row.op)).or_default().push(row);
    }
    let parts: Vec<_> = parts.into_values().collect();
    let shown: Vec<Shown> = std::thread::scope(|scope| {
        let start = |i| {
            let (table, rows) = (&table, parts.iter().skip(i).step_by(THREADS).flatten().copied());
            scope.spawn(move || run_rows(rows, table))
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for ((op, device), (n, errors)) in shown.iter().flat_map(|shown| &shown.worst) {
        println!("{op:12} {n:4} rows  nmse {:8.1e}  max {:8.1e}  {device}", errors.nmse, errors.max);
    }
    let failures: Vec<&str> = shown.iter().flat_map(|shown| &shown.failures).map(String::as_str).collect();
    assert!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    if only.is_empty() {
        let ran = |name: &&str| shown.iter().any(|shown| shown.shaders.contains(name));
        let missing: Vec<_> = SHADERS.iter().map(|s| s.name).filter(|name| !ran(name)).collect();
        assert!(missing.is_empty(), "no row runs {missing:?}");
    }
}

/// Runs rows one after the other, on devices of its own.
fn run_rows<'a>(rows: impl Iterator<Item = &'a Row>, table: &Rows) -> Shown {
    let devices = adapters::devices().unwrap();
    let mut shown = Shown::default();
    for row in rows {
        let (_, make) = FAMILIES.iter().find(|(op, _)| *op == row.op).expect("an operation of FAMILIES");
        let case = make(row).unwrap();
        match run::run(row, &case, &devices, &table.limits) {
            Ok(outcome) => {
                shown.shaders.extend(outcome.shaders);
                for (device, errors) in outcome.errors {
                    let (n, all) = shown.worst.entry((row.op.clone(), device)).or_default();
                    (*n, *all) = (*n + 1, all.worse(errors));
                }
            }
            Err(failure) => shown.failures.push(format!("{}: {failure}", row.title())),
        }
    }
    shown
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
