//! Vectors of x86-64 processors with AVX2, FMA and F16C: all since Haswell and Zen.

use std::arch::x86_64::*;
use std::ops::Range;

use super::Product;
use super::loops::loops;
use super::words::{E2M1_CODES, IQ4_CODES, byte_pairs, scales, shifted, total, words};
use crate::cpu::dequant::Planes;
use crate::format::Format;

type V = __m256;

loops!(
    "The sums of some groups of outputs, `[group][gate, up][column][8]`.\n\n# Safety\nThe processor has AVX2, FMA and F16C.";
    #[target_feature(enable = "avx2,fma,f16c")]
);

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn zero() -> V {
    _mm256_setzero_ps()
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn splat(v: f32) -> V {
    _mm256_set1_ps(v)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn load(v: &[f32; 8]) -> V {
    bytemuck::cast(*v)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn store(v: V) -> [f32; 8] {
    bytemuck::cast(v)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn mul(a: V, b: V) -> V {
    _mm256_mul_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn fma(a: V, b: V, c: V) -> V {
    _mm256_fmadd_ps(a, b, c)
}

/// The low halves of eight words.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn low_halves(words: [u32; 8]) -> V {
    let words: __m256i = bytemuck::cast(words);
    let masked = _mm256_and_si256(words, _mm256_set1_epi32(0xffff));
    // Packing works in lanes of 128 bits: the quarters 0 and 2 hold what belongs together.
    let packed = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(masked, masked));
    _mm256_cvtph_ps(_mm256_castsi256_si128(packed))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn nibbles(words: [u32; 4]) -> [V; 4] {
    let (low, high) = split(words);
    let (a, b) = unsigned(low);
    let (c, d) = unsigned(high);
    [a, b, c, d]
}

/// The low and the high nibbles of sixteen bytes.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn split(words: [u32; 4]) -> (__m128i, __m128i) {
    let (words, mask): (__m128i, _) = (bytemuck::cast(words), _mm_set1_epi8(15));
    (_mm_and_si128(words, mask), _mm_and_si128(_mm_srli_epi16::<4>(words), mask))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn unsigned(bytes: __m128i) -> (V, V) {
    let upper = _mm_unpackhi_epi64(bytes, bytes);
    (_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(upper)))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn bytes(words: [u32; 4]) -> [V; 2] {
    signed(bytemuck::cast(words))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn signed(bytes: __m128i) -> [V; 2] {
    let upper = _mm_unpackhi_epi64(bytes, bytes);
    [_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(upper))]
}

/// What a book of sixteen has for every nibble.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn codes(words: [u32; 4], book: &[i8; 16]) -> [V; 4] {
    let (low, high) = split(words);
    let book: __m128i = bytemuck::cast(*book);
    let (low, high) = (signed(_mm_shuffle_epi8(book, low)), signed(_mm_shuffle_epi8(book, high)));
    [low[0], low[1], high[0], high[1]]
}

/// The bits of a word as 0 or 1.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn bits(word: u32) -> [V; 4] {
    let (word, one) = (_mm256_set1_epi32(word.cast_signed()), _mm256_set1_epi32(1));
    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let mut out = [zero(); 4];
    for (v, out) in (0..4).zip(&mut out) {
        let shift = _mm256_add_epi32(lanes, _mm256_set1_epi32(8 * v));
        *out = _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srlv_epi32(word, shift), one));
    }
    out
}

/// The pairs of bits of a word as 0 to 3.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn pairs_of_bits(word: u32) -> [V; 2] {
    let (word, three) = (_mm256_set1_epi32(word.cast_signed()), _mm256_set1_epi32(3));
    let lanes = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    let upper = _mm256_add_epi32(lanes, _mm256_set1_epi32(16));
    [
        _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srlv_epi32(word, lanes), three)),
        _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srlv_epi32(word, upper), three)),
    ]
}
