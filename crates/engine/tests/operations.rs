//! The step and the operations on sequences, each against a plain run that must give the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{devices, golden, load};
use goldcrest_engine::batch::{Batch, BatchRow, Place, Source, Tap, Visible, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{CostOptions, EngineError, Runtime, RuntimeOptions, cost_curve, tune};

const TOKENS: [u32; 10] = [10, 200, 33, 7, 301, 42, 5, 9, 88, 120];
/// Sums of f32 in another order.
const ROUNDING: f32 = 1e-4;
/// Keys rotated twice are rounded to halves twice.
const HALVES: f32 = 2e-2;

fn each_runtime(test: impl Fn(&mut Runtime)) {
    for name in ["llama", "gemma3"] {
        let file = golden(&format!("tiny/{name}.gguf")).unwrap();
        for device in devices() {
            test(&mut load(&file, device, &RuntimeOptions::default()));
        }
    }
}

fn wants_row() -> Wants {
    Wants { row: true, ..Wants::default() }
}

fn run(runtime: &mut Runtime, rows: Vec<BatchRow>) -> Vec<Vec<f32>> {
    let result = pollster::block_on(runtime.forward(&Batch { rows, ..Batch::default() })).unwrap();
    result.rows.into_iter().map(|r| r.logits).collect()
}

/// Appends tokens and gives the logits of the last.
fn append(runtime: &mut Runtime, seq: SeqId, tokens: &[u32]) -> Vec<f32> {
    let pos = runtime.pool().sequence(seq).unwrap().next_pos();
    let mut rows: Vec<_> = tokens.iter().zip(pos..).map(|(t, p)| BatchRow::token(*t, p, seq)).collect();
    rows.last_mut().unwrap().wants = wants_row();
    run(runtime, rows).pop().unwrap()
}

fn fresh(runtime: &mut Runtime, tokens: &[u32]) -> (SeqId, Vec<f32>) {
    let seq = runtime.pool_mut().create();
    let logits = append(runtime, seq, tokens);
    (seq, logits)
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "{what}: {worst} apart");
    assert!(found.iter().any(|v| *v != 0.0), "{what}: all zero");
}

#[test]
fn forks_truncations_and_turns_between_sequences_change_nothing() {
    each_runtime(|rt| {
        let (_, expected) = fresh(rt, &TOKENS);
        let (a, _) = fresh(rt, &TOKENS[..6]);
        let b = rt.pool_mut().fork(a, 6).unwrap();
        let other = append(rt, a, &[1, 2, 3, 4]);
        assert_close(&append(rt, b, &TOKENS[6..]), &expected, ROUNDING, "a fork");
        rt.pool_mut().truncate(a, 6).unwrap();
        assert_close(&append(rt, a, &TOKENS[6..]), &expected, ROUNDING, "a truncated sequence");
        let (c, _) = fresh(rt, &TOKENS[..3]);
        let (d, _) = fresh(rt, &TOKENS[..6]);
        append(rt, c, &TOKENS[3..8]);
        assert_close(&append(rt, d, &[1, 2, 3, 4]), &other, ROUNDING, "a sequence beside others");
        assert_close(&append(rt, c, &TOKENS[8..]), &expected, ROUNDING, "a sequence that took turns");
    });
}

#[test]
fn a_compacted_sequence_sees_what_a_range_would_have_shown() {
    each_runtime(|rt| {
        let (a, _) = fresh(rt, &TOKENS);
        let seen = BatchRow {
            visible: Visible::Range { lo: 4, hi: 11 },
            ..BatchRow::token(7, 10, a).wanting(wants_row())
        };
        let expected = run(rt, vec![seen]).pop().unwrap();
        let (b, _) = fresh(rt, &TOKENS);
        rt.pool_mut().compact(b, &[4, 5, 6, 7, 8, 9]).unwrap();
        assert_close(&append(rt, b, &[7]), &expected, ROUNDING, "a compacted sequence");
    });
}

#[test]
fn shifted_positions_give_the_same_logits() {
    each_runtime(|rt| {
        let (a, _) = fresh(rt, &TOKENS);
        let expected = append(rt, a, &[7]);
        let (b, _) = fresh(rt, &TOKENS);
        pollster::block_on(rt.rope_shift(b, 0..10, 5)).unwrap();
        assert_eq!(rt.pool().sequence(b).unwrap().next_pos(), 15);
        assert_close(&append(rt, b, &[7]), &expected, HALVES, "a shifted sequence");
        let (c, _) = fresh(rt, &TOKENS);
        let d = rt.pool_mut().fork(c, 10).unwrap();
        pollster::block_on(rt.rope_shift(d, 0..10, 9)).unwrap();
        pollster::block_on(rt.rope_shift(d, 0..10, -9)).unwrap();
        assert_close(&append(rt, d, &[7]), &expected, HALVES, "a shifted fork");
        assert_close(&append(rt, c, &[7]), &expected, ROUNDING, "the sequence it was forked from");
    });
}

