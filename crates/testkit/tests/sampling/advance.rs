//! `advance`, and a run of tokens in one submit.

use goldcrest_gpu::{Buffer, Slice, Work};
use goldcrest_kernels::ops::advance::{AdvanceArgs, advance};
use goldcrest_kernels::ops::penalize::{PenalizeArgs, penalize};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats, row_stats_scratch_bytes};
use goldcrest_kernels::ops::sample::{SampleArgs, sample};
use goldcrest_kernels::ops::topk::{TopkArgs, topk, topk_bytes, topk_scratch_bytes};
use goldcrest_kernels::sampling::{OutToken, Picked, RowStats, SampleParams, bias_list, history_ring};
use goldcrest_kernels::step::{Header, IDENTITY, ROWS_OFFSET, Row};
use goldcrest_sample::{Candidates, SamplerParams};

use crate::rig::{Dice, POISON, Rig, bits, row, step_words};

fn first_row(words: &[u32]) -> Row {
    *bytemuck::from_bytes(bytemuck::cast_slice(&words[ROWS_OFFSET as usize / 4..][..16]))
}

fn set_row(words: &mut [u32], change: impl Fn(Row) -> Row) {
    let row = change(first_row(words));
    words[ROWS_OFFSET as usize / 4..][..16].copy_from_slice(bytemuck::cast_slice(&[row]));
}

struct Advanced {
    header: Header,
    row: Row,
    rest: Vec<u32>,
    history: Vec<u32>,
    ring: Vec<u32>,
}

fn run(rig: &Rig, step: &[u32], table: &[u32], history: &[u32], ring_capacity: u32) -> Advanced {
    let picked = Picked { token: 321, flags: 1, logprob: -0.5, reserved: 0 };
    let stats = RowStats {
        argmax: 1,
        max: 0.0,
        log_sum_exp: 0.0,
        entropy: 1.25,
        max_p: 0.0,
        top2_gap: 0.0,
        bad: 0,
        reserved: 0,
    };
    let (step, ring, history) =
        (rig.put(step), rig.poisoned(u64::from(ring_capacity) * 16), rig.put(history));
    let dispatch = advance(&AdvanceArgs {
        step: &step,
        picked: &rig.put(bytemuck::cast_slice(&[picked])),
        stats: &rig.put(bytemuck::cast_slice(&[stats])),
        table: &rig.put(table),
        history: &history,
        ring: &ring,
        history_capacity: history.size as u32 / 4 - 4,
        ring_capacity,
    });
    let mut read = rig.run(vec![dispatch.unwrap()], &[&step, &history, &ring]);
    let header = *bytemuck::from_bytes(bytemuck::cast_slice(&read[0][..16]));
    let row = first_row(&read[0]);
    Advanced { header, row, ring: read.remove(2), history: read.remove(1), rest: read[0][48..].to_vec() }
}

#[test]
fn every_field_of_the_next_row() {
    for rig in Rig::all() {
        let mut step = step_words(1, 0, &[(9, 4)]);
        let before = Row { table: 2, base: 50, mix_len: 3, lo: 1, lo_swa: 5, ..first_row(&step) };
        set_row(&mut step, |_| before);
        step[4] = 8; // window
        step[5] = 7; // n_out
        let table: Vec<u32> = (1000..1020).collect();
        let out = run(&rig, &step, &table, &history_ring(&[4, 5, 6], 3), 4);
        let want = Row { token: 321, pos: 10, hi: 11, cell: 1012, mix_len: 0, ..before };
        assert_eq!(bytemuck::bytes_of(&out.row), bytemuck::bytes_of(&want), "{}", rig.name());
        assert_eq!((out.header.n_out, out.header.window), (8, 8));
        assert_eq!(out.rest, step[48..]);
        assert_eq!(out.history, [4, 3, 0, 0, 321, 5, 6]);
        let token = OutToken { token: 321, logprob: -0.5, flags: 1, entropy: 1.25 };
        assert_eq!(out.ring[12..], *bytemuck::cast_slice::<_, u32>(&[token]));
        assert!(out.ring[..12].iter().all(|word| *word == POISON));

        // The window has passed the old bound; an identity sequence; no history.
        set_row(&mut step, |row| Row { lo_swa: 2, table: IDENTITY, ..row });
        let out = run(&rig, &step, &[0], &history_ring(&[], 0), 1);
        assert_eq!((out.row.lo_swa, out.row.cell, out.history), (3, 60, vec![0; 4]), "{}", rig.name());
    }
}

