//! `walk` against a walk over lists of children.

use goldcrest_kernels::ops::walk::{Judged, WalkArgs, walk as walk_op};
use goldcrest_kernels::sampling::{CANDIDATES, Picked, RowStats, SampleParams};
use goldcrest_kernels::step::{MAX_WANT, Row as StepRow};
use goldcrest_kernels::walking::{
    NO_ROW, Rule, TREE_BYTES, TREE_HEADER, TREE_LISTS, TREE_PAIRS, TREE_ROWS, Tree, WALKED_BYTES,
};
use serde::Deserialize;

use super::case::{Bound, Case, POISON_U32};
use super::compare::Compare::Exact;
use super::logits::{Kind, best_of, stats_of};
use super::row::{Row, RowError};
use super::step;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    /// Rows of the tree.
    rows: u32,
    /// Rows that are wanted: from which on, and how many.
    want: [u32; 2],
    /// Tokens are below this: few, so that guesses come true.
    n_vocab: u32,
    drawn: bool,
    /// A wanted row with a logit that is no number, or without a token to draw.
    #[serde(default)]
    bad: bool,
    /// Numbers of rows and tokens beyond every end.
    #[serde(default)]
    hostile: bool,
}

/// What a row says.
struct Said {
    token: u32,
    logprob: f32,
}

