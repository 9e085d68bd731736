//! `penalize`.

use goldcrest_kernels::ops::penalize::{PenalizeArgs, penalize};
use goldcrest_kernels::sampling::{BANNED, SampleParams, bias_list, history_bytes, history_ring, list_bytes};
use goldcrest_sample::stage::{Bias, Penalties};
use goldcrest_sample::{Candidates, Ctx, LogitStage};
use goldcrest_testkit::kernels::case::bits;
use goldcrest_testkit::kernels::logits::Kind;
use goldcrest_testkit::kernels::random::Random;

use crate::rig::{Rig, pick, step_words};

struct Case {
    row: Vec<f32>,
    penalties: Penalties,
    bias: Vec<(u32, f32)>,
    history: Vec<u32>,
}

const BIASES: u32 = 70;
const HISTORY: u32 = 150;

fn random_case(random: &mut Random, kind: u32, n_vocab: u32) -> Case {
    let penalties = Penalties {
        last_n: pick(random, &[-1, 0, 1, 3, 64, 149, 150, 1000]),
        repeat: pick(random, &[1.0, 1.1, 0.9, 2.0]),
        frequency: pick(random, &[0.0, 0.3, -0.5]),
        presence: pick(random, &[0.0, 0.7]),
    };
    let bias = (0..random.below(BIASES))
        .map(|_| (random.below(n_vocab), pick(random, &[1.5, -3.0, 0.0, f32::NEG_INFINITY])));
    let bias = bias.collect();
    let history =
        (0..pick(random, &[0, 1, 2, 64, 150, 400])).map(|_| random.below(n_vocab.min(40))).collect();
    let kind = Kind::FINITE[kind as usize % Kind::FINITE.len()];
    Case { row: kind.row(random, n_vocab as usize), penalties, bias, history }
}

/// The reference's logits; `BANNED` where it removes a candidate. Its window is what the ring holds.
fn expected(case: &Case) -> Vec<f32> {
    let mut candidates = Candidates::from_row(&case.row).unwrap();
    let held = &case.history[case.history.len().saturating_sub(HISTORY as usize)..];
    let ctx = Ctx { history: held, seed: 0, sequence: 0, position: 0 };
    Bias::new(&case.bias).apply(&mut candidates, &ctx).unwrap();
    case.penalties.apply(&mut candidates, &ctx).unwrap();
    let mut row = vec![BANNED; case.row.len()];
    for candidate in candidates.as_slice() {
        row[candidate.id as usize] = candidate.logit;
    }
    row
}

fn run(rig: &Rig, cases: &[Case], n_want: u32) -> Vec<Vec<f32>> {
    let (n, n_vocab) = (cases.len() as u32, cases[0].row.len() as u32);
    let set = |words: Vec<u32>, bytes: u64| {
        [words.clone(), vec![u32::MAX; bytes as usize / 4 - words.len()]].concat()
    };
    let params: Vec<SampleParams> = cases
        .iter()
        .map(|case| SampleParams {
            repeat: case.penalties.repeat,
            frequency: case.penalties.frequency,
            presence: case.penalties.presence,
            last_n: case.penalties.last_n as u32,
            ..SampleParams::NEUTRAL
        })
        .collect();
    let bias: Vec<u32> =
        cases.iter().flat_map(|case| set(bias_list(&case.bias), list_bytes(BIASES))).collect();
    let history: Vec<u32> = cases
        .iter()
        .flat_map(|case| set(history_ring(&case.history, HISTORY), history_bytes(HISTORY)))
        .collect();
    let logits = rig.put(&bits(&cases.iter().flat_map(|case| case.row.clone()).collect::<Vec<_>>()));
    let dispatch = penalize(&PenalizeArgs {
        step: &rig.put(&step_words(n_want, 0, &vec![(0, 0); cases.len()])),
        params: &rig.put(bytemuck::cast_slice(&params)),
        bias: &rig.put(&bias),
        history: &rig.put(&history),
        logits: &logits,
        n_vocab,
        n_want: n,
        per_row: true,
        bias_capacity: BIASES,
        history_capacity: HISTORY,
    });
    let words = rig.run(vec![dispatch.unwrap()], &[&logits]).remove(0);
    words.chunks(n_vocab as usize).map(|row| row.iter().map(|w| f32::from_bits(*w)).collect()).collect()
}

#[test]
fn logits_are_those_of_the_reference() {
    for rig in Rig::all() {
        let mut random = Random::of("penalties");
        for n_vocab in [1, 5, 40, 300, 2000] {
            let cases: Vec<Case> = (0..16).map(|kind| random_case(&mut random, kind, n_vocab)).collect();
            // A row whose tokens are all banned is an error in the reference and covered by the draws.
            let cases: Vec<Case> = cases
                .into_iter()
                .map(|case| if n_vocab < 40 { Case { bias: vec![(0, -2.5)], ..case } } else { case })
                .collect();
            for (w, (got, case)) in run(&rig, &cases, 16).iter().zip(&cases).enumerate() {
                for (id, (got, want)) in got.iter().zip(expected(case)).enumerate() {
                    // Banned tokens that are also penalised stay at the bottom. One multiplication or division (2.5 ulp in
                    // WGSL) and two subtractions that a compiler may fuse.
                    let same = if want == BANNED {
                        *got <= BANNED / 2.0
                    } else {
                        (got - want).abs() <= 1e-6 * want.abs().max(1.0)
                    };
                    let exact = !rig.is_twin() || *got == want || want == BANNED;
                    assert!(
                        same && exact,
                        "{}: {n_vocab} logits, row {w}, id {id}: {got} instead of {want}",
                        rig.name()
                    );
                }
            }
        }
    }
}

#[test]
fn neutral_settings_change_no_bit_and_unwanted_rows_stay() {
    for rig in Rig::all() {
        let mut random = Random::of("neutral penalties");
        let off = Penalties { last_n: -1, repeat: 1.0, frequency: 0.0, presence: 0.0 };
        let neutral = |random: &mut Random, kind| Case {
            penalties: off,
            bias: Vec::new(),
            ..random_case(random, kind, 300)
        };
        let mut cases: Vec<Case> = (0..3).map(|kind| neutral(&mut random, kind)).collect();
        cases.push(Case { bias: vec![(1, 5.0)], ..random_case(&mut random, 0, 300) });
        for (got, case) in run(&rig, &cases, 3).iter().zip(&cases) {
            assert_eq!(bits(got), bits(&case.row), "{}", rig.name());
        }
    }
}

/// The worked example of llama.cpp's rule: logits 2 1 .5 −.5 −1 0, history 0 3 0, repeat 1.2, frequency .1, presence .3.
#[test]
fn worked_numbers() {
    for rig in Rig::all() {
        let case = Case {
            row: vec![2.0, 1.0, 0.5, -0.5, -1.0, 0.0],
            penalties: Penalties { last_n: 64, repeat: 1.2, frequency: 0.1, presence: 0.3 },
            bias: Vec::new(),
            history: vec![0, 3, 0],
        };
        let got = run(&rig, &[case], 1).remove(0);
        for (got, want) in got.iter().zip([1.166_667, 1.0, 0.5, -1.0, -1.0, 0.0]) {
            assert!((got - want).abs() < 1e-6, "{}: {got} instead of {want}", rig.name());
        }
    }
}
