//! Many distributions: the kernels keep what the chain keeps of the whole row, and draw what it draws.
//!
//! A hundredth of them by default; `GOLDCREST_FULL=1` runs 10,000 on every device and in both profiles.

use goldcrest_sample::{Candidates, Purpose, SampleError, SamplerParams, uniform};
use goldcrest_testkit::kernels::logits::Kind;
use goldcrest_testkit::kernels::random::Random;

use crate::draws::{Bench, Case, ROWS, at_a_border, expected, random_params};
use crate::rig::Rig;

/// Vocabularies with the share, in percent, of the distributions that have them.
const SHARES: [(u32, u32); 5] = [(5, 15), (256, 20), (700, 40), (49_152, 24), (262_144, 1)];
/// With seed 0 the draw at this position of this sequence is nearly 1, so that it takes the last candidate kept.
const LAST: (u32, u32) = (77, 573_060);

fn row(random: &mut Random, index: u32, n_vocab: u32) -> Vec<f32> {
    let kinds = [&Kind::FINITE[..], &[Kind::Banned]].concat();
    let mut row = kinds[index as usize % kinds.len()].row(random, n_vocab as usize);
    // Whole words of a mask at -1e30, on top of ties and all the rest.
    if index.is_multiple_of(3) {
        row.iter_mut().enumerate().filter(|(id, _)| id / 32 % 4 == 1).for_each(|(_, logit)| *logit = -1e30);
    }
    row
}

#[test]
fn many_distributions_are_kept_and_drawn_alike() {
    assert!(uniform(0, LAST.0, LAST.1, Purpose::Draw) > 0.999_999_9);
    let full = std::env::var_os("GOLDCREST_FULL").is_some_and(|v| v == "1");
    let per_percent = if full { 100 } else { 1 };
    for rig in Rig::all() {
        let mut random = Random::of("many distributions");
        let (mut n, mut settled, mut borders, mut end_borders) = (0, 0, 0, 0);
        for (n_vocab, percent) in SHARES {
            let bench = Bench::new(&rig, n_vocab);
            let batches = (percent * per_percent).div_ceil(ROWS);
            for batch in 0..batches {
                let cases: Vec<Case> = (0..ROWS)
                    .map(|w| Case {
                        row: row(&mut random, batch * ROWS + w, n_vocab),
                        params: random_params(&mut random),
                        pos: random.below(1 << 20),
                        seq: random.below(1000),
                    })
                    .collect();
                let seed = random.bits();
                n += cases.len();
                let (s, b) = compare(&rig, &bench, &cases, seed);
                let ends: Vec<Case> =
                    cases.into_iter().map(|case| Case { seq: LAST.0, pos: LAST.1 - 1, ..case }).collect();
                let (s_end, b_end) = compare(&rig, &bench, &ends, 0);
                settled += s + s_end;
                borders += b;
                end_borders += b_end;
            }
        }
        let name = rig.name();
        println!(
            "{name}: {n} distributions, two draws each: {settled} settled, {borders} and {end_borders} at a border"
        );
        // The last of all mass is where running sums are closest: a tail of tiny candidates is a border in itself.
        assert!(
            settled > n && borders * 500 <= n.max(500) && end_borders * 5 <= n,
            "{settled} {borders} {end_borders}"
        );
    }
}

/// Whether the mass that a top-p has to reach falls on a candidate's border: as many equal candidates as make it up exactly. The
/// rounding of the row's log-sum-exp, which every order of adding has its own of, then decides on one candidate more or less.
fn at_a_cut(case: &Case, seed: u64, token: u32) -> bool {
    // A top-p of one cuts nothing off.
    case.params.top_p < 1.0
        && [1.0 - 4e-6, 1.0 + 4e-6].into_iter().any(|factor| {
            let top_p = (case.params.top_p * factor).min(1.0);
            let chain =
                SamplerParams { seed, top_p, ..case.params.clone() }.to_chain().unwrap().fork(case.seq);
            let mut row = Candidates::from_row(&case.row).unwrap();
            chain.choose(&mut row, case.pos + 1).unwrap().id == token
        })
}

/// Draws that the kernel settled, and those of them where rounding decided between two neighbours.
fn compare(rig: &Rig, bench: &Bench<'_>, cases: &[Case], seed: u64) -> (usize, usize) {
    let (mut settled, mut borders) = (0, 0);
    for (case, drawn) in cases.iter().zip(bench.draw(cases, seed)) {
        if drawn.picked.flags != 0 {
            let refused = expected(case, &drawn, seed);
            let place = || format!("{}: {:?}", rig.name(), case.params);
            assert!(matches!(refused, Err(SampleError::NeedsFullRow { .. })), "{}: {refused:?}", place());
            continue;
        }
        settled += 1;
        let chain = SamplerParams { seed, ..case.params.clone() }.to_chain().unwrap().fork(case.seq);
        let mut row = Candidates::from_row(&case.row).unwrap();
        let whole = chain.choose(&mut row, case.pos + 1).unwrap().id;
        let token = drawn.picked.token;
        if token != whole {
            let near = at_a_border(case, &drawn, seed, [token, whole]) || at_a_cut(case, seed, token);
            assert!(
                near,
                "{}: {} logits, {token} for {whole}, {:?}",
                rig.name(),
                case.row.len(),
                case.params
            );
            borders += 1;
        }
    }
    (settled, borders)
}
