//! `sample`: the same token as `goldcrest-sample` from the same candidates.

use goldcrest_gpu::{Buffer, Plan, Slice, Work};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats, row_stats_scratch_bytes};
use goldcrest_kernels::ops::sample::{SampleArgs, sample};
use goldcrest_kernels::ops::topk::{TopkArgs, topk_bytes, topk_scratch_bytes, topk_with};
use goldcrest_kernels::sampling::{CANDIDATES, Picked, RowStats, SampleParams};
use goldcrest_sample as reference;
use goldcrest_sample::{Candidates, Purpose, SampleError, SamplerParams, uniform};
use goldcrest_testkit::kernels::case::bits;
use goldcrest_testkit::kernels::logits::Kind;
use goldcrest_testkit::kernels::random::Random;

use crate::rig::{Rig, best_of, kernel_params, pick, picked_of, stats_of, step_words};

pub(crate) const ROWS: u32 = 16;

/// A plan that is recorded once and replayed with other logits, parameters, seeds and positions.
pub(crate) struct Bench<'a> {
    rig: &'a Rig,
    plan: Plan,
    step: Slice<Buffer>,
    logits: Slice<Buffer>,
    params: Slice<Buffer>,
    stats: Slice<Buffer>,
    best: Slice<Buffer>,
    picked: Slice<Buffer>,
}

pub(crate) struct Case {
    pub(crate) row: Vec<f32>,
    pub(crate) params: SamplerParams,
    pub(crate) pos: u32,
    pub(crate) seq: u32,
}

pub(crate) struct Drawn {
    stats: RowStats,
    best: Vec<(u32, f32)>,
    pub(crate) picked: Picked,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(rig: &'a Rig, n_vocab: u32) -> Self {
        let step = rig.put(&step_words(0, 0, &[]));
        let logits = rig.poisoned(u64::from(ROWS * n_vocab) * 4);
        let params = rig.poisoned(u64::from(ROWS) * 64);
        let partials = rig.poisoned(row_stats_scratch_bytes(n_vocab, ROWS));
        let stats = rig.poisoned(u64::from(ROWS) * 32);
        let [a, b] = topk_scratch_bytes(n_vocab, ROWS).map(|bytes| rig.poisoned(bytes));
        let best = rig.poisoned(topk_bytes(ROWS));
        let picked = rig.poisoned(u64::from(ROWS) * 16);
        let n_want = ROWS;
        let (l, p, s) = (&logits, &partials, &stats);
        let row = RowStatsArgs { step: &step, logits: l, partials: p, stats: s, n_vocab, n_want };
        let mut work = row_stats(&row, &rig.profile).unwrap();
        let scratch = [&a, &b];
        let top = TopkArgs { step: &step, logits: l, scratch, best: &best, n_vocab, n_want };
        work.extend(topk_with(&top, &rig.profile).unwrap());
        let sampled = SampleArgs {
            step: &step,
            params: &params,
            stats: s,
            best: &best,
            picked: &picked,
            n_vocab,
            n_want,
            per_row: true,
        };
        work.push(sample(&sampled, &rig.profile).unwrap());
        let plan = rig.device.record(work).unwrap();
        Self { rig, plan, step, logits, params, stats, best, picked }
    }

    pub(crate) fn draw(&self, cases: &[Case], seed: u64) -> Vec<Drawn> {
        let rows: Vec<(u32, u32)> = cases.iter().map(|case| (case.pos, case.seq)).collect();
        let params: Vec<SampleParams> = cases.iter().map(|case| kernel_params(&case.params)).collect();
        self.rig.write(&self.step, &step_words(cases.len() as u32, seed, &rows));
        self.rig
            .write(&self.logits, &bits(&cases.iter().flat_map(|case| case.row.clone()).collect::<Vec<_>>()));
        self.rig.write(&self.params, bytemuck::cast_slice(&params));
        let read = self.rig.submit(&[Work::all(&self.plan)], &[&self.stats, &self.best, &self.picked]);
        let (stats, picked) = (stats_of(&read[0]), picked_of(&read[2]));
        (0..cases.len())
            .map(|w| Drawn { stats: stats[w], best: best_of(&read[1], w), picked: picked[w] })
            .collect()
    }
}

