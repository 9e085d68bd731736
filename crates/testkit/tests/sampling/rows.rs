//! `row_stats`, `topk` and `gather_logits`.

use goldcrest_gpu::Buffer;
use goldcrest_gpu::{Dispatch, Slice};
use goldcrest_kernels::ShapeError;
use goldcrest_kernels::ops::gather_logits::{GatherLogitsArgs, gather_logits};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats, row_stats_scratch_bytes};
use goldcrest_kernels::ops::topk::{TopkArgs, topk, topk_bytes, topk_scratch_bytes};
use goldcrest_kernels::sampling::{BANNED, NO_ID, RowStats, gather_list};

use crate::rig::{Dice, POISON, Rig, best_of, bits, row, stats_of, step_words};

const SIZES: [usize; 15] =
    [1, 2, 3, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 9000, 49_152, 262_144];

struct Out {
    stats: Vec<RowStats>,
    best: Vec<u32>,
    raw: Vec<Vec<u32>>,
}

/// Both reductions over `rows`, of which only the first `n_want` are asked for.
fn reduce(rig: &Rig, rows: &[Vec<f32>], n_want: u32) -> Out {
    let (n_vocab, n) = (rows[0].len() as u32, rows.len() as u32);
    let step = rig.put(&step_words(n_want, 0, &vec![(0, 0); rows.len()]));
    let logits = rig.put(&bits(&rows.concat()));
    let partials = rig.poisoned(row_stats_scratch_bytes(n_vocab, n));
    let stats = rig.poisoned(u64::from(n) * 32);
    let [a, b] = topk_scratch_bytes(n_vocab, n).map(|bytes| rig.poisoned(bytes));
    let best = rig.poisoned(topk_bytes(n));
    let mut plan: Vec<Dispatch<Buffer>> = row_stats(&RowStatsArgs {
        step: &step,
        logits: &logits,
        partials: &partials,
        stats: &stats,
        n_vocab,
        n_want: n,
    })
    .unwrap();
    plan.extend(
        topk(&TopkArgs { step: &step, logits: &logits, scratch: [&a, &b], best: &best, n_vocab, n_want: n })
            .unwrap(),
    );
    let raw = rig.run(plan, &[&stats, &best]);
    Out { stats: stats_of(&raw[0]), best: raw[1].clone(), raw }
}

fn expected_stats(row: &[f32]) -> RowStats {
    let finite: Vec<(u32, f64)> =
        (0..).zip(row).filter(|(_, l)| l.is_finite()).map(|(id, l)| (id, f64::from(*l))).collect();
    let bad = row.iter().position(|l| !l.is_finite()).map_or(0, |i| i as u32 + 1);
    let max = finite.iter().map(|e| e.1).fold(f64::NEG_INFINITY, f64::max);
    let Some(&(argmax, _)) = finite.iter().find(|e| e.1 == max) else {
        return RowStats {
            argmax: 0,
            max: BANNED,
            log_sum_exp: BANNED,
            entropy: 0.0,
            max_p: 0.0,
            top2_gap: 0.0,
            bad,
            reserved: 0,
        };
    };
    let sum: f64 = finite.iter().map(|e| (e.1 - max).exp()).sum();
    let entropy: f64 = finite
        .iter()
        .map(|e| ((e.1 - max).exp() / sum, e.1 - max - sum.ln()))
        .map(|(p, lp)| -p * if p > 0.0 { lp } else { 0.0 })
        .sum();
    let second = finite.iter().filter(|e| e.0 != argmax).map(|e| e.1).reduce(f64::max);
    RowStats {
        argmax,
        max: max as f32,
        log_sum_exp: (max + sum.ln()) as f32,
        entropy: entropy as f32,
        max_p: (1.0 / sum) as f32,
        top2_gap: second.map_or(-BANNED, |second| max as f32 - second as f32),
        bad,
        reserved: 0,
    }
}

fn expected_best(row: &[f32]) -> Vec<(u32, f32)> {
    let mut all: Vec<(u32, f32)> =
        (0..).zip(row).map(|(id, l)| (id, if l.is_finite() { *l } else { BANNED })).collect();
    all.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap().then(a.0.cmp(&b.0)));
    all.resize(256, (NO_ID, BANNED));
    all
}

fn close(what: &str, got: f32, want: f32, tolerance: f32) {
    assert!((got - want).abs() <= tolerance, "{what}: {got} instead of {want}");
}

/// Sums of at most 2^18 terms below 1 in 64 strands: relative error below 1e-6; `exp` errs by a few ulp more.
fn check(out: &Out, w: usize, row: &[f32], place: &str) {
    let (got, want) = (out.stats[w], expected_stats(row));
    assert_eq!((got.argmax, got.bad, got.reserved), (want.argmax, want.bad, 0), "{place}");
    assert_eq!((got.max, got.top2_gap), (want.max, want.top2_gap), "{place}");
    close(
        &format!("{place}: log_sum_exp"),
        got.log_sum_exp,
        want.log_sum_exp,
        2e-6 * want.log_sum_exp.abs().max(1.0),
    );
    close(&format!("{place}: entropy"), got.entropy, want.entropy, 2e-5);
    close(&format!("{place}: max_p"), got.max_p, want.max_p, 4e-6 * want.max_p);
    assert_eq!(best_of(&out.best, w), expected_best(row), "{place}");
}

