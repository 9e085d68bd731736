//! Blocks of 256 with small integer scales: quants are gathered by chunk, scales unpacked to bytes.

use goldcrest_gguf::GgmlType;

use super::RepackError;
use super::group::{Group, bytes, nibbles, u16_at};

/// d@0, dmin@2, sc[12]@4, qs[128]@16.
pub(super) fn q4_k(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (b, block) in row.as_chunks::<144>().0.iter().enumerate() {
        scales_and_mins(group, b, u32::from_le_bytes(bytes(block, 0)), &bytes(block, 4));
        for j in 0..8 {
            group.quants(8 * b + j, 0, nibbles(|l| block[16 + 32 * (j / 2) + l] >> (4 * (j % 2))));
        }
    }
    Ok(())
}

/// d@0, dmin@2, sc[12]@4, qh[32]@16, qs[128]@48.
pub(super) fn q5_k(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (b, block) in row.as_chunks::<176>().0.iter().enumerate() {
        scales_and_mins(group, b, u32::from_le_bytes(bytes(block, 0)), &bytes(block, 4));
        let upper: [u8; 32] = bytes(block, 16);
        for j in 0..8 {
            group.quants(8 * b + j, 0, nibbles(|l| block[48 + 32 * (j / 2) + l] >> (4 * (j % 2))));
            let fifth = upper.iter().rev().fold(0, |bits, h| bits << 1 | u32::from(h >> j & 1));
            group.scale(b, 5 + j, fifth);
        }
    }
    Ok(())
}

/// ql[128]@0, qh[64]@128, sc[16]@192, d@208.
pub(super) fn q6_k(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (b, block) in row.as_chunks::<210>().0.iter().enumerate() {
        group.scale(b, 0, u16_at(block, 208));
        sixteen_bytes(group, b, &bytes(block, 192));
        for j in 0..8 {
            let (half, quarter) = (j / 4, j % 4);
            let low = |l: usize| block[64 * half + 32 * (quarter % 2) + l] >> (4 * (quarter / 2));
            group.quants(8 * b + j, 0, nibbles(low));
            for s in 0..2 {
                let upper = |l: usize| u32::from(block[128 + 32 * half + 16 * s + l] >> (2 * quarter) & 3);
                group.scale(b, 5 + 2 * j + s, (0..16).map(|l| upper(l) << (2 * l)).sum());
            }
        }
    }
    Ok(())
}

/// hm[32]@0, qs[64]@32, sc[12]@96, d@108. The quant is q + 4 where the mask bit is set: 0..8, less 4 in the kernel.
pub(super) fn q3_k(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (b, block) in row.as_chunks::<110>().0.iter().enumerate() {
        let sc: [u8; 12] = bytes(block, 96);
        let scale = |g: usize| {
            let six = (sc[g % 8] >> (4 * (g / 8)) & 15) | (sc[8 + g % 4] >> (2 * (g / 4)) & 3) << 4;
            six.wrapping_sub(32)
        };
        group.scale(b, 0, u16_at(block, 108));
        sixteen_bytes(group, b, &std::array::from_fn(scale));
        for j in 0..8 {
            let q = |l: usize| two_bits(&block[32..96], j, l) | (block[l] >> j & 1) << 2;
            group.quants(8 * b + j, 0, nibbles(q));
        }
    }
    Ok(())
}

/// sc[16]@0, qs[64]@16, d@80, dmin@82.
pub(super) fn q2_k(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (b, block) in row.as_chunks::<84>().0.iter().enumerate() {
        group.scale(b, 0, u32::from_le_bytes(bytes(block, 80)));
        sixteen_bytes(group, b, &bytes(block, 0));
        for j in 0..8 {
            group.quants(8 * b + j, 0, nibbles(|l| two_bits(&block[16..80], j, l)));
        }
    }
    Ok(())
}

/// Two-bit quant `l` of chunk `j`: four chunks share 32 bytes.
fn two_bits(qs: &[u8], j: usize, l: usize) -> u8 {
    qs[32 * (j / 4) + l] >> (2 * (j % 4)) & 3
}

/// The halves d and dmin, then eight pairs of six-bit scale and minimum as bytes.
fn scales_and_mins(group: &mut Group<'_>, b: usize, d_dmin: u32, sc: &[u8; 12]) {
    group.scale(b, 0, d_dmin);
    for j in 0..8 {
        let (scale, min) = if j < 4 {
            (sc[j] & 63, sc[j + 4] & 63)
        } else {
            (sc[j + 4] & 15 | sc[j - 4] >> 6 << 4, sc[j + 4] >> 4 | sc[j] >> 6 << 4)
        };
        let pair = u32::from(scale) | u32::from(min) << 8;
        group.scale(b, 1 + j / 2, pair << (16 * (j % 2)));
    }
}

/// Sixteen scale bytes, one per sixteen weights.
fn sixteen_bytes(group: &mut Group<'_>, b: usize, sc: &[u8; 16]) {
    for (i, word) in sc.as_chunks::<4>().0.iter().enumerate() {
        group.scale(b, 1 + i, u32::from_le_bytes(*word));
    }
}
