//! Trees that the device follows by itself: the path of a walk on the host, for the bytes of the path.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{devices, forward, tiny_engine};
use goldcrest_engine::batch::{Batch, BatchRow, Place, Source, Visible, Walk, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{EngineError, Runtime};
use goldcrest_sample::SamplerParams;

const PROMPT: [u32; 6] = [1, 7, 30, 11, 200, 45];

/// A tree: per row its token and the row that it follows.
type Tree = Vec<(u32, u32)>;

fn batch(seq: SeqId, tree: &Tree, sampler: &SamplerParams, wants: &Wants) -> Batch {
    let mut rows: Vec<BatchRow> = Vec::new();
    for (i, (token, parent)) in tree.iter().enumerate() {
        let (pos, above) = match i {
            0 => (PROMPT.len() as u32, 0),
            _ => {
                let Visible::Tree { ancestors } = rows[*parent as usize].visible else { panic!("a tree") };
                (rows[*parent as usize].pos + 1, ancestors)
            }
        };
        let visible = Visible::Tree { ancestors: above | 1 << i };
        let (source, place) = (Source::Token(*token), Place::Append);
        rows.push(BatchRow { source, pos, seq, place, visible, wants: wants.clone() });
    }
    Batch { rows, sampler: Some(sampler.clone()), ..Batch::default() }
}

/// The rows, tokens and log-probabilities on the path, by what each row alone says.
fn on_host(
    runtime: &mut Runtime,
    seq: SeqId,
    tree: &Tree,
    sampler: &SamplerParams,
) -> Vec<(usize, u32, f32)> {
    let wants = Wants { stats: true, drawn: Some(0), ..Wants::default() };
    let rows = forward(runtime, &batch(seq, tree, sampler, &wants)).rows;
    runtime.pool_mut().truncate(seq, PROMPT.len()).unwrap();
    let (mut path, mut at) = (Vec::new(), Some(0));
    while let Some(row) = at {
        let (token, logprob) = rows[row].drawn.unwrap();
        path.push((row, token, logprob));
        at = (row + 1..tree.len()).find(|r| tree[*r] == (token, row as u32));
    }
    path
}

/// Guesses that come true, between others that do not: `width` siblings at each of `depth` depths.
fn grown(runtime: &mut Runtime, seq: SeqId, sampler: &SamplerParams, (width, depth): (u32, u32)) -> Tree {
    let mut tree = vec![(45 + 3 * width, 0)];
    for _ in 0..depth {
        let (last, token, _) = *on_host(runtime, seq, &tree, sampler).last().unwrap();
        let siblings = (1..width).map(|i| ((token + i) % 384, last as u32));
        let siblings: Tree = siblings.collect();
        // The one that comes is neither first nor last.
        tree.extend(&siblings[..siblings.len() / 2]);
        tree.push((token, last as u32));
        tree.extend(&siblings[siblings.len() / 2..]);
    }
    tree
}

fn samplers() -> Vec<SamplerParams> {
    let base = SamplerParams::neutral();
    let drawn = |seed| SamplerParams { seed, top_k: 40, top_p: 0.9, temperature: 1.3, ..base.clone() };
    vec![
        SamplerParams::greedy(),
        drawn(3),
        drawn(7 << 33 | 5),
        SamplerParams { seed: 9, top_k: 256, ..base.clone() },
    ]
}

#[test]
fn the_device_follows_a_tree_as_the_host_does() {
    for device in devices() {
        let engine = tiny_engine(Rc::clone(&device), 128);
        let mut runtime = engine.runtime().borrow_mut();
        let seq = runtime.pool_mut().create();
        pollster::block_on(runtime.prefill(seq, &PROMPT, &mut |_| true)).unwrap();
        for sampler in samplers() {
            // One row; a chain; trees in one part, and in several.
            for shape in [(1, 0), (1, 11), (3, 5), (2, 3), (4, 12), (1, 40)] {
                let tree = grown(&mut runtime, seq, &sampler, shape);
                let expected = on_host(&mut runtime, seq, &tree, &sampler);
                assert_eq!(expected.len() as u32, shape.1 + 1);
                let wants = Wants { drawn: Some(0), ..Wants::default() };
                let parents: Vec<u32> = tree.iter().map(|(_, parent)| *parent).collect();
                let walk = Some(Walk { parents: parents.clone(), ..Walk::default() });
                let before = runtime.counters();
                let found = forward(&mut runtime, &Batch { walk, ..batch(seq, &tree, &sampler, &wants) });
                let after = runtime.counters();
                assert!(found.rows.is_empty());
                assert_eq!(found.walked.path, expected, "{sampler:?} {shape:?} on {}", device.info().name);
                if tree.len() <= 16 {
                    // Sixteen bytes, and twelve for each depth.
                    assert_eq!(after.bytes_read - before.bytes_read, 16 + 12 * u64::from(shape.1 + 1));
                    assert_eq!(after.readbacks - before.readbacks, 1);
                }
                runtime.pool_mut().truncate(seq, PROMPT.len()).unwrap();
            }
        }
    }
}

#[test]
fn a_part_of_the_tree_to_which_the_path_does_not_lead_is_not_run() {
    for device in devices() {
        let engine = tiny_engine(device, 128);
        let mut runtime = engine.runtime().borrow_mut();
        let seq = runtime.pool_mut().create();
        pollster::block_on(runtime.prefill(seq, &PROMPT, &mut |_| true)).unwrap();
        let sampler = SamplerParams::greedy();
        let tree = grown(&mut runtime, seq, &sampler, (1, 1));
        let tree: Tree = (0..40).map(|i| if i < 2 { tree[i] } else { (7, 1) }).collect();
        let expected = on_host(&mut runtime, seq, &tree, &sampler);
        let parents = tree.iter().map(|(_, parent)| *parent).collect();
        let wants = Wants { drawn: Some(0), ..Wants::default() };
        let walk = Some(Walk { parents, ..Walk::default() });
        let before = runtime.counters();
        let found = forward(&mut runtime, &Batch { walk, ..batch(seq, &tree, &sampler, &wants) }).walked.path;
        assert_eq!(found, expected);
        assert_eq!(runtime.counters().submits - before.submits, 1);
    }
}

#[test]
fn walks_that_are_none_are_refused() {
    let engine = tiny_engine(devices().remove(0), 128);
    let mut runtime = engine.runtime().borrow_mut();
    let seq = runtime.pool_mut().create();
    pollster::block_on(runtime.prefill(seq, &PROMPT, &mut |_| true)).unwrap();
    let wants = Wants { drawn: Some(0), ..Wants::default() };
    let tree = vec![(5, 0), (6, 0), (7, 1)];
    let walk = |parents: &[u32]| Some(Walk { parents: parents.to_vec(), ..Walk::default() });
    let listed = |lists| Some(Walk { parents: vec![0, 0, 1], lists, ..Walk::default() });
    let right = Batch { walk: walk(&[0, 0, 1]), ..batch(seq, &tree, &SamplerParams::greedy(), &wants) };
    let with_stats = Wants { stats: true, ..wants.clone() };
    let history = SamplerParams { repeat_penalty: 1.1, ..SamplerParams::neutral() };
    let refused = [
        Batch { walk: walk(&[0, 0]), ..right.clone() },
        Batch { walk: walk(&[0, 0, 2]), ..right.clone() },
        Batch { walk: walk(&[0, 0, 7]), ..right.clone() },
        Batch { sampler: None, ..right.clone() },
        Batch { walk: walk(&[0, 0, 1]), ..batch(seq, &tree, &history, &wants) },
        Batch { walk: walk(&[0, 0, 1]), ..batch(seq, &tree, &SamplerParams::greedy(), &with_stats) },
        Batch { walk: walk(&[0, 0, 1]), ..batch(seq, &tree, &SamplerParams::greedy(), &Wants::default()) },
        Batch { layers: Some(0..1), ..right.clone() },
        Batch { walk: listed(vec![Vec::new()]), ..right.clone() },
        Batch { walk: listed(vec![vec![(7, 0.5), (6, 0.5)], Vec::new(), Vec::new()]), ..right.clone() },
        Batch { walk: listed(vec![vec![(7, 0.5), (7, 0.5)], Vec::new(), Vec::new()]), ..right.clone() },
        Batch {
            walk: listed(vec![(0..257).map(|t| (t, 0.1)).collect(), Vec::new(), Vec::new()]),
            ..right.clone()
        },
    ];
    for batch in refused {
        let result = pollster::block_on(runtime.forward(&batch));
        assert!(matches!(result, Err(EngineError::BadBatch { .. })), "{:?}", batch.walk);
        assert_eq!(runtime.pool().sequence(seq).unwrap().len(), PROMPT.len());
    }
    assert_eq!(forward(&mut runtime, &right).walked.path[0].0, 0);
}
