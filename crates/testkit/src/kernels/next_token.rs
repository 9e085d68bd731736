//! `penalize`, `sample` and `sample_next`.
//!
//! The draws of `sample` are compared with the crate `goldcrest-sample` in `tests/sampling`; here it is the twin's, between guards.

use std::collections::BTreeMap;

use goldcrest_kernels::ops::penalize::{PenalizeArgs, penalize as penalize_op};
use goldcrest_kernels::ops::sample::{SampleArgs, sample as sample_op};
use goldcrest_kernels::ops::sample_next::{SampleNextArgs, sample_next as sample_next_op};
use goldcrest_kernels::ops::topk::topk_bytes;
use goldcrest_kernels::sampling::{
    OutToken, Picked, RowStats, SampleParams, bias_list, history_bytes, history_ring, list_bytes,
};
use goldcrest_kernels::step::{IDENTITY, MAX_WANT, Row as StepRow};
use serde::Deserialize;

use super::case::{Bound, Case, POISON_U32};
use super::compare::Compare::{self, Exact, Floats};
use super::logits::{Kind, best_of, stats_of};
use super::row::{Row, RowError};
use super::step;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PenalizeShape {
    n_vocab: u32,
    rows: u32,
    /// Parameters, biases and a history for each row.
    #[serde(default)]
    per_row: bool,
    biases: u32,
    /// Tokens appended to each ring, and its capacity.
    history: [u32; 2],
    last_n: u32,
    /// Repetition, frequency, presence.
    penalties: [f32; 3],
    /// Ids beyond the vocabulary, counts and capacities beyond the buffers.
    #[serde(default)]
    hostile: bool,
}

pub(super) fn penalize(row: &Row) -> Result<Case, RowError> {
    let shape: PenalizeShape = row.shape()?;
    let mut random = row.random();
    let (n_vocab, n_sets) = (shape.n_vocab, if shape.per_row { shape.rows + 1 } else { 1 });
    let ids = if shape.hostile { n_vocab * 3 } else { n_vocab };
    let [appended, capacity] = shape.history;
    let [repeat, frequency, presence] = shape.penalties;
    let logits: Vec<f32> =
        (0..=shape.rows).flat_map(|_| Kind::Spread.row(&mut random, n_vocab as usize)).collect();
    let (mut params, mut bias, mut history) = (Vec::new(), Vec::new(), Vec::new());
    let mut sets = Vec::new();
    for set in 0..n_sets {
        let repeat = repeat + set as f32 * 0.125;
        params.push(SampleParams {
            repeat,
            frequency,
            presence,
            last_n: shape.last_n,
            ..SampleParams::NEUTRAL
        });
        let pairs: Vec<(u32, f32)> =
            (0..shape.biases).map(|_| (random.below(ids), random.normal())).collect();
        let mut list = bias_list(&pairs);
        // Beyond the list: an id that no vocabulary has.
        list.resize(list_bytes(shape.biases) as usize / 4, POISON_U32);
        let tokens: Vec<u32> = (0..appended).map(|_| random.below(ids.min(40))).collect();
        let mut ring = history_ring(&tokens, capacity);
        if shape.hostile {
            (list[0], ring[1]) = (u32::MAX, u32::MAX);
        }
        bias.extend(list);
        history.extend(ring);
        let held = tokens[tokens.len().saturating_sub(capacity as usize)..].to_vec();
        sets.push((repeat, pairs, held[held.len().saturating_sub(shape.last_n as usize)..].to_vec()));
    }
    let mut expected: Vec<f64> = logits.iter().map(|l| f64::from(*l)).collect();
    for (w, row) in expected.chunks_mut(n_vocab as usize).take(shape.rows as usize).enumerate() {
        let (repeat, pairs, window) = &sets[w.min(sets.len() - 1)];
        for (id, add) in pairs.iter().filter(|(id, _)| *id < n_vocab) {
            row[*id as usize] += f64::from(*add);
        }
        let mut counts = BTreeMap::<u32, f64>::new();
        window.iter().for_each(|token| *counts.entry(*token).or_default() += 1.0);
        for (token, count) in counts.into_iter().filter(|(token, _)| *token < n_vocab) {
            let logit = &mut row[token as usize];
            let factor = f64::from(*repeat);
            *logit = if *logit <= 0.0 { *logit * factor } else { *logit / factor };
            *logit -= count * f64::from(frequency) + f64::from(presence);
        }
    }
    Ok(Case {
        bound: vec![
            Bound::changed("logits", super::case::bits(&logits), Floats),
            Bound::input("params", bytemuck::cast_slice(&params).to_vec()),
            Bound::input("bias", bias),
            Bound::input("history", history),
            Bound::input("step", wanting(shape.rows)),
        ],
        expected: vec![(0, expected)],
        build: Box::new(move |slices, _| {
            let [logits, params, bias, history, step] = slices else { return Ok(Vec::new()) };
            let args = PenalizeArgs {
                step,
                params,
                bias,
                history,
                logits,
                n_vocab,
                n_want: shape.rows + 1,
                per_row: shape.per_row,
                bias_capacity: shape.biases,
                history_capacity: capacity,
            };
            Ok(vec![penalize_op(&args)?])
        }),
    })
}

