//! `penalize`.

use goldcrest_kernels::ops::penalize::{PenalizeArgs, penalize};
use goldcrest_kernels::sampling::{BANNED, SampleParams, bias_list, history_bytes, history_ring, list_bytes};
use goldcrest_sample::stage::{Bias, Penalties};
use goldcrest_sample::{Candidates, Ctx, LogitStage};

use crate::rig::{Dice, Rig, bits, row, step_words};

struct Case {
    row: Vec<f32>,
    penalties: Penalties,
    bias: Vec<(u32, f32)>,
    history: Vec<u32>,
}

const BIASES: u32 = 70;
const HISTORY: u32 = 150;

fn random(dice: &mut Dice, kind: u32, n_vocab: u32) -> Case {
    let penalties = Penalties {
        last_n: dice.pick(&[-1, 0, 1, 3, 64, 149, 150, 1000]),
        repeat: dice.pick(&[1.0, 1.1, 0.9, 2.0]),
        frequency: dice.pick(&[0.0, 0.3, -0.5]),
        presence: dice.pick(&[0.0, 0.7]),
    };
    let bias = (0..dice.below(BIASES))
        .map(|_| (dice.below(n_vocab), dice.pick(&[1.5, -3.0, 0.0, f32::NEG_INFINITY])));
    let bias = bias.collect();
    let history = (0..dice.pick(&[0, 1, 2, 64, 150, 400])).map(|_| dice.below(n_vocab.min(40))).collect();
    // Kind 4 has logits at the sentinel already.
    Case { row: row(dice, [0, 1, 2, 3, 5, 6][kind as usize % 6], n_vocab as usize), penalties, bias, history }
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
        let mut dice = Dice::new(5);
        for n_vocab in [1, 5, 40, 300, 2000] {
            let cases: Vec<Case> = (0..16).map(|kind| random(&mut dice, kind, n_vocab)).collect();
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
        let mut dice = Dice::new(6);
        let off = Penalties { last_n: -1, repeat: 1.0, frequency: 0.0, presence: 0.0 };
        let neutral =
            |dice: &mut Dice, kind| Case { penalties: off, bias: Vec::new(), ..random(dice, kind, 300) };
        let mut cases: Vec<Case> = (0..3).map(|kind| neutral(&mut dice, kind)).collect();
        cases.push(Case { bias: vec![(1, 5.0)], ..random(&mut dice, 0, 300) });
        for (got, case) in run(&rig, &cases, 3).iter().zip(&cases) {
            assert_eq!(bits(got), bits(&case.row), "{}", rig.name());
        }
    }
}

#[test]
fn hostile_ids_counts_and_capacities_do_no_harm() {
    for rig in Rig::all() {
        let mut case = random(&mut Dice::new(7), 0, 300);
        case.penalties = Penalties { last_n: -1, repeat: 2.0, frequency: 0.0, presence: 0.0 };
        case.bias = vec![(300, 1.0), (u32::MAX, 1.0)];
        case.history = vec![300, u32::MAX, 5, 5];
        let got = run(&rig, &[case], 1).remove(0);
        let fresh = random(&mut Dice::new(7), 0, 300).row;
        for (id, (got, was)) in got.iter().zip(&fresh).enumerate() {
            let want = if id == 5 { if *was <= 0.0 { was * 2.0 } else { was / 2.0 } } else { *was };
            assert_eq!(*got, want, "{}: id {id}", rig.name());
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
