//! Every decoder against the reference's results, bit for bit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_gguf::{GgmlType, GgufError, dequantize};

macro_rules! vectors {
    ($($ty:ident),*) => {
        const VECTORS: &[(GgmlType, &[u8])] =
            &[$((GgmlType::$ty, include_bytes!(concat!("data/", stringify!($ty), ".bin")))),*];
    };
}
vectors!(
    F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, TQ1_0, TQ2_0,
    MXFP4, NVFP4
);

/// Types without a decoder.
const UNSUPPORTED: [GgmlType; 11] = [
    GgmlType::Q8_1,
    GgmlType::Q8_K,
    GgmlType::IQ1_S,
    GgmlType::IQ1_M,
    GgmlType::IQ2_XXS,
    GgmlType::IQ2_XS,
    GgmlType::IQ2_S,
    GgmlType::IQ3_XXS,
    GgmlType::IQ3_S,
    GgmlType::Q1_0,
    GgmlType::Q2_0,
];

/// Types whose elements are numbers, not blocks of them; one "block" of a vector is 32 elements.
const PLAIN: [GgmlType; 8] = [
    GgmlType::F32,
    GgmlType::F16,
    GgmlType::BF16,
    GgmlType::F64,
    GgmlType::I8,
    GgmlType::I16,
    GgmlType::I32,
    GgmlType::I64,
];

#[test]
fn blocks_decode_bit_exactly() {
    for &(ty, file) in VECTORS {
        let n_blocks = u32_at(file, 0);
        let n_full = u32_at(file, 4);
        assert!(n_blocks >= 64);
        let units = if PLAIN.contains(&ty) { 32 } else { 1 };
        let block_bytes = usize::try_from(ty.block_bytes()).unwrap() * units;
        let block_len = usize::try_from(ty.block_len()).unwrap() * units;
        let (raw, rest) = file[8..].split_at(n_blocks * block_bytes);
        let (full, hashes) = rest.split_at(n_full * block_len * 4);
        assert_eq!(hashes.len(), n_blocks * 8);

        let mut out = vec![f32::NAN; n_blocks * block_len];
        dequantize(ty, raw, &mut out).unwrap();
        for (i, (got, want)) in out.iter().zip(full.as_chunks().0).enumerate() {
            assert_eq!(
                got.to_bits(),
                u32::from_le_bytes(*want),
                "{ty} block {} element {}",
                i / block_len,
                i % block_len
            );
        }
        for (i, (got, want)) in out.chunks(block_len).zip(hashes.as_chunks().0).enumerate() {
            assert_eq!(fnv1a(got), u64::from_le_bytes(*want), "{ty} block {i}: {got:?}");
        }
    }
}

#[test]
fn every_type_has_vectors_or_is_plain_or_is_refused() {
    for &ty in GgmlType::ALL {
        let known = VECTORS.iter().any(|(t, _)| *t == ty) || PLAIN.contains(&ty);
        let block = vec![0; usize::try_from(ty.block_bytes()).unwrap()];
        let mut out = vec![f32::NAN; usize::try_from(ty.block_len()).unwrap()];
        let result = dequantize(ty, &block, &mut out);
        match UNSUPPORTED.contains(&ty) {
            true => assert_eq!(result, Err(GgufError::UnsupportedType { ty })),
            false => assert_eq!((result, known), (Ok(()), true), "{ty}"),
        }
    }
}

#[test]
fn plain_numbers_become_floats() {
    fn check<const N: usize>(ty: GgmlType, bytes: [u8; N], want: f32) {
        let mut out = [f32::NAN];
        dequantize(ty, &bytes, &mut out).unwrap();
        assert_eq!(out[0].to_bits(), want.to_bits(), "{ty}");
    }
    check(GgmlType::F32, 0.1f32.to_le_bytes(), 0.1);
    check(GgmlType::F32, f32::NEG_INFINITY.to_le_bytes(), f32::NEG_INFINITY);
    check(GgmlType::F64, 0.1f64.to_le_bytes(), 0.1);
    check(GgmlType::F64, 1e300f64.to_le_bytes(), f32::INFINITY);
    check(GgmlType::I8, (-128i8).to_le_bytes(), -128.0);
    check(GgmlType::I16, i16::MIN.to_le_bytes(), -32768.0);
    check(GgmlType::I32, 16_777_217i32.to_le_bytes(), 16_777_216.0);
    check(GgmlType::I64, i64::MIN.to_le_bytes(), -9.223_372e18);
}

#[test]
fn all_half_floats_decode() {
    for bits in 0..=u16::MAX {
        let mut out = [0.0, 0.0];
        dequantize(GgmlType::F16, &bits.to_le_bytes(), &mut out[..1]).unwrap();
        dequantize(GgmlType::BF16, &bits.to_le_bytes(), &mut out[1..]).unwrap();
        let [f16, bf16] = out;
        assert_eq!(bf16.to_bits(), u32::from(bits) << 16);
        let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), f64::from(bits & 1023));
        let magnitude = match exponent {
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            0 => fraction * 2f64.powi(-24),
            _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
        };
        assert_eq!(f16.is_sign_negative(), sign == 1, "{bits:#06x}");
        assert!(
            f64::from(f16.abs()) == magnitude || f16.is_nan() && magnitude.is_nan(),
            "{bits:#06x}: {f16}"
        );
    }
}

#[test]
fn scales_that_are_not_finite_do_not_panic() {
    for &(ty, file) in VECTORS {
        let block_bytes = usize::try_from(ty.block_bytes()).unwrap();
        for byte in [0x7C, 0x7E, 0xFC, 0xFF] {
            let mut out = vec![0.0; usize::try_from(ty.block_len()).unwrap()];
            dequantize(ty, &vec![byte; block_bytes], &mut out).unwrap();
        }
        assert!(file.len() > block_bytes);
    }
}

#[test]
fn sizes_that_disagree_are_refused() {
    for &(ty, _) in VECTORS {
        let bytes = usize::try_from(ty.block_bytes()).unwrap();
        let len = usize::try_from(ty.block_len()).unwrap();
        for (n_bytes, n_out) in [
            (bytes - 1, len),
            (bytes + 1, len),
            (bytes, len - 1),
            (bytes, len + 1),
            (2 * bytes, len),
            (0, len),
            (bytes, 0),
        ] {
            let got = dequantize(ty, &vec![0; n_bytes], &mut vec![0.0; n_out]);
            let want = GgufError::BlockSizeMismatch { ty, n_bytes: n_bytes as u64, n_elements: n_out as u64 };
            assert_eq!(got, Err(want), "{ty} {n_bytes} bytes, {n_out} elements");
        }
        assert_eq!(dequantize(ty, &[], &mut []), Ok(()));
    }
}

fn u32_at(file: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(file[at..at + 4].try_into().unwrap())).unwrap()
}

fn fnv1a(values: &[f32]) -> u64 {
    values
        .iter()
        .flat_map(|v| v.to_bits().to_le_bytes())
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
