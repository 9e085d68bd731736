//! Non-linear 4-bit types: a nibble selects one of 16 fixed values, denser around zero.

use super::{field, nibble, scale};

const VALUES: [f32; 16] = [
    -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0,
];

pub(super) fn iq4_nl(block: &[u8; 18], out: &mut [f32; 32]) {
    decode(scale(block, 0), &field(block, 2), out);
}

pub(super) fn iq4_xs(block: &[u8; 136], out: &mut [f32; 256]) {
    let d = scale(block, 0);
    let high = u16::from_le_bytes(field(block, 2));
    let low: [u8; 4] = field(block, 4);
    let qs: [u8; 128] = field(block, 8);
    let groups = qs.as_chunks::<16>().0.iter().zip(out.as_chunks_mut::<32>().0);
    for (j, (qs, out)) in groups.enumerate() {
        let s = nibble(low[j / 2], j % 2) | ((high >> (2 * j)) as u8 & 3) << 4;
        decode(d * (f32::from(s) - 32.0), qs, out);
    }
}

#[inline]
fn decode(d: f32, qs: &[u8; 16], out: &mut [f32; 32]) {
    for (i, &q) in qs.iter().enumerate() {
        out[i] = d * VALUES[usize::from(nibble(q, 0))];
        out[i + 16] = d * VALUES[usize::from(nibble(q, 1))];
    }
}
