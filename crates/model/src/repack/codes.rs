//! Four-bit code books: quants are copied, scales become f32.

use goldcrest_gguf::GgmlType;

use super::RepackError;
use super::group::{Group, bytes, f16_at, u16_at, words};

/// d@0, qs[16]@2.
pub(super) fn iq4_nl(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (c, block) in row.as_chunks::<18>().0.iter().enumerate() {
        group.quants(c, 0, words(&bytes(block, 2)));
        group.scale(c, 0, f16_at(block, 0).to_bits());
    }
    Ok(())
}

/// d@0, upper scale bits@2, lower nibbles[4]@4, qs[128]@8. A half times a six-bit scale fits an f32.
pub(super) fn iq4_xs(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (b, block) in row.as_chunks::<136>().0.iter().enumerate() {
        let (d, upper) = (f16_at(block, 0), u16_at(block, 2));
        for j in 0..8 {
            let low = u32::from(block[4 + j / 2] >> (4 * (j % 2))) & 15;
            let scale = (low | (upper >> (2 * j) & 3) << 4) as f32 - 32.0;
            group.quants(8 * b + j, 0, words(&bytes(block, 8 + 16 * j)));
            group.scale(8 * b + j, 0, (d * scale).to_bits());
        }
    }
    Ok(())
}

/// e@0, qs[16]@1. The scale is 2^(e − 128), as the code book holds twice the values; the two smallest are subnormal.
pub(super) fn mxfp4(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (c, block) in row.as_chunks::<17>().0.iter().enumerate() {
        let e = u32::from(block[0]);
        group.quants(c, 0, words(&bytes(block, 1)));
        group.scale(c, 0, if e < 2 { 0x0020_0000 << e } else { (e - 1) << 23 });
    }
    Ok(())
}
