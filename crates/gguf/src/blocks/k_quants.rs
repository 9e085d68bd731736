//! K-quants: 256 elements in groups of 16 or 32, each with its own small integer scale.

use super::{field, nibble, scale};

pub(super) fn q2_k(block: &[u8; 84], out: &mut [f32; 256]) {
    let sc: [u8; 16] = field(block, 0);
    let qs: [u8; 64] = field(block, 16);
    let (d, dmin) = (scale(block, 80), scale(block, 82));
    for (g, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let (dl, ml) = (d * f32::from(nibble(sc[g], 0)), dmin * f32::from(nibble(sc[g], 1)));
        for (l, x) in out.iter_mut().enumerate() {
            *x = dl * f32::from(two_bits(&qs, g, l)) - ml;
        }
    }
}

pub(super) fn q3_k(block: &[u8; 110], out: &mut [f32; 256]) {
    let high: [u8; 32] = field(block, 0);
    let qs: [u8; 64] = field(block, 32);
    let sc: [u8; 12] = field(block, 96);
    let d = scale(block, 108);
    for (g, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let s = nibble(sc[g % 8], g / 8) | ((sc[8 + g % 4] >> (2 * (g / 4))) & 3) << 4;
        let dl = d * (f32::from(s) - 32.0);
        for (l, x) in out.iter_mut().enumerate() {
            // A clear bit subtracts 4.
            let bit = (high[16 * (g % 2) + l] >> (g / 2)) & 1;
            *x = dl * (f32::from(two_bits(&qs, g, l) | bit << 2) - 4.0);
        }
    }
}

pub(super) fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    let (d, dmin) = (scale(block, 0), scale(block, 2));
    let sc: [u8; 12] = field(block, 4);
    let qs: [u8; 128] = field(block, 16);
    for (j, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (s, m) = scale_and_min(&sc, j);
        let (dl, ml) = (d * s, dmin * m);
        for (l, x) in out.iter_mut().enumerate() {
            *x = dl * f32::from(nibble(qs[32 * (j / 2) + l], j % 2)) - ml;
        }
    }
}

pub(super) fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let (d, dmin) = (scale(block, 0), scale(block, 2));
    let sc: [u8; 12] = field(block, 4);
    let high: [u8; 32] = field(block, 16);
    let qs: [u8; 128] = field(block, 48);
    for (j, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (s, m) = scale_and_min(&sc, j);
        let (dl, ml) = (d * s, dmin * m);
        for (l, x) in out.iter_mut().enumerate() {
            let q = nibble(qs[32 * (j / 2) + l], j % 2) | ((high[l] >> j) & 1) << 4;
            *x = dl * f32::from(q) - ml;
        }
    }
}

pub(super) fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let low: [u8; 128] = field(block, 0);
    let high: [u8; 64] = field(block, 128);
    let sc: [u8; 16] = field(block, 192);
    let d = scale(block, 208);
    for (g, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let dl = d * f32::from(sc[g].cast_signed());
        // Each half of the block has four runs of 32 elements: two in low nibbles, two in high ones.
        let (h, run) = (g / 8, g % 8 / 2);
        for (l, x) in out.iter_mut().enumerate() {
            let l = 16 * (g % 2) + l;
            let lo = nibble(low[64 * h + 32 * (run % 2) + l], run / 2);
            let hi = (high[32 * h + l] >> (2 * run)) & 3;
            *x = dl * (f32::from(lo | hi << 4) - 32.0);
        }
    }
}

/// Element `l` of group `g`: each half of the block has four runs of 32 elements in ascending bit pairs.
#[inline]
fn two_bits(qs: &[u8; 64], g: usize, l: usize) -> u8 {
    (qs[32 * (g / 8) + 16 * (g % 2) + l] >> (2 * (g % 8 / 2))) & 3
}

/// The 6-bit scale and minimum of group `j` of eight; those of the last four are split over two bytes each.
#[inline]
fn scale_and_min(sc: &[u8; 12], j: usize) -> (f32, f32) {
    let (s, m) = if j < 4 {
        (sc[j] & 63, sc[j + 4] & 63)
    } else {
        (nibble(sc[j + 4], 0) | (sc[j - 4] >> 6) << 4, nibble(sc[j + 4], 1) | (sc[j] >> 6) << 4)
    };
    (f32::from(s), f32::from(m))
}
