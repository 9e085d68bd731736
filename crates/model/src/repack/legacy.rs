//! Blocks of 32 with a half scale: quants are copied, scales paired with offsets.

use goldcrest_gguf::GgmlType;

use super::RepackError;
use super::group::{Group, bytes, centred, u16_at, words};

/// d@0, qs[16]@2; value d·(q − 8).
pub(super) fn q4_0(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (c, block) in row.as_chunks::<18>().0.iter().enumerate() {
        group.quants(c, 0, words(&bytes(block, 2)));
        group.scale(c, 0, centred(u16_at(block, 0), 8.0)?);
    }
    Ok(())
}

/// d@0, m@2, qs[16]@4; value d·q + m.
pub(super) fn q4_1(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (c, block) in row.as_chunks::<20>().0.iter().enumerate() {
        group.quants(c, 0, words(&bytes(block, 4)));
        group.scale(c, 0, u32::from_le_bytes(bytes(block, 0)));
    }
    Ok(())
}

/// d@0, qh@2, qs[16]@6; value d·(q − 16).
pub(super) fn q5_0(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (c, block) in row.as_chunks::<22>().0.iter().enumerate() {
        group.quants(c, 0, words(&bytes(block, 6)));
        group.scale(c, 0, centred(u16_at(block, 0), 16.0)?);
        group.scale(c, 1, u32::from_le_bytes(bytes(block, 2)));
    }
    Ok(())
}

/// d@0, m@2, qh@4, qs[16]@8; value d·q + m.
pub(super) fn q5_1(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (c, block) in row.as_chunks::<24>().0.iter().enumerate() {
        group.quants(c, 0, words(&bytes(block, 8)));
        group.scale(c, 0, u32::from_le_bytes(bytes(block, 0)));
        group.scale(c, 1, u32::from_le_bytes(bytes(block, 4)));
    }
    Ok(())
}

/// d@0, qs[32]@2; value d·q.
pub(super) fn q8_0(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (c, block) in row.as_chunks::<34>().0.iter().enumerate() {
        group.quants(c, 0, words(&bytes(block, 2)));
        group.quants(c, 1, words(&bytes(block, 18)));
        group.scale(c / 2, 0, u16_at(block, 0) << (16 * (c % 2)));
    }
    Ok(())
}
