//! Decoders of the block types, one file per family. Each function takes one whole block as an array of its exact
//! size, and gives exactly the numbers of the reference decoders: products and sums are in their order, and never
//! fused.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "blocks are fixed-size arrays, every index is below a constant, and quantized values are at most 8 bits"
)]

mod fp4;
mod iq4;
mod k_quants;
mod legacy;
mod plain;
mod ternary;

use crate::{GgmlType, GgufError};

/// Decodes whole blocks of `ty` to floats, bit-exactly as the GGUF reference does. 64-bit types are rounded to the
/// nearest float; scales that are not finite give results that are not finite.
///
/// # Errors
/// [`GgufError::BlockSizeMismatch`] unless `blocks` is whole blocks and `out` has exactly their elements;
/// [`GgufError::UnsupportedType`] for the types with codebooks (`IQ1_*`, `IQ2_*`, `IQ3_*`), for the activation types
/// (`Q8_1`, `Q8_K`), and for `Q1_0` and `Q2_0`.
pub fn dequantize(ty: GgmlType, blocks: &[u8], out: &mut [f32]) -> Result<(), GgufError> {
    let job = Job { ty, blocks, out };
    match ty {
        GgmlType::F32 => job.run(|b, out: &mut [f32; 1]| out[0] = f32::from_le_bytes(*b)),
        GgmlType::F64 => job.run(|b, out: &mut [f32; 1]| out[0] = f64::from_le_bytes(*b) as f32),
        GgmlType::I8 => job.run(|b, out: &mut [f32; 1]| out[0] = f32::from(i8::from_le_bytes(*b))),
        GgmlType::I16 => job.run(|b, out: &mut [f32; 1]| out[0] = f32::from(i16::from_le_bytes(*b))),
        GgmlType::I32 => job.run(|b, out: &mut [f32; 1]| out[0] = i32::from_le_bytes(*b) as f32),
        GgmlType::I64 => job.run(|b, out: &mut [f32; 1]| out[0] = i64::from_le_bytes(*b) as f32),
        GgmlType::F16 => job.run(|b, out: &mut [f32; 1]| out[0] = plain::f16(*b)),
        GgmlType::BF16 => job.run(|b, out: &mut [f32; 1]| out[0] = plain::bf16(*b)),
        GgmlType::Q4_0 => job.run(legacy::q4_0),
        GgmlType::Q4_1 => job.run(legacy::q4_1),
        GgmlType::Q5_0 => job.run(legacy::q5_0),
        GgmlType::Q5_1 => job.run(legacy::q5_1),
        GgmlType::Q8_0 => job.run(legacy::q8_0),
        GgmlType::Q2_K => job.run(k_quants::q2_k),
        GgmlType::Q3_K => job.run(k_quants::q3_k),
        GgmlType::Q4_K => job.run(k_quants::q4_k),
        GgmlType::Q5_K => job.run(k_quants::q5_k),
        GgmlType::Q6_K => job.run(k_quants::q6_k),
        GgmlType::IQ4_NL => job.run(iq4::iq4_nl),
        GgmlType::IQ4_XS => job.run(iq4::iq4_xs),
        GgmlType::TQ1_0 => job.run(ternary::tq1_0),
        GgmlType::TQ2_0 => job.run(ternary::tq2_0),
        GgmlType::MXFP4 => job.run(fp4::mxfp4),
        GgmlType::NVFP4 => job.run(fp4::nvfp4),
        GgmlType::Q8_1
        | GgmlType::Q8_K
        | GgmlType::IQ1_S
        | GgmlType::IQ1_M
        | GgmlType::IQ2_XXS
        | GgmlType::IQ2_XS
        | GgmlType::IQ2_S
        | GgmlType::IQ3_XXS
        | GgmlType::IQ3_S
        | GgmlType::Q1_0
        | GgmlType::Q2_0 => Err(GgufError::UnsupportedType { ty }),
    }
}

struct Job<'a> {
    ty: GgmlType,
    blocks: &'a [u8],
    out: &'a mut [f32],
}

impl Job<'_> {
    /// Decodes block after block; the array sizes of `decode` are those of the type.
    fn run<const BYTES: usize, const LEN: usize>(
        self,
        decode: impl Fn(&[u8; BYTES], &mut [f32; LEN]),
    ) -> Result<(), GgufError> {
        let (blocks, rest_in) = self.blocks.as_chunks();
        let n_elements = self.out.len() as u64;
        let (out, rest_out) = self.out.as_chunks_mut();
        if blocks.len() != out.len() || !rest_in.is_empty() || !rest_out.is_empty() {
            let n_bytes = self.blocks.len() as u64;
            return Err(GgufError::BlockSizeMismatch { ty: self.ty, n_bytes, n_elements });
        }
        for (block, out) in blocks.iter().zip(out) {
            decode(block, out);
        }
        Ok(())
    }
}

/// The `N` bytes of a block from `at` on; both are constants of the layout.
#[inline]
fn field<const N: usize, const BYTES: usize>(block: &[u8; BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|i| block[at + i])
}

/// The f16 scale of a block at byte `at`.
#[inline]
fn scale<const BYTES: usize>(block: &[u8; BYTES], at: usize) -> f32 {
    plain::f16(field(block, at))
}

/// The low (`half` 0) or high (1) four bits.
#[inline]
fn nibble(byte: u8, half: usize) -> u8 {
    (byte >> (4 * half)) & 15
}