pub(crate) fn random_params(random: &mut Random) -> SamplerParams {
    SamplerParams {
        temperature: pick(random, &[1.0, 1.0, 0.8, 0.1, 2.0, 5.0, 0.0]),
        top_k: pick(random, &[0, 0, 1, 2, 5, 40, 40, 200, 256, 257, 1000]),
        top_p: pick(random, &[1.0, 1.0, 0.95, 0.9, 0.5, 0.1, 0.0, 0.999]),
        min_p: pick(random, &[0.0, 0.0, 0.05, 0.3, 1.0]),
        ..SamplerParams::neutral()
    }
}

fn random_case(random: &mut Random, kind: u32, n_vocab: u32) -> Case {
    let params = random_params(random);
    let kind = Kind::FINITE[kind as usize % Kind::FINITE.len()];
    let row = kind.row(random, n_vocab as usize);
    Case { row, params, pos: random.below(1 << 20), seq: random.below(1000) }
}

/// What the reference draws from the kernel's own candidates and statistics.
pub(crate) fn expected(case: &Case, drawn: &Drawn, seed: u64) -> Result<u32, SampleError> {
    let chain = SamplerParams { seed, ..case.params.clone() }.to_chain().unwrap().fork(case.seq);
    chain.choose(&mut candidates(case, drawn), case.pos + 1).map(|choice| choice.id)
}

fn candidates(case: &Case, drawn: &Drawn) -> Candidates {
    // Greedy choice reads no candidates, so it never needs the whole row.
    if case.row.len() <= CANDIDATES as usize || case.params.is_greedy() {
        return Candidates::from_row(&case.row).unwrap();
    }
    let (ids, logits): (Vec<u32>, Vec<f32>) = drawn.best.iter().copied().unzip();
    let s = drawn.stats;
    let stats = reference::RowStats {
        max: s.max,
        argmax: s.argmax,
        log_sum_exp: s.log_sum_exp,
        entropy: s.entropy,
        max_p: s.max_p,
        top2_gap: s.top2_gap,
    };
    Candidates::from_top(&ids, &logits, Some(stats)).unwrap()
}

/// Whether the random number lies so near the border of the two tokens that the rounding of `exp`, which WGSL allows to
/// err by 3 + 2|x| ulp, decides between them.
pub(crate) fn at_a_border(case: &Case, drawn: &Drawn, seed: u64, tokens: [u32; 2]) -> bool {
    let chain = SamplerParams { seed, ..case.params.clone() }.to_chain().unwrap();
    let mut left = candidates(case, drawn);
    chain.apply(&mut left, case.pos + 1).unwrap();
    left.sort();
    let u = uniform(seed, case.seq, case.pos + 1, Purpose::Draw);
    let mut sum = 0.0;
    let ends = left.as_slice().iter().zip(left.probabilities()).map(|(candidate, p)| {
        sum += p;
        (candidate.id, sum - p, sum)
    });
    let near: Vec<u32> =
        ends.filter(|(_, low, high)| (low - 1e-5..high + 1e-5).contains(&u)).map(|e| e.0).collect();
    tokens.iter().all(|token| near.contains(token))
}

#[test]
fn draws_equal_the_reference() {
    for rig in Rig::all() {
        let (mut random, mut n, mut overflows, mut borders) = (Random::of("draws"), 0, 0, 0);
        let rounds = if rig.is_twin() { 120 } else { 16 };
        for n_vocab in [1, 2, 7, 255, 256, 257, 1500] {
            let bench = Bench::new(&rig, n_vocab);
            for round in 0..rounds {
                let seed = random.bits();
                let cases: Vec<Case> =
                    (0..ROWS).map(|w| random_case(&mut random, w + round, n_vocab)).collect();
                for (case, drawn) in cases.iter().zip(bench.draw(&cases, seed)) {
                    n += 1;
                    let picked = drawn.picked;
                    let place = format!("{}: {n_vocab} logits, seed {seed}, {:?}", rig.name(), case.params);
                    match expected(case, &drawn, seed) {
                        Ok(token) if picked.flags == 0 && picked.token == token => {
                            let logprob = case.row[token as usize] - drawn.stats.log_sum_exp;
                            assert_eq!(picked.logprob, logprob, "{place}");
                        }
                        Ok(token) if !rig.is_twin() && picked.flags == 0 => {
                            assert!(
                                at_a_border(case, &drawn, seed, [token, picked.token]),
                                "{place}: {picked:?}, not {token}"
                            );
                            borders += 1;
                        }
                        Err(SampleError::NeedsFullRow { .. }) if picked.flags == Picked::OVERFLOW => {
                            assert_eq!(picked.token, drawn.stats.argmax, "{place}");
                            overflows += 1;
                        }
                        other => panic!("{place}: {picked:?}, not {other:?}"),
                    }
                }
            }
        }
        println!("{}: {n} cases, {overflows} need the whole row, {borders} at a border", rig.name());
        assert!(overflows > n / 100 && overflows < n / 3 && borders <= n / 1000, "{overflows} {borders}");
    }
}

