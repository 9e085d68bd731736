//! `attention_one`: norm, rotation, store and attention of one row, against the same in f64.

use goldcrest_kernels::ops::attention::{AttentionArgs, Entry, SPLITS, attention_one, attention_split};
use goldcrest_kernels::ops::rope_kv::{HeadShape, KeyType, Pairing, QkNorm, Rope};
use goldcrest_kernels::step::{IDENTITY, Row as StepRow};
use half::f16;
use serde::Deserialize;

use super::attention::{attend, attend_part};
use super::case::{Bound, Case, POISON_U32};
use super::cells;
use super::compare::Compare;
use super::random::Values;
use super::rope_kv::{EPS, normed, table as angles, turn};
use super::row::{Row, RowError};
use super::step;

const N_POS: u32 = 300;
/// Keys of a tile, which splits take in turn.
const TILE: usize = 64;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    /// Query heads, key heads, elements of a head.
    heads: [u32; 3],
    /// Entries, the row's own being the last.
    len: u32,
    /// Leading elements that turn; 0 for no rotation.
    n_rot: u32,
    #[serde(default)]
    neox: bool,
    #[serde(default)]
    norm: bool,
    /// Cells through a table instead of in a row.
    #[serde(default)]
    table: bool,
    /// The first entry that the row sees.
    #[serde(default)]
    from: u32,
    #[serde(default)]
    softcap: f32,
    #[serde(default)]
    values: Values,
    /// Keys as floats; then the row's own value is exact as halves, so that only keys can be off.
    #[serde(default)]
    wide: bool,
    /// In the form for long contexts.
    #[serde(default)]
    split: bool,
    /// Position, cell and range beyond every end.
    #[serde(default)]
    hostile: bool,
}

pub(super) fn case(row: &Row) -> Result<Case, RowError> {
    let shape: Shape = row.shape()?;
    let [n_head, n_head_kv, head_dim] = shape.heads;
    let mut random = row.random();
    let n_cells = shape.len + 5;
    let keys = if shape.wide { KeyType::F32 } else { KeyType::F16 };
    let heads = HeadShape { n_head, n_head_kv, head_dim, n_cells, keys };
    let stride = heads.qkv_width();
    let mut qkv = random.values(stride as usize, shape.values);
    if shape.wide {
        let values = &mut qkv[((n_head + n_head_kv) * head_dim) as usize..];
        values.iter_mut().for_each(|v| *v = f16::from_f32(*v).to_f32());
    }
    let weights = random.weights(2 * head_dim as usize);
    let order: Vec<u32> =
        if shape.table { random.permutation(n_cells) } else { (3..n_cells).chain(0..3).collect() };
    let seen: Vec<usize> = if shape.hostile {
        (shape.from..n_cells).map(|_| n_cells as usize - 1).collect()
    } else {
        order[shape.from as usize..shape.len as usize].iter().map(|c| *c as usize).collect()
    };
    let own = if shape.hostile { n_cells as usize - 1 } else { order[shape.len as usize - 1] as usize };
    let (dim, width) = (head_dim as usize, (n_head_kv * head_dim) as usize);
    // Cells that the row does not see, and its own before it is stored, hold NaN: they must not reach a sum.
    let mut kv = vec![POISON_U32; heads.kv_bytes() as usize / 4];
    let words = cells::words(&heads);
    for cell in seen.iter().filter(|cell| **cell != own) {
        kv[cell * words..(cell + 1) * words].copy_from_slice(&cells::random(&heads, &mut random));
    }
    let pos = if shape.hostile { u32::MAX } else { random.below(N_POS) };
    let step_row = match shape.hostile {
        true => StepRow {
            pos,
            cell: u32::MAX,
            table: IDENTITY,
            base: u32::MAX / 2,
            lo: shape.from,
            hi: u32::MAX,
            ..step::row()
        },
        false => {
            let (start, base) = if shape.table { (7, POISON_U32) } else { (IDENTITY, 3) };
            StepRow {
                pos,
                cell: own as u32,
                table: start,
                base,
                lo: shape.from,
                hi: shape.len,
                ..step::row()
            }
        }
    };
    let table: Vec<u32> = [vec![POISON_U32; 7], order[..shape.len as usize].to_vec()].concat();

    let mut x: Vec<f64> = qkv.iter().map(|v| f64::from(*v)).collect();
    let n_turned = (n_head + n_head_kv) as usize;
    for (h, head) in x.chunks_mut(dim).take(n_turned).enumerate() {
        if shape.norm {
            normed(head, &weights[if h < n_head as usize { 0 } else { dim }..][..dim]);
        }
        turn(head, pos.min(N_POS - 1).into(), shape.n_rot, shape.neox);
    }
    let (q, own_kv) = x.split_at(n_head as usize * dim);
    let own_kv = cells::compare(&heads).values(&cells::stored(&heads, own_kv));
    let mut cache = cells::compare(&heads).values(&kv);
    cache[own * 2 * width..(own + 1) * 2 * width].copy_from_slice(&own_kv);
    let scale = 1.0 / (head_dim as f32).sqrt();
    let (mut expected, mut parts) = (Vec::new(), Vec::new());
    for (h, q) in q.chunks(dim).enumerate() {
        let at = h / (n_head / n_head_kv) as usize * dim;
        let factors = (scale, shape.softcap);
        expected.extend(attend(q, &seen, &cache, at, width, factors));
        for split in 0..SPLITS as usize {
            let mine = seen.chunks(TILE).skip(split).step_by(SPLITS as usize).flatten().copied();
            let (mixed, top, sum) = attend_part(q, &mine.collect::<Vec<_>>(), &cache, at, width, factors);
            parts.extend(mixed);
            parts.extend([top, sum]);
        }
    }
    let mut stored = vec![f64::NAN; cache.len()];
    stored[own * 2 * width..(own + 1) * 2 * width].copy_from_slice(&own_kv);
    if !shape.split {
        // Untouched where there is one workgroup a head.
        parts = vec![f64::NAN; parts.len()];
    }
    Ok(Case {
        bound: vec![
            Bound::floats("qkv", &qkv),
            Bound::changed("kv", kv, cells::compare(&heads)),
            Bound::input("table", table),
            Bound::input("step", step::step(&[step_row], &[])),
            Bound::written("out", expected.len(), Compare::Floats),
            Bound::floats("qk_norm", &weights),
            Bound::floats("rope", &angles(N_POS, shape.n_rot.max(2))),
            Bound::written("parts", parts.len(), Compare::Floats),
        ],
        expected: vec![(1, stored), (4, expected), (7, parts)],
        build: Box::new(move |slices, profile| {
            let [qkv, kv, table, step, out, weight, angles, parts] = slices else { return Ok(Vec::new()) };
            let args = AttentionArgs {
                step,
                qkv,
                kv,
                table,
                out,
                shape: heads,
                n_rows: 1,
                stride,
                out_stride: n_head * head_dim,
                sliding: false,
                scale,
                softcap: shape.softcap,
            };
            let pairing = if shape.neox { Pairing::Neox } else { Pairing::Adjacent };
            let rope = Rope { table: angles, n_pos: N_POS, n_rot: shape.n_rot, pairing };
            let entry = Entry {
                norm: if shape.norm { QkNorm::Head { weight, eps: EPS } } else { QkNorm::None },
                rope: (shape.n_rot > 0).then_some(rope),
            };
            if shape.split {
                return Ok(attention_split(&args, &entry, parts, profile)?.into());
            }
            Ok(vec![attention_one(&args, &entry, profile)?])
        }),
    })
}
