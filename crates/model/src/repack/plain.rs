//! Floats, and whatever the decoder turns into floats.

use goldcrest_gguf::{GgmlType, dequantize};

use super::RepackError;
use super::group::{Group, words};

/// 16-bit values, as they are.
pub(super) fn pairs(_: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    for (i, bytes) in row.as_chunks::<16>().0.iter().enumerate() {
        group.quants(i / 4, i % 4, words(bytes));
    }
    Ok(())
}

pub(super) fn to_f32(ty: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    let values = decode(ty, row, group)?;
    for (i, four) in values.as_chunks::<4>().0.iter().enumerate() {
        group.quants(i / 8, i % 8, four.map(f32::to_bits));
    }
    Ok(())
}

pub(super) fn to_bf16(ty: GgmlType, row: &[u8], group: &mut Group<'_>) -> Result<(), RepackError> {
    let values = decode(ty, row, group)?;
    if values.iter().any(|v| v.to_bits() & 0xffff != 0) {
        return Err(RepackError::Inexact);
    }
    for (i, eight) in values.as_chunks::<8>().0.iter().enumerate() {
        let pair = |w: usize| eight[2 * w].to_bits() >> 16 | eight[2 * w + 1].to_bits();
        group.quants(i / 4, i % 4, std::array::from_fn(pair));
    }
    Ok(())
}

fn decode(ty: GgmlType, row: &[u8], group: &Group<'_>) -> Result<Vec<f32>, RepackError> {
    let mut values = vec![0.0; group.layout.n_chunk as usize * 32];
    dequantize(ty, row, &mut values)?;
    Ok(values)
}