#[test]
fn branches_of_a_tree_see_only_their_ancestors() {
    each_runtime(|rt| {
        let (_, left) = fresh(rt, &[&TOKENS[..6], &[11, 12]].concat());
        let (_, right) = fresh(rt, &[&TOKENS[..6], &[21, 22]].concat());
        let (a, _) = fresh(rt, &TOKENS[..6]);
        let node = |token, pos, ancestors| BatchRow {
            visible: Visible::Tree { ancestors },
            ..BatchRow::token(token, pos, a).wanting(wants_row())
        };
        // Rows 0 and 2 are one branch, rows 1 and 3 the other.
        let rows = vec![node(11, 6, 0b0001), node(21, 6, 0b0010), node(12, 7, 0b0101), node(22, 7, 0b1010)];
        let logits = run(rt, rows);
        assert_close(&logits[2], &left, ROUNDING, "the first branch");
        assert_close(&logits[3], &right, ROUNDING, "the second branch");
    });
}

#[test]
fn a_bidirectional_block_sees_its_own_end() {
    each_runtime(|rt| {
        let block = |rt: &mut Runtime, last: u32| {
            let seq = rt.pool_mut().create();
            let tokens = [10, 200, 33, last];
            let row = |(i, t): (usize, &u32)| BatchRow {
                visible: Visible::Range { lo: 0, hi: 4 },
                ..BatchRow::token(*t, i as u32, seq).wanting(wants_row())
            };
            run(rt, tokens.iter().enumerate().map(row).collect()).swap_remove(0)
        };
        let (first, second) = (block(rt, 7), block(rt, 8));
        assert_ne!(first, second, "the first row sees the last");
    });
}

#[test]
fn layers_run_in_parts_give_the_whole() {
    each_runtime(|rt| {
        let (_, expected) = fresh(rt, &TOKENS);
        let n_layer = rt.config().n_layer;
        let seq = rt.pool_mut().create();
        let rows: Vec<_> = TOKENS.iter().zip(0..).map(|(t, p)| BatchRow::token(*t, p, seq)).collect();
        let first = Batch { rows: rows.clone(), layers: Some(0..1), ..Batch::default() };
        pollster::block_on(rt.forward(&first)).unwrap();
        let resumed = rows.iter().enumerate().map(|(i, row)| BatchRow {
            source: Source::Kept,
            place: Place::Entry(i),
            ..row.clone()
        });
        let mut resumed: Vec<_> = resumed.collect();
        resumed.last_mut().unwrap().wants = wants_row();
        let rest = Batch { rows: resumed, layers: Some(1..n_layer), ..Batch::default() };
        let result = pollster::block_on(rt.forward(&rest)).unwrap();
        assert_close(&result.rows[0].logits, &expected, ROUNDING, "layers in two parts");
    });
}

#[test]
fn a_tree_runs_in_parts_and_rows_may_join_it_at_a_layer() {
    each_runtime(|rt| {
        let n_layer = rt.config().n_layer;
        let (seq, _) = fresh(rt, &TOKENS[..6]);
        // Two branches, the second longer: 0 - 1, 0 - 2 - 3.
        let bits = [0b1, 0b11, 0b101, 0b1101];
        let row = |i: usize| BatchRow {
            visible: Visible::Tree { ancestors: bits[i] },
            ..BatchRow::token(TOKENS[6 + i], 6 + [0, 1, 1, 2][i], seq).wanting(wants_row())
        };
        let whole =
            Batch { rows: (0..4).map(row).collect(), taps: vec![Tap::Read { layer: 1 }], ..Batch::default() };
        let found = pollster::block_on(rt.forward(&whole)).unwrap();
        rt.pool_mut().truncate(seq, 6).unwrap();
        let quiet = |i| row(i).wanting(Wants::default());
        let first = Batch { rows: (0..4).map(quiet).collect(), layers: Some(0..1), ..whole.clone() };
        let read = pollster::block_on(rt.forward(&first)).unwrap().taps.remove(0);
        assert_eq!(read, found.taps[0], "a range that ends before a layer reads what stands before it");
        // The third row is given anew, with the values that it has anyway.
        let width = rt.config().n_embd as usize;
        let given = Source::Embedding(read[2 * width..3 * width].to_vec());
        let kept = |i: usize| BatchRow {
            source: if i == 2 { given.clone() } else { Source::Kept },
            place: Place::Entry(6 + i),
            ..row(i)
        };
        let rest = Batch { rows: (0..4).map(kept).collect(), layers: Some(1..n_layer), ..Batch::default() };
        let parts = pollster::block_on(rt.forward(&rest)).unwrap();
        for (part, whole) in parts.rows.iter().zip(&found.rows) {
            assert_close(&part.logits, &whole.logits, ROUNDING, "a tree in two parts");
        }
    });
}

