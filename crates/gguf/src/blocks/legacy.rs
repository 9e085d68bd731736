//! The first block types: 32 elements, one scale. In the 4- and 5-bit ones, byte `i` holds elements `i` and `i + 16`.

use super::{field, nibble, scale};

pub(super) fn q4_0(block: &[u8; 18], out: &mut [f32; 32]) {
    let d = scale(block, 0);
    let qs: [u8; 16] = field(block, 2);
    for (i, q) in qs.into_iter().enumerate() {
        out[i] = d * (f32::from(nibble(q, 0)) - 8.0);
        out[i + 16] = d * (f32::from(nibble(q, 1)) - 8.0);
    }
}

pub(super) fn q4_1(block: &[u8; 20], out: &mut [f32; 32]) {
    let (d, m) = (scale(block, 0), scale(block, 2));
    let qs: [u8; 16] = field(block, 4);
    for (i, q) in qs.into_iter().enumerate() {
        out[i] = d * f32::from(nibble(q, 0)) + m;
        out[i + 16] = d * f32::from(nibble(q, 1)) + m;
    }
}

pub(super) fn q5_0(block: &[u8; 22], out: &mut [f32; 32]) {
    let d = scale(block, 0);
    let q5 = five_bits(field(block, 2), field(block, 6));
    for (x, q) in out.iter_mut().zip(q5) {
        *x = d * (f32::from(q) - 16.0);
    }
}

pub(super) fn q5_1(block: &[u8; 24], out: &mut [f32; 32]) {
    let (d, m) = (scale(block, 0), scale(block, 2));
    let q5 = five_bits(field(block, 4), field(block, 8));
    for (x, q) in out.iter_mut().zip(q5) {
        *x = d * f32::from(q) + m;
    }
}

pub(super) fn q8_0(block: &[u8; 34], out: &mut [f32; 32]) {
    let d = scale(block, 0);
    let qs: [u8; 32] = field(block, 2);
    for (x, q) in out.iter_mut().zip(qs) {
        *x = d * f32::from(q.cast_signed());
    }
}

/// Element `i` takes its fifth bit from bit `i` of `high`.
#[inline]
fn five_bits(high: [u8; 4], low: [u8; 16]) -> [u8; 32] {
    let high = u32::from_le_bytes(high);
    std::array::from_fn(|i| nibble(low[i % 16], i / 16) | ((high >> i) as u8 & 1) << 4)
}
