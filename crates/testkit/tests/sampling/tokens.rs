//! All sampling kernels: a run of tokens in one submit.

use goldcrest_gpu::{Buffer, Slice, Work};
use goldcrest_kernels::ops::penalize::{PenalizeArgs, penalize};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats, row_stats_scratch_bytes};
use goldcrest_kernels::ops::sample_next::{SampleNextArgs, sample_next};
use goldcrest_kernels::ops::topk::{TopkArgs, topk_bytes, topk_scratch_bytes, topk_with};
use goldcrest_kernels::sampling::{OutToken, bias_list, history_ring};
use goldcrest_kernels::step::{ROWS_OFFSET, Row};
use goldcrest_sample::{Candidates, SamplerParams};
use goldcrest_testkit::kernels::case::bits;
use goldcrest_testkit::kernels::logits::Kind;
use goldcrest_testkit::kernels::random::Random;

use crate::rig::{Rig, kernel_params, step_words};

fn first_row(words: &[u32]) -> Row {
    *bytemuck::from_bytes(bytemuck::cast_slice(&words[ROWS_OFFSET as usize / 4..][..16]))
}

fn whole_step(rig: &Rig, n_vocab: u32, settings: &SamplerParams, history: &[u32]) -> Steps {
    let step = rig.put(&step_words(1, 5, &[(history.len() as u32 - 1, 2)]));
    let logits = rig.poisoned(u64::from(n_vocab) * 4);
    let params = rig.put(bytemuck::cast_slice(&[kernel_params(settings)]));
    let partials = rig.poisoned(row_stats_scratch_bytes(n_vocab, 1));
    let stats = rig.poisoned(32);
    let [a, b] = topk_scratch_bytes(n_vocab, 1).map(|bytes| rig.poisoned(bytes));
    let (best, ring) = (rig.poisoned(topk_bytes(1)), rig.poisoned(8 * 16));
    let history = rig.put(&history_ring(history, 20));
    let mut plan = vec![
        penalize(&PenalizeArgs {
            step: &step,
            params: &params,
            bias: &rig.put(&bias_list(&settings.logit_bias)),
            history: &history,
            logits: &logits,
            n_vocab,
            n_want: 1,
            per_row: false,
            bias_capacity: settings.logit_bias.len() as u32,
            history_capacity: 20,
        })
        .unwrap(),
    ];
    let (p, s) = (&partials, &stats);
    let row = RowStatsArgs { step: &step, logits: &logits, partials: p, stats: s, n_vocab, n_want: 1 };
    plan.extend(row_stats(&row, &rig.profile).unwrap());
    let scratch = [&a, &b];
    let top = TopkArgs { step: &step, logits: &logits, scratch, best: &best, n_vocab, n_want: 1 };
    plan.extend(topk_with(&top, &rig.profile).unwrap());
    let table = rig.put(&[0]);
    let sampled = SampleNextArgs {
        step: &step,
        params: &params,
        stats: s,
        best: &best,
        table: &table,
        history: &history,
        ring: &ring,
        n_vocab,
        history_capacity: 20,
        ring_capacity: 8,
    };
    plan.push(sample_next(&sampled, &rig.profile).unwrap());
    Steps { plan, logits, ring, step }
}

struct Steps {
    plan: Vec<goldcrest_gpu::Dispatch<Buffer>>,
    logits: Slice<Buffer>,
    ring: Slice<Buffer>,
    step: Slice<Buffer>,
}

/// Eight tokens without the host: bias, penalties that see the tokens just drawn, and draws at advancing positions.
#[test]
fn tokens_of_one_submit_equal_the_reference_chain() {
    for rig in Rig::all() {
        let mut random = Random::of("tokens of one submit");
        let source = Kind::Spread.row(&mut random, 900);
        let prompt: Vec<u32> = (0..30).map(|_| random.below(900)).collect();
        let settings = SamplerParams {
            repeat_penalty: 1.3,
            frequency_penalty: 0.4,
            presence_penalty: 0.2,
            penalty_last_n: 16,
            logit_bias: vec![(5, 4.0), (6, f32::NEG_INFINITY)],
            temperature: 1.2,
            seed: 5,
            ..SamplerParams::default()
        };
        let steps = whole_step(&rig, 900, &settings, &prompt);
        let recorded = rig.device.record(steps.plan).unwrap();
        let fresh = rig.put(&bits(&source));
        let one = || [Work::Copy { from: fresh.clone(), to: steps.logits.clone() }, Work::all(&recorded)];
        let work: Vec<Work<'_>> = (0..8).flat_map(|_| one()).collect();
        let read = rig.submit(&work, &[&steps.ring, &steps.step]);
        let tokens: Vec<OutToken> = bytemuck::cast_slice(&read[0]).to_vec();

        let mut chain = settings.to_chain().unwrap().fork(2);
        prompt.iter().for_each(|token| chain.accept(*token));
        for (i, token) in tokens.iter().enumerate() {
            let mut candidates = Candidates::from_row(&source).unwrap();
            let want = chain.choose(&mut candidates, prompt.len() as u32 + i as u32).unwrap().id;
            assert_eq!((token.token, token.flags), (want, 0), "{}: token {i}", rig.name());
            chain.accept(want);
        }
        let row = first_row(&read[1]);
        assert_eq!((row.pos, row.hi, row.token, read[1][5]), (37, 38, tokens[7].token, 8), "{}", rig.name());
    }
}
