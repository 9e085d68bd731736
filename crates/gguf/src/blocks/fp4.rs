//! Four-bit floats with shared scales: MXFP4 (one power of two per 32 elements) and NVFP4 (one 8-bit float per 16).

use super::{field, nibble};

/// Twice the value of each E2M1 code, so that they are whole; the scales are halved to match. The reference keeps
/// them as integers: the code of minus zero is plus zero.
const E2M1_DOUBLED: [f32; 16] =
    [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 0.0, -1.0, -2.0, -3.0, -4.0, -6.0, -8.0, -12.0];

pub(super) fn mxfp4(block: &[u8; 17], out: &mut [f32; 32]) {
    let d = half_e8m0(block[0]);
    let qs: [u8; 16] = field(block, 1);
    for (i, q) in qs.into_iter().enumerate() {
        out[i] = d * E2M1_DOUBLED[usize::from(nibble(q, 0))];
        out[i + 16] = d * E2M1_DOUBLED[usize::from(nibble(q, 1))];
    }
}

pub(super) fn nvfp4(block: &[u8; 36], out: &mut [f32; 64]) {
    let sc: [u8; 4] = field(block, 0);
    for (g, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let d = half_ue4m3(sc[g]);
        let qs: [u8; 8] = field(block, 4 + 8 * g);
        for (i, q) in qs.into_iter().enumerate() {
            out[i] = d * E2M1_DOUBLED[usize::from(nibble(q, 0))];
            out[i + 8] = d * E2M1_DOUBLED[usize::from(nibble(q, 1))];
        }
    }
}

/// 2^(e - 128); the two smallest are subnormal.
#[inline]
fn half_e8m0(e: u8) -> f32 {
    f32::from_bits(if e < 2 { 0x0020_0000 << e } else { u32::from(e - 1) << 23 })
}

/// Half of an unsigned E4M3 number; the sign bit is ignored, and the NaN code 0x7F is zero.
#[inline]
fn half_ue4m3(x: u8) -> f32 {
    let (exponent, mantissa) = (u32::from(x >> 3 & 15), f32::from(x & 7));
    if x == 0x7F {
        0.0
    } else if exponent == 0 {
        mantissa / 1024.0
    } else {
        // (1 + m/8) * 2^(e - 7) / 2
        (8.0 + mantissa) * f32::from_bits((exponent + 127 - 11) << 23)
    }
}
