//! Records read from and written to bindings.

use std::cell::Cell;

use bytemuck::Pod;

use crate::step::{Header, ROWS_OFFSET, Row, WANT_OFFSET};

/// The record of type `T` that begins at word `at`.
pub(super) fn read<T: Pod>(words: &[Cell<u32>], at: usize) -> T {
    let mut value = T::zeroed();
    let into: &mut [u32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut value));
    for (word, cell) in into.iter_mut().zip(&words[at..]) {
        *word = cell.get();
    }
    value
}

/// Writes `value` from word `at`.
pub(super) fn write<T: Pod>(words: &[Cell<u32>], at: usize, value: T) {
    let from: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&value));
    for (word, cell) in from.iter().zip(&words[at..]) {
        cell.set(*word);
    }
}

/// Records of type `T` as an array.
pub(super) fn nth<T: Pod>(words: &[Cell<u32>], index: usize) -> T {
    read(words, index * size_of::<T>() / 4)
}

/// Wanted rows that a dispatch over `grid_rows` of them serves.
pub(super) fn n_want(step: &[Cell<u32>], grid_rows: u32) -> usize {
    read::<Header>(step, 0).n_want.min(grid_rows) as usize
}

/// The row of wanted row `w`.
pub(super) fn wanted_row(step: &[Cell<u32>], w: usize) -> Row {
    let first = ROWS_OFFSET as usize / 4;
    let words = size_of::<Row>() / 4;
    let last = ((step.len() - first) / words).saturating_sub(1);
    let index = (step[WANT_OFFSET as usize / 4 + w].get() as usize).min(last);
    read(step, first + index * words)
}

/// As `order_key` in `shaders/common/sampling.wgsl`: larger floats have larger keys, and the two zeros one key.
pub(super) fn order_key(bits: u32) -> u32 {
    match bits {
        0x8000_0000 => 0x8000_0000,
        b if b >> 31 == 1 => !b,
        b => b | 0x8000_0000,
    }
}

/// The float of a key.
pub(super) fn order_logit(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & 0x7fff_ffff } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_as_floats_are() {
        let floats = [f32::MIN, -2.5, -1e-40, -f32::MIN_POSITIVE, 0.0, 1e-45, 1.0, f32::MAX];
        for a in floats {
            for b in floats {
                assert_eq!(order_key(a.to_bits()).cmp(&order_key(b.to_bits())), a.total_cmp(&b), "{a} {b}");
            }
            assert_eq!(order_logit(order_key(a.to_bits())), a);
        }
        assert_eq!(order_key((-0.0f32).to_bits()), order_key(0));
        assert!(order_key(f32::MIN.to_bits()) > 0);
    }
}