#[test]
fn embeddings_are_the_rows_of_the_table() {
    each_runtime(|rt| {
        let seq = rt.pool_mut().create();
        let rows = TOKENS.iter().zip(0..).map(|(t, p)| BatchRow::token(*t, p, seq)).collect();
        let read = Batch { rows, taps: vec![Tap::Read { layer: 0 }], ..Batch::default() };
        let scaled = pollster::block_on(rt.forward(&read)).unwrap().taps.remove(0);
        // Gemma's are scaled before the first layer.
        let factor = match rt.config().arch {
            goldcrest_model::Arch::Gemma3 => (rt.config().n_embd as f32).sqrt(),
            _ => 1.0,
        };
        // More than one step holds.
        let many = TOKENS.repeat(14);
        let found = pollster::block_on(rt.embeddings(&many)).unwrap();
        let found: Vec<f32> = found.iter().map(|v| v * factor).collect();
        for part in found.chunks(scaled.len()) {
            assert_close(part, &scaled, ROUNDING, "embeddings");
        }
        let error = pollster::block_on(rt.embeddings(&[1_000_000])).unwrap_err();
        assert!(matches!(error, EngineError::BadToken { token: 1_000_000, .. }));
    });
}

#[test]
fn a_row_read_before_a_layer_does_not_change_what_follows() {
    each_runtime(|rt| {
        let (_, expected) = fresh(rt, &TOKENS);
        let n_layer = rt.config().n_layer;
        let (last, before) = TOKENS.split_last().unwrap();
        let seq = rt.pool_mut().create();
        pollster::block_on(rt.prefill(seq, before, &mut |_| true)).unwrap();
        let first = BatchRow::token(*last, before.len() as u32, seq).wanting(wants_row());
        let kept = BatchRow { source: Source::Kept, place: Place::Entry(before.len()), ..first.clone() };
        let rows: Vec<Vec<f32>> = (0..n_layer)
            .map(|layer| {
                let row = if layer == 0 { first.clone() } else { kept.clone() };
                let batch = Batch { rows: vec![row], layers: Some(layer..layer + 1), ..Batch::default() };
                pollster::block_on(rt.forward(&batch)).unwrap().rows.remove(0).logits
            })
            .collect();
        assert_close(rows.last().unwrap(), &expected, ROUNDING, "behind the last layer");
        assert_ne!(rows.first(), rows.last(), "an early row is another one");
    });
}

#[test]
fn mixtures_and_embedding_rows_stand_for_tokens() {
    each_runtime(|rt| {
        let (_, expected) = fresh(rt, &TOKENS);
        let seq = rt.pool_mut().create();
        let mixed = |(t, p): (&u32, u32)| BatchRow {
            source: Source::Mixture(vec![(*t, 0.75), (*t, 0.25)]),
            ..BatchRow::token(*t, p, seq)
        };
        let mut rows: Vec<_> = TOKENS.iter().zip(0..).map(mixed).collect();
        rows.last_mut().unwrap().wants = wants_row();
        assert_close(&run(rt, rows)[0], &expected, ROUNDING, "mixtures");

        let seq = rt.pool_mut().create();
        let rows = TOKENS.iter().zip(0..).map(|(t, p)| BatchRow::token(*t, p, seq)).collect();
        let read = Batch { rows, taps: vec![Tap::Read { layer: 0 }], ..Batch::default() };
        let embeddings = pollster::block_on(rt.forward(&read)).unwrap().taps.remove(0);
        let seq = rt.pool_mut().create();
        let width = rt.config().n_embd as usize;
        let row = |(values, p): (&[f32], u32)| BatchRow {
            source: Source::Embedding(values.to_vec()),
            ..BatchRow::token(0, p, seq)
        };
        let mut rows: Vec<_> = embeddings.chunks(width).zip(0..).map(row).collect();
        rows.last_mut().unwrap().wants = wants_row();
        assert_close(&run(rt, rows)[0], &expected, ROUNDING, "embedding rows");
    });
}

