//! Sizes and buffers that the operations refuse.

use goldcrest_gpu::Slice;
use goldcrest_kernels::ops::gather_logits::{GatherLogitsArgs, gather_logits};
use goldcrest_kernels::ops::mask_logits::{MaskLogitsArgs, mask_logits};
use goldcrest_kernels::ops::penalize::{PenalizeArgs, penalize};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats};
use goldcrest_kernels::ops::sample::{SampleArgs, sample};
use goldcrest_kernels::ops::sample_next::{SampleNextArgs, sample_next};
use goldcrest_kernels::ops::topk::{TopkArgs, topk, topk_scratch_bytes};
use goldcrest_kernels::{Profile, ShapeError};

const STEP: u64 = (16 + 16 + 128 * 16) * 4;

/// Asserts that `build` takes buffers of exactly `sizes` and refuses each one that is a word shorter.
fn tight<T: std::fmt::Debug>(sizes: &[u64], build: impl Fn(&[Slice<()>]) -> Result<T, ShapeError>) {
    let slices = |short: usize| -> Vec<Slice<()>> {
        let of = |(i, size): (usize, &u64)| Slice {
            buffer: (),
            offset: 0,
            size: size - if i == short { 4 } else { 0 },
        };
        sizes.iter().enumerate().map(of).collect()
    };
    build(&slices(usize::MAX)).unwrap();
    for (short, needed) in sizes.iter().enumerate() {
        match build(&slices(short)) {
            Err(ShapeError::BufferTooSmall { needed: n, found, .. }) => {
                assert_eq!((n, found), (*needed, needed - 4))
            }
            other => panic!("buffer {short}: {other:?}"),
        }
    }
}

#[test]
fn buffers_a_word_too_short() {
    tight(&[STEP, 5000 * 3 * 4, 2 * 3 * 32, 3 * 32], |s| {
        let [step, logits, partials, stats] = s else { panic!("four buffers") };
        row_stats(&RowStatsArgs { step, logits, partials, stats, n_vocab: 5000, n_want: 3 }, &Profile::CORE)
    });
    let [a, b] = topk_scratch_bytes(262_144, 2);
    assert_eq!([a, b], [256 * 2048 * 2, 64 * 2048 * 2]);
    tight(&[STEP, 262_144 * 2 * 4, a, b, 2 * 2048], |s| {
        let [step, logits, a, b, best] = s else { panic!("five buffers") };
        topk(&TopkArgs { step, logits, scratch: [a, b], best, n_vocab: 262_144, n_want: 2 })
    });
    tight(&[(2 + 14) * 4, 300 * 4, 7 * 4], |s| {
        let [list, logits, out] = s else { panic!("three buffers") };
        gather_logits(&GatherLogitsArgs { list, logits, out, n_vocab: 100, n_want: 3, capacity: 7 })
    });
    tight(&[STEP, 4 * 4 * 3, 300 * 4], |s| {
        let [step, allowed, logits] = s else { panic!("three buffers") };
        mask_logits(&MaskLogitsArgs { step, allowed, logits, n_vocab: 100, n_want: 3 })
    });
    for (per_row, sets) in [(false, 1), (true, 3)] {
        tight(&[STEP, 64 * sets, (2 + 10) * 4 * sets, (4 + 9) * 4 * sets, 300 * 4], |s| {
            let [step, params, bias, history, logits] = s else { panic!("five buffers") };
            let (bias_capacity, history_capacity) = (5, 9);
            let (n_vocab, n_want) = (100, 3);
            penalize(&PenalizeArgs {
                step,
                params,
                bias,
                history,
                logits,
                n_vocab,
                n_want,
                per_row,
                bias_capacity,
                history_capacity,
            })
        });
        tight(&[STEP, 64 * sets, 3 * 32, 3 * 2048, 3 * 16], |s| {
            let [step, params, stats, best, picked] = s else { panic!("five buffers") };
            sample(
                &SampleArgs { step, params, stats, best, picked, n_vocab: 100, n_want: 3, per_row },
                &Profile::CORE,
            )
        });
    }
    tight(&[STEP, 64, 32, 2048, 4, (4 + 9) * 4, 2 * 16], |s| {
        let [step, params, stats, best, table, history, ring] = s else { panic!("seven buffers") };
        let (n_vocab, history_capacity, ring_capacity) = (100, 9, 2);
        let args = SampleNextArgs {
            step,
            params,
            stats,
            best,
            table,
            history,
            ring,
            n_vocab,
            history_capacity,
            ring_capacity,
        };
        sample_next(&args, &Profile::CORE)
    });
}

#[test]
fn sizes_out_of_range() {
    let big = Slice { buffer: (), offset: 0, size: 1 << 40 };
    let shape = |n_vocab, n_want| {
        row_stats(
            &RowStatsArgs { step: &big, logits: &big, partials: &big, stats: &big, n_vocab, n_want },
            &Profile::CORE,
        )
        .err()
    };
    let out = |what, found, max| Some(ShapeError::OutOfRange { op: "row_stats", what, found, min: 1, max });
    assert_eq!(shape(0, 1), out("n_vocab", 0, 1 << 22));
    assert_eq!(shape((1 << 22) + 1, 1), out("n_vocab", (1 << 22) + 1, 1 << 22));
    assert_eq!([shape(100, 0), shape(100, 17)], [out("n_want", 0, 16), out("n_want", 17, 16)]);
    assert_eq!([shape(1, 1), shape(1 << 22, 16)], [None, None]);
    let gather = |capacity| {
        let args = GatherLogitsArgs { list: &big, logits: &big, out: &big, n_vocab: 9, n_want: 1, capacity };
        gather_logits(&args).is_ok()
    };
    assert_eq!([0, 1, 64 * 65_535, 64 * 65_535 + 1].map(gather), [false, true, true, false]);
}