#[test]
fn statistics_and_best_candidates_of_every_size_and_kind() {
    for rig in Rig::all() {
        let mut dice = Dice::new(1);
        for n_vocab in SIZES {
            let kinds = if n_vocab > 10_000 { 2 } else { 8 };
            let rows: Vec<Vec<f32>> = (0..kinds).map(|kind| row(&mut dice, kind, n_vocab)).collect();
            let out = reduce(&rig, &rows, kinds);
            for (w, row) in rows.iter().enumerate() {
                check(&out, w, row, &format!("{}: {n_vocab} logits, kind {w}", rig.name()));
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_flagged_and_left_out() {
    for rig in Rig::all() {
        let mut dice = Dice::new(2);
        let mut rows: Vec<Vec<f32>> = (0..4).map(|_| row(&mut dice, 0, 5000)).collect();
        rows[0][4999] = f32::NAN;
        rows[1][17] = f32::INFINITY;
        rows[1][4500] = f32::NAN;
        rows[2][0] = f32::NEG_INFINITY;
        rows[3].fill(f32::NAN);
        let out = reduce(&rig, &rows, 4);
        for (w, row) in rows.iter().enumerate() {
            check(&out, w, row, &format!("{}: row {w}", rig.name()));
        }
    }
}

#[test]
fn only_wanted_rows_are_written_and_twice_is_the_same() {
    for rig in Rig::all() {
        let mut dice = Dice::new(3);
        let rows: Vec<Vec<f32>> = (0..16).map(|kind| row(&mut dice, kind, 3001)).collect();
        let out = reduce(&rig, &rows, 5);
        assert!(out.raw[0][5 * 8..].iter().all(|word| *word == POISON), "{}", rig.name());
        assert!(out.raw[1][5 * 512..].iter().all(|word| *word == POISON), "{}", rig.name());
        check(&out, 4, &rows[4], rig.name());
        assert_eq!(out.raw, reduce(&rig, &rows, 5).raw, "{}", rig.name());
    }
}

#[test]
fn listed_logits_are_copied_and_hostile_pairs_clamped() {
    for rig in Rig::all() {
        let rows = bits(&row(&mut Dice::new(4), 0, 3 * 101));
        let pairs = [(0, 0), (2, 100), (1, 7), (9, 3), (u32::MAX, u32::MAX), (0, 101), (1, 7)];
        let (logits, out) = (rig.put(&rows), rig.poisoned(70 * 4));
        let mut words = gather_list(&pairs);
        words.resize(2 + 2 * 70, 0);
        let list = rig.put(&words);
        let args = GatherLogitsArgs {
            list: &list,
            logits: &logits,
            out: &out,
            n_vocab: 101,
            n_want: 3,
            capacity: 70,
        };
        let mut want: Vec<u32> =
            pairs.iter().map(|&(r, id)| rows[r.min(2) as usize * 101 + id.min(100) as usize]).collect();
        want.resize(70, POISON);
        assert_eq!(rig.run(vec![gather_logits(&args).unwrap()], &[&out])[0], want, "{}", rig.name());
        rig.write(&list, &[u32::MAX]);
        want[7..].fill(rows[0]);
        assert_eq!(rig.run(vec![gather_logits(&args).unwrap()], &[&out])[0], want, "{}", rig.name());
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let slice = |size| Slice { buffer: (), offset: 0, size };
    let (step, big) = (slice(1 << 14), slice(1 << 30));
    let args = |n_vocab, n_want, stats| {
        let stats = slice(stats);
        let args = RowStatsArgs { step: &step, logits: &big, partials: &big, stats: &stats, n_vocab, n_want };
        row_stats(&args).map(|_| ())
    };
    assert_eq!(args(100, 16, 16 * 32), Ok(()));
    assert!(matches!(
        args(100, 16, 16 * 32 - 4),
        Err(ShapeError::BufferTooSmall { needed: 512, found: 508, .. })
    ));
    assert!(matches!(args(0, 1, 512), Err(ShapeError::OutOfRange { what: "n_vocab", .. })));
    assert!(matches!(args(100, 17, 544), Err(ShapeError::OutOfRange { what: "n_want", .. })));
    let [a, b] = topk_scratch_bytes(262_144, 2);
    let lists = |a: u64, b: u64| {
        let (a, b) = (slice(a), slice(b));
        topk(&TopkArgs {
            step: &step,
            logits: &big,
            scratch: [&a, &b],
            best: &big,
            n_vocab: 262_144,
            n_want: 2,
        })
        .map(|stages| stages.len())
    };
    assert_eq!(lists(a, b), Ok(5));
    assert!(lists(a - 8, b).is_err() && lists(a, b - 8).is_err());
}
