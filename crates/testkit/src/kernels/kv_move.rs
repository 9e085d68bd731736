//! `kv_move` against moves one after the other, keys as complex numbers.

use goldcrest_kernels::ops::kv_move::{KvMoveArgs, Move, kv_move, move_list};
use goldcrest_kernels::ops::rope_kv::{HeadShape, KeyType, Pairing, Rope};
use serde::Deserialize;

use super::case::{Bound, Case};
use super::cells;
use super::compare::Compare;
use super::random::Random;
use super::rope_kv::{table, turn};
use super::row::{Row, RowError};

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Moves {
    /// To other cells, bits unchanged.
    Copy,
    /// In place, by `delta`.
    Shift,
    /// Each cell one to the left and one position back, the next reads what the one before wrote around.
    Slide,
    /// Cells beyond the end, and more moves than the list holds.
    Hostile,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    /// Key heads, elements of a head.
    heads: [u32; 2],
    /// Leading elements that turn; 0 for no rotation.
    n_rot: u32,
    #[serde(default)]
    neox: bool,
    moves: Moves,
    n: u32,
    /// Keys as floats.
    #[serde(default)]
    wide: bool,
    #[serde(default)]
    delta: i32,
    /// The table carries this attention factor, which must not be applied again.
    #[serde(default = "one")]
    factor: f32,
}

fn one() -> f32 {
    1.0
}

const N_POS: u32 = 512;

pub(super) fn case(row: &Row) -> Result<Case, RowError> {
    let shape: Shape = row.shape()?;
    let [n_head_kv, head_dim] = shape.heads;
    let mut random = row.random();
    let n_cells = 2 * shape.n + 2;
    let keys = if shape.wide { KeyType::F32 } else { KeyType::F16 };
    let heads = HeadShape { n_head: n_head_kv, n_head_kv, head_dim, n_cells, keys };
    let kv: Vec<u32> = (0..n_cells).flat_map(|_| cells::random(&heads, &mut random)).collect();
    let moves = moves(&shape, n_cells, &mut random);
    let mut list = move_list(&moves);
    if shape.moves == Moves::Hostile {
        list[0] = u32::MAX;
    }
    let compare = cells::compare(&heads);
    let mut values = compare.values(&kv);
    let (dim, cell) = (head_dim as usize, 2 * (n_head_kv * head_dim) as usize);
    for m in &moves {
        let [src, dst] = [m.src, m.dst].map(|c| c.min(n_cells - 1) as usize * cell);
        let mut content = values[src..src + cell].to_vec();
        if m.delta != 0 {
            let pos = f64::from(m.delta).clamp(-f64::from(N_POS - 1), f64::from(N_POS - 1));
            content[..cell / 2].chunks_mut(dim).for_each(|head| turn(head, pos, shape.n_rot, shape.neox));
            content = compare.values(&cells::stored(&heads, &content));
        }
        values[dst..dst + cell].copy_from_slice(&content);
    }
    // Without rotation the bits themselves have to move.
    let exact = moves.iter().all(|m| m.delta == 0);
    let compare = if exact { Compare::Exact } else { compare };
    if exact {
        values = cells::stored(&heads, &values).into_iter().map(f64::from).collect();
    }
    let rope: Vec<f32> = table(N_POS, shape.n_rot.max(2)).iter().map(|v| v * shape.factor).collect();
    Ok(Case {
        bound: vec![
            Bound::changed("kv", kv, compare),
            Bound::input("moves", list),
            Bound::floats("rope", &rope),
        ],
        expected: vec![(0, values)],
        build: Box::new(move |slices, profile| {
            let [kv, moves, table] = slices else { return Ok(Vec::new()) };
            let pairing = if shape.neox { Pairing::Neox } else { Pairing::Adjacent };
            let rope = Rope { table, n_pos: N_POS, n_rot: shape.n_rot, pairing };
            let args = KvMoveArgs {
                kv,
                moves,
                rope: (shape.n_rot > 0).then_some(rope),
                shape: heads,
                max_moves: shape.n,
                ordered: matches!(shape.moves, Moves::Slide | Moves::Hostile),
            };
            Ok(vec![kv_move(&args, profile)?])
        }),
    })
}

fn moves(shape: &Shape, n_cells: u32, random: &mut Random) -> Vec<Move> {
    let cells = random.permutation(n_cells);
    let cells = |i: u32| cells[i as usize];
    let one = |i: u32| match shape.moves {
        Moves::Copy => Move { src: cells(2 * i), dst: cells(2 * i + 1), delta: 0, reserved: 0 },
        Moves::Shift => {
            Move { src: cells(i), dst: cells(i), delta: shape.delta * (1 - 2 * (i as i32 % 2)), reserved: 0 }
        }
        Moves::Slide => Move { src: i + 1, dst: i, delta: shape.delta, reserved: 0 },
        Moves::Hostile => match i % 3 {
            0 => Move { src: u32::MAX, dst: i, delta: i32::MIN, reserved: 0 },
            1 => Move { src: i, dst: u32::MAX - i, delta: i32::MAX, reserved: 0 },
            _ => Move { src: 1 << 31, dst: i, delta: 3, reserved: 0 },
        },
    };
    (0..shape.n).map(one).collect()
}
