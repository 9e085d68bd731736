//! Cells of a cache, for cases whose keys are halves or floats.

use goldcrest_kernels::ops::rope_kv::{HeadShape, KeyType};
use half::f16;

use super::compare::Compare;
use super::random::Random;

/// Elements of the keys of a cell, and so of its values.
pub(super) const fn width(heads: &HeadShape) -> usize {
    (heads.n_head_kv * heads.head_dim) as usize
}

/// Words of a cell.
pub(super) fn words(heads: &HeadShape) -> usize {
    heads.kv_bytes() as usize / 4 / heads.n_cells as usize
}

/// How caches are compared; what they hold, too.
pub(super) fn compare(heads: &HeadShape) -> Compare {
    match heads.keys {
        KeyType::F16 => Compare::Halves,
        KeyType::F32 => Compare::Cells { keys: width(heads) },
    }
}

/// One cell of random contents.
pub(super) fn random(heads: &HeadShape, random: &mut Random) -> Vec<u32> {
    let key: Vec<f64> = (0..width(heads)).map(|_| random.normal().into()).collect();
    let value: Vec<f64> = (0..width(heads)).map(|_| random.normal().into()).collect();
    stored(heads, &[key, value].concat())
}

/// Keys and values of cells as the cache holds them.
pub(super) fn stored(heads: &HeadShape, elements: &[f64]) -> Vec<u32> {
    let halves = |elements: &[f64]| -> Vec<u32> {
        let word = |pair: &[f64; 2]| {
            let [low, high] = pair.map(|v| u32::from(f16::from_f64(v.clamp(-65504.0, 65504.0)).to_bits()));
            high << 16 | low
        };
        elements.as_chunks::<2>().0.iter().map(word).collect()
    };
    let cell = |cell: &[f64]| match heads.keys {
        KeyType::F16 => halves(cell),
        KeyType::F32 => {
            let (keys, values) = cell.split_at(width(heads));
            keys.iter().map(|v| (*v as f32).to_bits()).chain(halves(values)).collect()
        }
    };
    elements.chunks(2 * width(heads)).flat_map(cell).collect()
}
