//! Drawn guesses that the kernels judge: the host's tokens for every seed, and the model's distribution.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;
mod judging;

use common::{pairs, pairs_draft, passes_chi_square};
use goldcrest_decode::speculate::Speculate;
use goldcrest_decode::{Ask, Lm, Outcome, TableLm, decode_among};
use goldcrest_sample::SamplerParams;
use goldcrest_testkit::kernels::adapters::cpu;
use goldcrest_testkit::walk::Kernels;
use judging::{By, Followed};

/// Drafters whose guesses are draws, and who read nothing of the rows.
const DRAWN: [&str; 9] = [
    "draft:tokens=3",
    "specdec_pp:max=4",
    "pearl:tokens=3",
    "s2d:layers=1-5,tokens=3",
    "dyspec:tokens=20",
    "rsd_c:branching=3-2-1",
    "rsd_s:width=4,depth=4",
    "exit:layer=5,tokens=3",
    "skip:speed=2,tokens=3",
];

/// Tokens of [`wide`].
const WIDE: u32 = 40;

/// Logits that depend on the last two tokens; `other` mixes in what is not the model's.
fn wide_row(context: &[u32], other: f32) -> Vec<f32> {
    let at = |back: usize| context.len().checked_sub(back).map_or(0, |i| context[i]);
    let noise = |salt: u32, id: u32| {
        let mixed =
            (at(1) * 41 + at(2) + salt).wrapping_mul(0x9E37_79B1) ^ (id + 1).wrapping_mul(0x85EB_CA6B);
        (mixed.wrapping_mul(0xC2B2_AE35) >> 8) as f32 / (1 << 22) as f32
    };
    (0..WIDE).map(|id| noise(0, id) * (1.0 - other) + noise(977, id) * other).collect()
}

fn wide(other: f32) -> TableLm {
    TableLm::new(WIDE, move |context| wide_row(context, other))
        .with_exits(10, |context, _| wide_row(context, 0.3))
}

fn answer(model: &mut Followed, draft: TableLm, ask: Ask, spec: &str) -> Outcome {
    let mut draft = Followed::new(draft, By::Host);
    let method = Speculate::parse(&format!("{spec},plan=false")).unwrap();
    let got = pollster::block_on(decode_among(model, vec![&mut draft], ask, &method)).unwrap();
    assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{spec}");
    got
}

/// Cuts of many kinds, all of which a device does by itself.
fn sampler(seed: u64) -> SamplerParams {
    let base = SamplerParams { seed: seed << 31 | seed, ..SamplerParams::neutral() };
    match seed % 4 {
        0 => SamplerParams { top_k: 256, ..base },
        1 => SamplerParams { top_k: 30, top_p: 0.9, ..base },
        2 => SamplerParams { top_k: 12, temperature: 1.7, min_p: 0.02, ..base },
        _ => SamplerParams { top_k: 40, temperature: 0.6, top_p: 0.97, ..base },
    }
}

#[test]
fn kernels_and_host_give_every_seed_the_same_tokens() {
    let device = cpu();
    let mut kernels = Followed::new(wide(0.0), By::Kernels(Box::new(Kernels::new(&device, WIDE).unwrap())));
    let (mut host, mut table) = (Followed::new(wide(0.0), By::Host), Followed::new(wide(0.0), By::Table));
    let mut accepted = 0;
    for spec in DRAWN {
        for seed in 0..60 {
            let ask = || Ask { sampler: sampler(seed), max_tokens: 40, ..Ask::new(vec![3, 5]) };
            let expected = answer(&mut host, wide(0.3), ask(), spec);
            for model in [&mut table, &mut kernels] {
                let got = answer(model, wide(0.3), ask(), spec);
                assert_eq!(got.tokens, expected.tokens, "{spec}, seed {seed}");
                let pairs = got.logprobs.iter().zip(&expected.logprobs);
                let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(off < 1e-5, "{spec}, seed {seed}: {off}");
                let report = |outcome: &Outcome| outcome.report["speculation"]["accepted_histogram"].clone();
                assert_eq!(report(&got), report(&expected));
            }
            accepted += 40 - expected.report["passes"].as_u64().unwrap();
        }
    }
    assert_eq!(host.walks, 0);
    assert!(kernels.walks > 5000 && kernels.walks == table.walks, "{} {}", kernels.walks, table.walks);
    assert!(accepted > 2000, "{accepted} guesses came true");
}

#[test]
fn what_the_kernels_accept_leaves_the_distribution_as_it_is() {
    const N: u32 = 2500;
    let device = cpu();
    let mut model = Followed::new(pairs(), By::Kernels(Box::new(Kernels::new(&device, 3).unwrap())));
    for spec in [
        "draft:tokens=3",
        "pearl:tokens=2",
        "dyspec:tokens=6",
        "rsd_c:branching=2-2-1",
        "rsd_s:width=3,depth=3",
    ] {
        for group in 0..5 {
            let mut counts = [0u32; 81];
            for i in 0..N {
                let seed = u64::from(group * N + i);
                let sampler = SamplerParams { seed, top_k: 256, ..SamplerParams::neutral() };
                let ask = Ask { sampler, max_tokens: 4, ..Ask::new(vec![0]) };
                let got = answer(&mut model, pairs_draft(), ask, spec);
                counts[got.tokens.iter().fold(0, |index, token| 3 * index + *token as usize)] += 1;
            }
            passes_chi_square(&counts, N, &format!("{spec}, group {group}"));
        }
    }
    assert!(model.walks > 50_000, "{}", model.walks);
}