#[test]
fn hostile_offsets_and_capacities_do_no_harm() {
    for rig in Rig::all() {
        let mut step = step_words(1, 0, &[(9, 4)]);
        for (table, hi) in [(5, u32::MAX), (u32::MAX - 1, 9), (0, 1 << 30)] {
            set_row(&mut step, |row| Row { table, hi, ..row });
            step[5] = u32::MAX;
            let out = run(&rig, &step, &[7, 8], &[u32::MAX, u32::MAX, 0, 0, 1, 2], 3);
            assert!([7, 8].contains(&out.row.cell), "{}", rig.name());
            assert_eq!(out.header.n_out, 0);
            assert_eq!(out.history, [0, u32::MAX, 0, 0, 1, 321]);
        }
    }
}

fn whole_step(rig: &Rig, n_vocab: u32, params: SampleParams, bias: &[(u32, f32)], history: &[u32]) -> Steps {
    let step = rig.put(&step_words(1, 5, &[(history.len() as u32 - 1, 2)]));
    let logits = rig.poisoned(u64::from(n_vocab) * 4);
    let params = rig.put(bytemuck::cast_slice(&[params]));
    let partials = rig.poisoned(row_stats_scratch_bytes(n_vocab, 1));
    let stats = rig.poisoned(32);
    let [a, b] = topk_scratch_bytes(n_vocab, 1).map(|bytes| rig.poisoned(bytes));
    let (best, picked, ring) = (rig.poisoned(topk_bytes(1)), rig.poisoned(16), rig.poisoned(8 * 16));
    let history = rig.put(&history_ring(history, 20));
    let mut plan = vec![
        penalize(&PenalizeArgs {
            step: &step,
            params: &params,
            bias: &rig.put(&bias_list(bias)),
            history: &history,
            logits: &logits,
            n_vocab,
            n_want: 1,
            per_row: false,
            bias_capacity: bias.len() as u32,
            history_capacity: 20,
        })
        .unwrap(),
    ];
    let (p, s) = (&partials, &stats);
    plan.extend(
        row_stats(&RowStatsArgs { step: &step, logits: &logits, partials: p, stats: s, n_vocab, n_want: 1 })
            .unwrap(),
    );
    let scratch = [&a, &b];
    plan.extend(
        topk(&TopkArgs { step: &step, logits: &logits, scratch, best: &best, n_vocab, n_want: 1 }).unwrap(),
    );
    let sampled = SampleArgs {
        step: &step,
        params: &params,
        stats: s,
        best: &best,
        picked: &picked,
        n_vocab,
        n_want: 1,
        per_row: false,
    };
    plan.push(sample(&sampled).unwrap());
    let table = rig.put(&[0]);
    plan.push(
        advance(&AdvanceArgs {
            step: &step,
            picked: &picked,
            stats: s,
            table: &table,
            history: &history,
            ring: &ring,
            history_capacity: 20,
            ring_capacity: 8,
        })
        .unwrap(),
    );
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
        let mut dice = Dice::new(11);
        let source = row(&mut dice, 0, 900);
        let prompt: Vec<u32> = (0..30).map(|_| dice.below(900)).collect();
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
        let plan = settings.gpu_plan();
        let params = SampleParams {
            repeat: plan.repeat,
            frequency: plan.freq,
            presence: plan.present,
            last_n: plan.last_n as u32,
            inv_temperature: plan.inv_temperature,
            top_k: plan.top_k,
            top_p: plan.top_p,
            min_p: plan.min_p,
            log_min_p: plan.min_p_log,
            greedy: 0,
            reserved: [0; 6],
        };
        let steps = whole_step(&rig, 900, params, &settings.logit_bias, &prompt);
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