#[test]
fn settled_draws_equal_those_from_the_whole_row() {
    for rig in Rig::all() {
        let (mut random, mut settled) = (Random::of("settled draws"), 0);
        let bench = Bench::new(&rig, 4000);
        for round in 0..if rig.is_twin() { 20 } else { 4 } {
            let cases: Vec<Case> = (0..ROWS).map(|w| random_case(&mut random, w + round, 4000)).collect();
            for (case, drawn) in cases.iter().zip(bench.draw(&cases, 99)) {
                let chain =
                    SamplerParams { seed: 99, ..case.params.clone() }.to_chain().unwrap().fork(case.seq);
                let whole =
                    chain.choose(&mut Candidates::from_row(&case.row).unwrap(), case.pos + 1).unwrap().id;
                if drawn.picked.flags == 0 {
                    settled += 1;
                    let token = drawn.picked.token;
                    assert!(
                        token == whole || at_a_border(case, &drawn, 99, [token, whole]),
                        "{:?}",
                        case.params
                    );
                }
            }
        }
        assert!(settled > 40, "{settled}");
    }
}

#[test]
fn faulty_and_banned_rows_are_flagged() {
    for rig in Rig::all() {
        let bench = Bench::new(&rig, 600);
        let mut random = Random::of("faulty rows");
        let mut cases: Vec<Case> = (0..3).map(|_| random_case(&mut random, 0, 600)).collect();
        cases[0].row[599] = f32::NAN;
        cases[1].row.fill(-1e30);
        cases[2].row.fill(-1e30);
        cases[2].row[77] = -5.0;
        for case in &mut cases {
            case.params = SamplerParams::default();
        }
        let flags: Vec<(u32, u32)> =
            bench.draw(&cases, 1).iter().map(|d| (d.picked.flags, d.picked.token)).collect();
        assert_eq!(
            (flags[0].0, flags[1], flags[2]),
            (Picked::BAD, (Picked::NONE, 0), (0, 77)),
            "{}",
            rig.name()
        );
    }
}

/// Frequencies of one distribution over many positions: chi-square with 5 degrees of freedom, p > 1e-4.
#[test]
fn frequencies_follow_the_distribution() {
    let rig = &Rig::all()[0];
    let p = [0.40f32, 0.25, 0.15, 0.10, 0.06, 0.04];
    let bench = Bench::new(rig, 6);
    let mut counts = [0u32; 6];
    for batch in 0..1000 {
        let case = |w| Case {
            row: p.map(f32::ln).to_vec(),
            params: SamplerParams::neutral(),
            pos: batch * ROWS + w,
            seq: 3,
        };
        for drawn in bench.draw(&(0..ROWS).map(case).collect::<Vec<_>>(), 42) {
            counts[drawn.picked.token as usize] += 1;
        }
    }
    let n = 1000.0 * ROWS as f32;
    let chi: f32 = counts.iter().zip(p).map(|(c, p)| (*c as f32 - n * p).powi(2) / (n * p)).sum();
    assert!(chi < 25.7, "{chi}: {counts:?}");
}

/// Random numbers that fall on a border exactly: with seed 0 the draw of sequence 18 at position 91,509 is one half, that of
/// sequence 5 at 445,354 is 0. A running sum equal to the target is passed over.
#[test]
fn a_draw_on_a_border_takes_the_next_token() {
    assert_eq!([uniform(0, 18, 91_509, Purpose::Draw), uniform(0, 5, 445_354, Purpose::Draw)], [0.5, 0.0]);
    for rig in Rig::all() {
        let bench = Bench::new(&rig, 4);
        let case = |seq: u32, position: u32| {
            let params = SamplerParams { top_k: 2, ..SamplerParams::neutral() };
            Case { row: vec![1.5, -2.0, 1.5, 1.5], params, pos: position - 1, seq }
        };
        let drawn = bench.draw(&[case(18, 91_509), case(5, 445_354)], 0);
        assert_eq!([drawn[0].picked.token, drawn[1].picked.token], [2, 0], "{}", rig.name());
    }
}
