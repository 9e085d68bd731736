//! Tokens that the device draws for the rows of a batch: those of the host's chain, for 16 bytes a row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{devices, forward, tiny_engine};
use goldcrest_engine::EngineError;
use goldcrest_engine::batch::{Batch, BatchRow, Place, Source, Visible, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_sample::{Candidates, SamplerParams};

const PROMPT: [u32; 6] = [1, 7, 30, 11, 200, 45];
/// More than the rows whose logits one pass of the head gives.
const ROWS: u32 = 20;
/// The figures of a row, and its token.
const BYTES: u64 = 32 + 16;

/// Siblings and their children behind the prompt: row `i` stands under row `(i - 1) / 3`, and draws from stream `i % 3`.
fn tree(seq: SeqId, wants: impl Fn(u32) -> Wants) -> Vec<BatchRow> {
    let mut rows: Vec<BatchRow> = Vec::new();
    for i in 0..ROWS {
        let (depth, above) = match i.checked_sub(1).map(|i| i / 3) {
            None => (0, 0),
            Some(parent) => {
                let Visible::Tree { ancestors } = rows[parent as usize].visible else { panic!("a tree") };
                (rows[parent as usize].pos - PROMPT.len() as u32 + 1, ancestors)
            }
        };
        rows.push(BatchRow {
            source: Source::Token(3 + 17 * i),
            pos: PROMPT.len() as u32 + depth,
            seq,
            place: Place::Append,
            visible: Visible::Tree { ancestors: above | 1 << i },
            wants: wants(i),
        });
    }
    rows
}

fn samplers() -> Vec<SamplerParams> {
    let base = SamplerParams::neutral();
    let drawn = |seed| SamplerParams { seed, top_k: 40, top_p: 0.9, temperature: 1.3, ..base.clone() };
    let mut all: Vec<SamplerParams> = (0..6).map(|seed| drawn(seed << 33 | seed)).collect();
    all.push(SamplerParams { seed: 9, top_k: 256, min_p: 0.01, ..base });
    all.push(SamplerParams::greedy());
    all
}

#[test]
fn a_batch_draws_what_the_host_would() {
    for device in devices() {
        let engine = tiny_engine(Rc::clone(&device), 64);
        let mut runtime = engine.runtime().borrow_mut();
        let seq = runtime.pool_mut().create();
        pollster::block_on(runtime.prefill(seq, &PROMPT, &mut |_| true)).unwrap();
        let whole = Wants { stats: true, row: true, ..Wants::default() };
        let rows = Batch { rows: tree(seq, |_| whole.clone()), ..Batch::default() };
        let whole = forward(&mut runtime, &rows).rows;
        for sampler in samplers() {
            runtime.pool_mut().truncate(seq, PROMPT.len()).unwrap();
            let wants = |i| Wants { stats: true, drawn: Some(i % 3), ..Wants::default() };
            let rows = tree(seq, wants);
            let before = runtime.counters().bytes_read;
            let batch = Batch { rows: rows.clone(), sampler: Some(sampler.clone()), ..Batch::default() };
            let found = forward(&mut runtime, &batch).rows;
            assert_eq!(runtime.counters().bytes_read - before, BYTES * u64::from(ROWS));
            for ((row, found), whole) in rows.iter().zip(&found).zip(&whole) {
                let chain = sampler.to_chain().unwrap().fork(row.wants.drawn.unwrap());
                let mut candidates = Candidates::from_row(&whole.logits).unwrap();
                let choice = chain.choose(&mut candidates, row.pos + 1).unwrap();
                let logprob = whole.logits[choice.id as usize] - whole.stats.unwrap().log_sum_exp;
                let (token, found) = found.drawn.unwrap();
                assert_eq!(token, choice.id, "{sampler:?} on {}", device.info().name);
                assert!((found - logprob).abs() < 1e-4, "{found} for {logprob}");
            }
        }
    }
}

#[test]
fn some_rows_draw_and_some_tell_their_best() {
    for device in devices() {
        let engine = tiny_engine(device, 64);
        let mut runtime = engine.runtime().borrow_mut();
        let seq = runtime.pool_mut().create();
        let rows = PROMPT.iter().zip(0..).map(|(token, pos)| BatchRow::token(*token, pos, seq));
        let wants = [
            Wants::default(),
            Wants { top: 3, ..Wants::default() },
            Wants { drawn: Some(0), ..Wants::default() },
            Wants { top: 300, row: true, ..Wants::default() },
        ];
        let rows = rows.zip(wants.iter().cycle()).map(|(row, wants)| row.wanting(wants.clone())).collect();
        let batch = Batch { rows, sampler: Some(samplers().remove(0)), ..Batch::default() };
        let found = forward(&mut runtime, &batch).rows;
        let shape: Vec<_> =
            found.iter().map(|r| (r.row, r.top.len(), r.drawn.is_some(), r.logits.len())).collect();
        assert_eq!(shape, [(1, 3, false, 0), (2, 0, true, 0), (3, 256, false, 384), (5, 3, false, 0)]);
        let largest = found[2].logits.iter().copied().fold(f32::MIN, f32::max);
        assert_eq!(found[2].top[0].1, largest);
    }
}

#[test]
fn samplers_that_need_the_host_are_refused() {
    let engine = tiny_engine(devices().remove(0), 64);
    let mut runtime = engine.runtime().borrow_mut();
    let seq = runtime.pool_mut().create();
    let base = samplers().remove(0);
    let refused = [
        None,
        Some(SamplerParams::neutral()),
        Some(SamplerParams { repeat_penalty: 1.1, ..base.clone() }),
        Some(SamplerParams { logit_bias: vec![(3, 1.0)], ..base.clone() }),
        Some(SamplerParams { typical_p: 0.5, ..base }),
    ];
    for sampler in refused {
        assert!(!sampler.as_ref().is_some_and(|sampler| runtime.draws_on_device(sampler)));
        let row = BatchRow::token(1, 0, seq).wanting(Wants { drawn: Some(0), ..Wants::default() });
        let batch = Batch { rows: vec![row], sampler, ..Batch::default() };
        let result = pollster::block_on(runtime.forward(&batch));
        assert!(matches!(result, Err(EngineError::BadBatch { .. })));
    }
}
