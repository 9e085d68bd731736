//! Elements −1, 0 and 1: four-bit quants 0, 1, 2 with offset −d.

use goldcrest_gguf::GgmlType;

use super::RepackError;
use super::group::{Group, centred, nibbles, u16_at};

/// Bytes of five base-3 digits, d@52.
pub(super) fn tq1_0(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (b, block) in row.as_chunks::<54>().0.iter().enumerate() {
        let scale = centred(u16_at(block, 52), 1.0)?;
        for j in 0..8 {
            group.quants(8 * b + j, 0, nibbles(|l| digit(block, 32 * j + l)));
            group.scale(8 * b + j, 0, scale);
        }
    }
    Ok(())
}

/// Two bits an element in the order of `Q2_K`, d@64.
pub(super) fn tq2_0(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (b, block) in row.as_chunks::<66>().0.iter().enumerate() {
        let scale = centred(u16_at(block, 64), 1.0)?;
        for j in 0..8 {
            group.quants(8 * b + j, 0, nibbles(|l| block[32 * (j / 4) + l] >> (2 * (j % 4)) & 3));
            group.scale(8 * b + j, 0, scale);
        }
    }
    Ok(())
}

/// Base-3 digit of element `i`: first digits of the first 32 bytes, then their second digits, …; then 16 bytes of five
/// digits, then 4 bytes of four. A byte is a number below 243 scaled to 256 and rounded up: multiplying by 3 pushes a
/// digit over the top.
fn digit(block: &[u8; 54], i: usize) -> u8 {
    let (byte, n) = match i {
        0..160 => (block[i % 32], i / 32),
        160..240 => (block[32 + (i - 160) % 16], (i - 160) / 16),
        _ => (block[48 + (i - 240) % 4], (i - 240) / 4),
    };
    let shifted = byte.wrapping_mul([1, 3, 9, 27, 81][n]);
    ((u16::from(shifted) * 3) >> 8) as u8
}