#[test]
fn an_added_vector_arrives_where_it_was_added() {
    each_runtime(|rt| {
        let seq = rt.pool_mut().create();
        let width = rt.config().n_embd as usize;
        let rows: Vec<_> = TOKENS[..3].iter().zip(0..).map(|(t, p)| BatchRow::token(*t, p, seq)).collect();
        let add = Tap::Add { layer: 1, rows: Some(vec![1]), vector: vec![1.0; width], scale: 0.5 };
        let plain = Batch { rows: rows.clone(), taps: vec![Tap::Read { layer: 1 }], ..Batch::default() };
        let before = pollster::block_on(rt.forward(&plain)).unwrap().taps.remove(0);
        rt.pool_mut().truncate(seq, 0).unwrap();
        let steered = Batch { rows, taps: vec![add, Tap::Read { layer: 1 }], ..Batch::default() };
        let after = pollster::block_on(rt.forward(&steered)).unwrap().taps.remove(0);
        for (i, (a, b)) in after.iter().zip(&before).enumerate() {
            let expected = if i / width == 1 { 0.5 } else { 0.0 };
            assert!((a - b - expected).abs() < 1e-5, "value {i}: {b} became {a}");
        }
    });
}

#[test]
fn the_pool_grows_and_refused_batches_change_nothing() {
    each_runtime(|rt| {
        let long: Vec<u32> = (0..400).map(|i| (i * 7 + 3) % 384).collect();
        let (seq, logits) = fresh(rt, &long);
        assert!(rt.pool().n_cells() >= 400 && logits.iter().all(|l| l.is_finite()));
        let before = rt.pool().n_free();
        let bad = BatchRow::token(1_000_000, 400, seq);
        let error =
            pollster::block_on(rt.forward(&Batch { rows: vec![bad], ..Batch::default() })).unwrap_err();
        assert!(matches!(error, EngineError::BadToken { token: 1_000_000, .. }));
        let beyond = BatchRow::token(1, rt.n_ctx(), seq);
        let error =
            pollster::block_on(rt.forward(&Batch { rows: vec![beyond], ..Batch::default() })).unwrap_err();
        assert!(matches!(error, EngineError::PromptTooLong { .. }));
        assert_eq!(rt.pool().n_free(), before);
        assert_eq!(rt.pool().sequence(seq).unwrap().len(), 400);
    });
}

/// Costs are measured beside whatever is in the cache, and leave it as it was.
#[test]
fn measuring_costs_and_tuning_leave_the_cache_as_it_was() {
    let file = golden("tiny/llama.gguf").expect("part of the repository");
    let gguf = goldcrest_gguf::Gguf::parse(&file).unwrap();
    for device in devices() {
        let mut runtime = load(&file, device, &RuntimeOptions::default());
        let seq = runtime.pool_mut().create();
        pollster::block_on(runtime.prefill(seq, &[5, 6, 7], &mut |_| true)).unwrap();
        runtime.reserve(250).unwrap();
        let free = runtime.pool().n_free();
        let options = CostOptions { rows: vec![32, 4], depth: 9, reps: 2 };
        let costs = pollster::block_on(cost_curve(&mut runtime, &options)).unwrap();
        assert_eq!(costs.iter().map(|cost| cost.rows).collect::<Vec<_>>(), [1, 4, 32]);
        assert!(costs.iter().all(|cost| cost.chain.len() == 2 && cost.tree.len() == 2));
        let most = CostOptions { rows: vec![33], ..CostOptions::default() };
        assert!(pollster::block_on(cost_curve(&mut runtime, &most)).is_err());

        let logits = |runtime: &mut Runtime| {
            let branch = runtime.pool_mut().fork(seq, 3).unwrap();
            let row = BatchRow::token(8, 3, branch).wanting(Wants { row: true, ..Wants::default() });
            let batch = Batch { rows: vec![row], ..Batch::default() };
            let result = pollster::block_on(runtime.forward(&batch)).unwrap();
            runtime.pool_mut().free(branch).unwrap();
            result.rows[0].logits.clone()
        };
        let before = logits(&mut runtime);
        let forced = [("vec_lanes".to_owned(), "2".to_owned())];
        let tuned = pollster::block_on(tune(&mut runtime, &gguf, &forced, &mut |_| {})).unwrap();
        assert!(tuned.trials.iter().all(|trial| trial.entry != "vec_lanes"), "what is forced is not tried");
        assert_eq!(tuned.trials.is_empty(), runtime.device().info().backend == "cpu");
        assert_eq!(tuned.note, None);
        let after = logits(&mut runtime);
        assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-3));
        assert_eq!((runtime.pool().n_free(), runtime.pool().sequence(seq).unwrap().len()), (free, 3));
    }
}