pub(super) fn case(row: &Row) -> Result<Case, RowError> {
    let shape: Shape = row.shape()?;
    let mut random = row.random();
    let n_vocab = shape.n_vocab;
    let [first, n_want] = shape.want;
    let parents: Vec<u32> = (0..shape.rows).map(|r| if r == 0 { NO_ROW } else { random.below(r) }).collect();
    let rows: Vec<StepRow> =
        (0..shape.rows).map(|_| StepRow { token: random.below(n_vocab), ..step::row() }).collect();
    let at = (0..shape.rows).find(|r| *r >= first).unwrap_or(0);
    // Of each wanted row two answers that differ; quarters are exact in f32.
    let said: Vec<[Said; 2]> = (0..n_want)
        .map(|_| {
            [(); 2].map(|()| Said { token: random.below(n_vocab), logprob: -0.25 * random.below(99) as f32 })
        })
        .collect();
    let mut stats: Vec<RowStats> = said
        .iter()
        .map(|[best, _]| RowStats {
            argmax: best.token,
            max: 2.0 + best.logprob,
            log_sum_exp: 2.0,
            ..bytemuck::Zeroable::zeroed()
        })
        .collect();
    let mut picked: Vec<Picked> = said
        .iter()
        .map(|[_, drawn]| Picked { token: drawn.token, flags: 0, logprob: drawn.logprob, reserved: 0 })
        .collect();
    let mut words = step::step(&rows, &(first..first + n_want).collect::<Vec<_>>());
    let rule = if shape.drawn { Rule::Drawn } else { Rule::Argmax };
    let mut tree =
        Tree { at, thrown: 7, rule, parents: &parents, lists: &[], expected: None, stream: 0 }.words();
    tree.resize(TREE_BYTES as usize / 4, 0);

    let (mut path, mut next) = (Vec::new(), at);
    while (first..first + n_want).contains(&next) {
        let Said { token, logprob } = &said[(next - first) as usize][usize::from(shape.drawn)];
        path.push([next, *token, logprob.to_bits()]);
        let children = (0..shape.rows).filter(|r| parents[*r as usize] == next);
        next = children.filter(|r| rows[*r as usize].token == *token).min().unwrap_or(NO_ROW);
    }
    let mut bad = 0;
    if shape.bad && shape.drawn {
        (picked[(at - first) as usize].flags, bad) = (Picked::NONE, u32::MAX);
    } else if shape.bad {
        let last = stats.len() - 1;
        (stats[last].bad, bad) = (3, 3);
    }
    let mut expected = vec![path.len() as u32, next, 7, bad];
    expected.extend(path.as_flattened());
    let mut expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
    expected.resize(WALKED_BYTES as usize / 4, f64::NAN);
    if shape.hostile {
        (words[0], words[1]) = (u32::MAX, u32::MAX);
        words[16 + n_want as usize..16 + MAX_WANT].fill(u32::MAX);
        tree.fill(POISON_U32);
        (tree[0], tree[2], tree[TREE_HEADER + 1]) = (0, shape.drawn.into(), 0);
        picked.iter_mut().for_each(|pick| pick.token |= 1 << 31);
        expected.clear();
    }
    assert!(shape.rows as usize <= TREE_ROWS && n_want as usize <= MAX_WANT);
    Ok(Case {
        bound: vec![
            Bound::input("stats", bytemuck::cast_slice(&stats).to_vec()),
            Bound::input("picked", bytemuck::cast_slice(&picked).to_vec()),
            Bound::input("tree", tree),
            Bound::written("walked", WALKED_BYTES as usize / 4, Exact),
            Bound::input("step", words),
        ],
        expected: if expected.is_empty() { Vec::new() } else { vec![(3, expected)] },
        build: Box::new(move |slices, _| {
            let [stats, picked, tree, walked, step] = slices else { return Ok(Vec::new()) };
            Ok(vec![walk_op(&WalkArgs { step, stats, picked, tree, judged: None, walked, n_vocab, n_want })?])
        }),
    })
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgedShape {
    n_vocab: u32,
    /// Of the logits of the wanted rows, in turn.
    kinds: Vec<Kind>,
    rows: u32,
    want: [u32; 2],
    top_k: u32,
    /// Mass of the nucleus, least share of the largest probability, 1 / temperature.
    chain: [f32; 3],
    /// Most tokens of a list; every third row has none.
    listed: u32,
    /// A guess behind the last row.
    #[serde(default)]
    expected: bool,
    /// Lists that end beyond the tree, and tokens beyond the vocabulary.
    #[serde(default)]
    hostile: bool,
}

/// Guesses that were drawn: the twin's answers, which `goldcrest-decode` compares with its own in double precision.
pub(super) fn judged(row: &Row) -> Result<Case, RowError> {
    let shape: JudgedShape = row.shape()?;
    let mut random = row.random();
    let n_vocab = shape.n_vocab;
    let [first, n_want] = shape.want;
    let kinds = shape.kinds.iter().cycle().take(n_want as usize);
    let logits: Vec<Vec<f32>> = kinds.map(|kind| kind.row(&mut random, n_vocab as usize)).collect();
    let stats: Vec<RowStats> = logits.iter().map(|row| stats_of(row)).collect();
    let best: Vec<u32> = logits.iter().flat_map(|row| best_of(row)).collect();
    let picked: Vec<Picked> =
        stats.iter().map(|s| Picked { token: s.argmax, flags: 0, logprob: -0.5, reserved: 0 }).collect();
    // Half of a list are the row's own best, so that guesses come true.
    let mut lists: Vec<Vec<(u32, f32)>> = Vec::new();
    for r in 0..shape.rows {
        let own = best.chunks(CANDIDATES as usize * 2).nth(r.wrapping_sub(first) as usize);
        let n = if (r + 1).is_multiple_of(3) { 0 } else { shape.listed };
        let token = |i: u32| match own {
            Some(own) if i.is_multiple_of(2) => {
                own[(i as usize * 2) % (2 * n_vocab.min(CANDIDATES) as usize)]
            }
            _ => random.below(n_vocab),
        };
        let mut tokens: Vec<u32> = (0..n).map(token).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let weights: Vec<f32> = tokens.iter().map(|_| random.normal().abs() + 0.01).collect();
        let total: f32 = weights.iter().sum();
        lists.push(tokens.into_iter().zip(weights.iter().map(|w| w / total)).collect());
    }
    let (mut parents, mut rows) = (vec![NO_ROW], vec![step::row()]);
    for r in 1..shape.rows {
        let parent = random.below(r);
        let list = &lists[parent as usize];
        let siblings = parents.iter().filter(|p| **p == parent).count();
        let drawn = list.get((7 * siblings + 3) % list.len().max(1)).map(|pair| pair.0);
        let token = drawn.unwrap_or(stats[0].argmax);
        parents.push(parent);
        rows.push(StepRow { token, ..step::row() });
    }
    let slices: Vec<&[(u32, f32)]> = lists.iter().map(Vec::as_slice).collect();
    let expected = shape.expected.then(|| stats[n_want as usize - 1].argmax);
    let tree = Tree {
        at: first,
        thrown: 40,
        rule: Rule::Drawn,
        parents: &parents,
        lists: &slices,
        expected,
        stream: 0x5bec_0000,
    };
    let mut tree = tree.words();
    tree.resize(TREE_BYTES as usize / 4, 0);
    let mut words = step::step(&rows, &(first..first + n_want).collect::<Vec<_>>());
    [words[2], words[3]] = [random.bits() as u32, random.bits() as u32];
    let mut best = best;
    if shape.hostile {
        tree[TREE_LISTS..TREE_PAIRS].iter_mut().step_by(2).for_each(|word| *word = u32::MAX - 1);
        best.iter_mut().step_by(2).for_each(|id| *id |= 1 << 31);
    }
    let [top_p, min_p, inv_temperature] = shape.chain;
    let (top_k, log_min_p) = (shape.top_k, min_p.ln().max(-100.0));
    let params = SampleParams { top_k, top_p, min_p, log_min_p, inv_temperature, ..SampleParams::NEUTRAL };
    Ok(Case {
        bound: vec![
            Bound::input("stats", bytemuck::cast_slice(&stats).to_vec()),
            Bound::input("picked", bytemuck::cast_slice(&picked).to_vec()),
            Bound::input("tree", tree),
            Bound::input("params", bytemuck::cast_slice(&[params]).to_vec()),
            Bound::input("best", best),
            Bound::written("walked", WALKED_BYTES as usize / 4, Exact),
            Bound::input("step", words),
        ],
        expected: Vec::new(),
        build: Box::new(move |slices, _| {
            let [stats, picked, tree, params, best, walked, step] = slices else { return Ok(Vec::new()) };
            let judged = Some(Judged { params, best });
            Ok(vec![walk_op(&WalkArgs { step, stats, picked, tree, judged, walked, n_vocab, n_want })?])
        }),
    })
}