/// A step that asks for `n` rows, each its own.
pub(super) fn wanting(n: u32) -> Vec<u32> {
    let rows: Vec<StepRow> = (0..n).map(|r| StepRow { pos: 100 + r, seq: r, ..step::row() }).collect();
    step::step(&rows, &(0..n).collect::<Vec<_>>())
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleShape {
    n_vocab: u32,
    kinds: Vec<Kind>,
    #[serde(default)]
    greedy: bool,
    #[serde(default)]
    top_k: u32,
    /// Mass of the nucleus, least share of the largest probability, 1 / temperature.
    chain: [f32; 3],
    /// Row indices, ids and numbers of rows beyond every end.
    #[serde(default)]
    hostile: bool,
}

pub(super) fn sample(row: &Row) -> Result<Case, RowError> {
    let shape: SampleShape = row.shape()?;
    let mut random = row.random();
    let n_vocab = shape.n_vocab;
    let rows: Vec<Vec<f32>> =
        shape.kinds.iter().map(|kind| kind.row(&mut random, n_vocab as usize)).collect();
    let mut stats: Vec<RowStats> = rows.iter().map(|row| stats_of(row)).collect();
    let mut best: Vec<u32> = rows.iter().flat_map(|row| best_of(row)).collect();
    let [top_p, min_p, inv_temperature] = shape.chain;
    let params = SampleParams {
        inv_temperature,
        top_k: shape.top_k,
        top_p,
        min_p,
        log_min_p: min_p.ln().max(-100.0),
        greedy: shape.greedy.into(),
        ..SampleParams::NEUTRAL
    };
    let n_want = rows.len() as u32;
    let mut step = wanting(n_want);
    [step[2], step[3]] = [random.bits() as u32, random.bits() as u32];
    if shape.hostile {
        step[1] = u32::MAX;
        step[16..16 + MAX_WANT].fill(u32::MAX);
        stats.iter_mut().for_each(|s| s.argmax = u32::MAX);
        best.iter_mut().step_by(2).for_each(|id| *id |= 1 << 31);
    }
    let picked = size_of::<Picked>() / 4 * (rows.len() + 1);
    Ok(Case {
        bound: vec![
            Bound::input("params", bytemuck::cast_slice(&[params]).to_vec()),
            Bound::input("stats", bytemuck::cast_slice(&stats).to_vec()),
            Bound::input("best", best),
            Bound::written("picked", picked, Compare::Records(&[Exact, Exact, Floats, Exact])),
            Bound::input("step", step),
        ],
        expected: Vec::new(),
        build: Box::new(move |slices, profile| {
            let [params, stats, best, picked, step] = slices else { return Ok(Vec::new()) };
            let args = SampleArgs { step, params, stats, best, picked, n_vocab, n_want, per_row: false };
            Ok(vec![sample_op(&args, profile)?])
        }),
    })
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NextShape {
    /// Entries of the sequence before the step, and its sliding window.
    len: u32,
    window: u32,
    /// Cells through a table instead of in a row.
    table: bool,
    /// Tokens appended to the history, and its capacity.
    history: [u32; 2],
    /// Tokens written to the output ring, and its capacity.
    ring: [u32; 2],
    /// Logits that are not numbers: the flag goes to the ring.
    #[serde(default)]
    bad: bool,
    /// A length that leaves the table, and counters at their ends.
    #[serde(default)]
    hostile: bool,
}

pub(super) fn sample_next(row: &Row) -> Result<Case, RowError> {
    let shape: NextShape = row.shape()?;
    let mut random = row.random();
    let [appended, history_capacity] = shape.history;
    let [n_out, ring_capacity] = shape.ring;
    let table: Vec<u32> = (0..shape.len + 9).map(|_| random.below(5000)).collect();
    let hi = if shape.hostile { 1 << 30 } else { shape.len };
    let before = StepRow {
        token: 5,
        pos: shape.len - 1,
        cell: 3,
        table: if shape.table { 7 } else { IDENTITY },
        base: 50,
        lo: 1,
        hi,
        lo_swa: 2,
        seq: 9,
        mix_start: 4,
        mix_len: 6,
        ..step::row()
    };
    let n_out = if shape.hostile { u32::MAX } else { n_out };
    let mut words = step::step(&[before, step::row()], &[0]);
    [words[4], words[5]] = [shape.window, n_out];
    let n_vocab = 50_000;
    let token = random.below(n_vocab);
    let flags = if shape.bad { Picked::BAD } else { 0 };
    // Exact in f32.
    let out = OutToken { token, logprob: -0.75, flags, entropy: 1.25 };
    let stats = RowStats {
        argmax: token,
        max: 2.5,
        log_sum_exp: 3.25,
        entropy: out.entropy,
        bad: shape.bad.into(),
        ..bytemuck::Zeroable::zeroed()
    };
    let params = SampleParams { greedy: 1, ..SampleParams::NEUTRAL };
    let tokens: Vec<u32> = (0..appended).collect();
    let mut history = history_ring(&tokens, history_capacity);

    let after = StepRow {
        token,
        pos: shape.len,
        cell: if shape.table { table[(7 + hi as usize).min(table.len() - 1)] } else { 50 + hi },
        hi: hi + 1,
        lo_swa: if shape.window == 0 { 2 } else { (hi + 1).saturating_sub(shape.window).max(2) },
        mix_len: 0,
        ..before
    };
    let mut step_after = step::step(&[after, step::row()], &[0]);
    [step_after[4], step_after[5]] = [shape.window, n_out.wrapping_add(1)];
    let mut ring_after = vec![f64::NAN; ring_capacity as usize * 4];
    let at = (n_out % ring_capacity) as usize * 4;
    for (word, value) in ring_after[at..].iter_mut().zip(bytemuck::cast_slice::<_, u32>(&[out])) {
        *word = f64::from(*value);
    }
    let history_after = history_ring(&[&tokens[..], &[token]].concat(), history_capacity);
    let mut history_after: Vec<f64> = history_after.iter().map(|word| f64::from(*word)).collect();
    if history_capacity == 0 {
        history_after[0] = f64::from(appended);
    }
    if shape.hostile {
        (history[1], history_after[1]) = (u32::MAX, f64::from(u32::MAX));
    }
    assert_eq!(history.len() as u64 * 4, history_bytes(history_capacity));
    Ok(Case {
        bound: vec![
            Bound::input("params", bytemuck::cast_slice(&[params]).to_vec()),
            Bound::input("stats", bytemuck::cast_slice(&[stats]).to_vec()),
            Bound::input("best", vec![POISON_U32; topk_bytes(1) as usize / 4]),
            Bound::input("table", table),
            Bound::changed("history", history, Exact),
            Bound::written("ring", ring_capacity as usize * 4, Exact),
            Bound::changed("step", words, Exact),
        ],
        expected: vec![
            (4, history_after),
            (5, ring_after),
            (6, step_after.iter().map(|word| f64::from(*word)).collect()),
        ],
        build: Box::new(move |slices, profile| {
            let [params, stats, best, table, history, ring, step] = slices else { return Ok(Vec::new()) };
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
            Ok(vec![sample_next_op(&args, profile)?])
        }),
    })
}
