//! Every block type, repacked and read by the CPU twin, equals the decoder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::cell::Cell;

use goldcrest_gguf::{GgmlType, GgufError, dequantize};
use goldcrest_kernels::cpu::dequant::Planes;
use goldcrest_kernels::{Format, PlaneLayout};
use goldcrest_model::repack::{RepackError, repack_group, target};

/// Byte offsets of the half-precision fields of a block.
fn half_fields(ty: GgmlType) -> &'static [usize] {
    match ty {
        GgmlType::Q4_0 | GgmlType::Q5_0 | GgmlType::Q8_0 | GgmlType::IQ4_NL | GgmlType::IQ4_XS => &[0],
        GgmlType::Q4_1 | GgmlType::Q5_1 | GgmlType::Q4_K | GgmlType::Q5_K => &[0, 2],
        GgmlType::Q2_K => &[80, 82],
        GgmlType::Q3_K => &[108],
        GgmlType::Q6_K => &[208],
        GgmlType::TQ1_0 => &[52],
        GgmlType::TQ2_0 => &[64],
        _ => &[],
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    /// Random blocks with scales of either sign up to 4,000, subnormal ones included.
    fn row(&mut self, ty: GgmlType, k: u64) -> Vec<u8> {
        let mut row: Vec<u8> = (0..ty.size_of(k).unwrap()).map(|_| (self.next() >> 24) as u8).collect();
        for block in row.chunks_exact_mut(ty.block_bytes() as usize) {
            for &at in half_fields(ty) {
                let exponent = self.next() % 27;
                let bits = (self.next() as u16 & 0x83ff) | (exponent as u16) << 10;
                block[at..at + 2].copy_from_slice(&bits.to_le_bytes());
            }
        }
        row
    }
}

fn repacked(
    ty: GgmlType,
    rows: [Option<&[u8]>; 8],
    layout: &PlaneLayout,
) -> Result<Vec<Vec<f32>>, RepackError> {
    // Words of an earlier tensor must not shine through.
    let mut wq = vec![u32::MAX; layout.wq_group_bytes() as usize / 4];
    let mut ws = vec![u32::MAX; layout.ws_group_bytes() as usize / 4];
    repack_group(ty, rows, layout, &mut wq, &mut ws)?;
    let cells = |words: Vec<u32>| words.into_iter().map(Cell::new).collect::<Vec<_>>();
    let (wq, ws) = (cells(wq), cells(ws));
    let planes = Planes { wq: &wq, ws: &ws, layout: *layout };
    let row = |r| (0..layout.n_chunk as usize).flat_map(|c| planes.dequant(0, c, r)).collect();
    Ok((0..8).map(row).collect())
}

/// Bit equality, but zeros of either sign are the same and so are all NaNs.
fn assert_same(a: &[f32], b: &[f32], context: &str) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        let same = a.to_bits() == b.to_bits() || (*a == 0.0 && *b == 0.0) || (a.is_nan() && b.is_nan());
        assert!(same, "{context}: element {i} is {a:e}, the decoder says {b:e}");
    }
}

fn decoded(ty: GgmlType, row: &[u8], k: u32) -> Vec<f32> {
    let mut values = vec![0.0; k as usize];
    dequantize(ty, row, &mut values).unwrap();
    values
}

#[test]
fn planes_hold_what_the_decoder_reads() {
    let mut random = Random(11);
    let mut n_types = 0;
    for &ty in GgmlType::ALL {
        let Some(encoding) = target(ty) else { continue };
        n_types += 1;
        // An odd number of chunks and of 64s where the blocks allow it.
        for k in [32, 96, 64, 256, 768].into_iter().filter(|k| u64::from(*k) % ty.block_len() == 0) {
            for format in [encoding.format, Format::F32] {
                let rows: Vec<_> = (0..8).map(|_| random.row(ty, k.into())).collect();
                // The last row of a matrix whose rows are not a multiple of eight.
                let given = std::array::from_fn(|r| (r < 5).then_some(rows[r].as_slice()));
                let found = repacked(ty, given, &format.planes(8, k)).unwrap();
                for (r, row) in rows.iter().enumerate() {
                    let wanted = if r < 5 { decoded(ty, row, k) } else { vec![0.0; k as usize] };
                    assert_same(&found[r], &wanted, &format!("{ty} as {} k={k} row {r}", format.name()));
                }
            }
        }
    }
    assert_eq!(n_types, 24);
}

#[test]
fn scales_beyond_a_half_ask_for_f32() {
    // 8·10000 and 16·5000 overflow; infinity times the zero code is no number.
    for (ty, scale) in [
        (GgmlType::Q4_0, 10_000.0),
        (GgmlType::Q5_0, 5000.0),
        (GgmlType::Q4_0, f32::INFINITY),
        (GgmlType::TQ1_0, f32::NAN),
        (GgmlType::TQ2_0, f32::NEG_INFINITY),
    ] {
        let mut row = Random(5).row(ty, 256);
        let at = half_fields(ty)[0];
        row[at..at + 2].copy_from_slice(&half::f16::from_f32(scale).to_le_bytes());
        let rows = [Some(row.as_slice()), None, None, None, None, None, None, None];
        let native = target(ty).unwrap().format.planes(8, 256);
        assert_eq!(repacked(ty, rows, &native), Err(RepackError::Inexact), "{ty} {scale}");
        let kept = repacked(ty, rows, &Format::F32.planes(8, 256)).unwrap();
        assert_same(&kept[0], &decoded(ty, &row, 256), "kept as f32");
    }
}

#[test]
fn what_cannot_be_repacked_is_refused() {
    for ty in [GgmlType::IQ1_S, GgmlType::IQ2_XXS, GgmlType::IQ3_S, GgmlType::Q8_1, GgmlType::Q8_K] {
        assert_eq!(target(ty), None);
        let f32 = Format::F32.planes(8, 256);
        let refused = repacked(ty, [None; 8], &f32);
        assert_eq!(refused, Err(RepackError::UnsupportedType { ty, format: Format::F32 }));
    }
    let wrong = repacked(GgmlType::Q4_0, [None; 8], &Format::Q8.planes(8, 32));
    assert_eq!(wrong, Err(RepackError::UnsupportedType { ty: GgmlType::Q4_0, format: Format::Q8 }));
    let short = [0; 17];
    let rows = [Some(short.as_slice()), None, None, None, None, None, None, None];
    let wrong = repacked(GgmlType::Q4_0, rows, &Format::Q4.planes(8, 32));
    let mismatch = GgufError::BlockSizeMismatch { ty: GgmlType::Q4_0, n_bytes: 17, n_elements: 32 };
    assert_eq!(wrong, Err(RepackError::Gguf(mismatch)));
}
