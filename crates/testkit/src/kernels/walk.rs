//! `walk` against a walk over lists of children.

use goldcrest_kernels::ops::walk::{WalkArgs, walk as walk_op};
use goldcrest_kernels::sampling::{Picked, RowStats};
use goldcrest_kernels::step::{MAX_WANT, Row as StepRow};
use goldcrest_kernels::walking::{NO_ROW, Rule, TREE_ROWS, Tree, WALKED_BYTES};
use serde::Deserialize;

use super::case::{Bound, Case, POISON_U32};
use super::compare::Compare::Exact;
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
    let mut tree = Tree { at, thrown: 7, rule, parents: &parents }.words();

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
        (tree[0], tree[4], tree[5]) = (0, 0, 1);
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
            Ok(vec![walk_op(&WalkArgs { step, stats, picked, tree, walked, n_vocab, n_want })?])
        }),
    })
}
