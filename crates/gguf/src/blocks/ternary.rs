//! Ternary types: each element is -1, 0 or 1 times the block's scale.

use super::{field, scale};

/// Five elements a byte: the byte is 256/243 times a base-3 number, rounded up, so that multiplying by 3 pushes its
/// leading digit over 256.
pub(super) fn tq1_0(block: &[u8; 54], out: &mut [f32; 256]) {
    let d = scale(block, 52);
    let (first, rest) = out.split_at_mut(160);
    let (second, third) = rest.split_at_mut(80);
    digits(d, &block[..32], first);
    digits(d, &block[32..48], second);
    digits(d, &block[48..52], third);
}

/// Two bits an element, in the order of `Q2_K`.
pub(super) fn tq2_0(block: &[u8; 66], out: &mut [f32; 256]) {
    let d = scale(block, 64);
    let qs: [u8; 64] = field(block, 0);
    for (run, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        for (l, x) in out.iter_mut().enumerate() {
            let q = (qs[32 * (run / 4) + l] >> (2 * (run % 4))) & 3;
            *x = d * (f32::from(q) - 1.0);
        }
    }
}

/// First digits of all bytes, then second digits, until `out` is full.
fn digits(d: f32, bytes: &[u8], out: &mut [f32]) {
    let mut power = 1u8;
    for out in out.chunks_mut(bytes.len()) {
        for (x, byte) in out.iter_mut().zip(bytes) {
            let digit = (u16::from(byte.wrapping_mul(power)) * 3) >> 8;
            *x = d * (f32::from(digit) - 1.0);
        }
        power = power.wrapping_mul(3);
    }
}
