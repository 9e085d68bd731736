//! Vectors of 32 bytes with AVX2, FMA and F16C: all x86-64 processors since Haswell and Zen.

use std::arch::x86_64::*;
use std::cell::Cell;
use std::ops::Range;

use super::attention::{Attention, Unit};
use super::limbs::Limbs;
use super::loops::{FEW, loops};
use super::product::{ByDigits, Product};
use super::words::{E2M1_CODES, IQ4_CODES, byte_pairs, cells, scales, shifted};
use super::{Compute, Kind, Work};
use crate::cpu::Args;
use crate::cpu::dequant::Planes;
use crate::format::Format;

/// A float of each row of a group.
pub(super) type V = __m256;
/// Sixteen bytes of two rows.
type I = __m256i;
/// Four floats of two rows.
type F = __m256;

const ROWS: usize = 2;
const PARTS: usize = 4;
const LANES: usize = 8;
const WIDE: usize = 2;
/// Products of limbs: where a sum of bytes takes several instructions, bytes are no quicker.
const BY_DIGITS: ByDigits = ByDigits::None;

loops!(
    "# Safety\nThe processor has AVX2, FMA and F16C.";
    tiles: 2, 1;
    #[target_feature(enable = "avx2,fma,f16c")]
);

/// Defines functions of one vector instruction or few.
macro_rules! vector {
    ($($(#[$docs:meta])* $pub:vis fn $name:ident $(<const $n:ident: i32>)? ($($arg:ident: $ty:ty),*) -> $out:ty $body:block)*) => {
        $(
            $(#[$docs])*
            #[inline]
            #[target_feature(enable = "avx2,fma,f16c")]
            $pub fn $name $(<const $n: i32>)? ($($arg: $ty),*) -> $out $body
        )*
    };
}

vector! {
    pub(super) fn zero() -> V { _mm256_setzero_ps() }
    pub(super) fn splat(v: f32) -> V { _mm256_set1_ps(v) }
    pub(super) fn load(v: &[f32; 8]) -> V { bytemuck::cast(*v) }
    pub(super) fn store(v: V) -> [f32; 8] { bytemuck::cast(v) }
    pub(super) fn mul(a: V, b: V) -> V { _mm256_mul_ps(a, b) }
    pub(super) fn fma(a: V, b: V, c: V) -> V { _mm256_fmadd_ps(a, b, c) }
    /// The low halves of eight words.
    pub(super) fn low_halves(words: [u32; 8]) -> V { from_halves(bytemuck::cast(words)) }

    fn words(plane: &[Cell<u32>], at: usize) -> I { bytemuck::cast(cells::<8>(plane, at)) }
    fn eight(v: &[i16; 8]) -> I { _mm256_broadcastsi128_si256(bytemuck::cast(*v)) }
    fn same(v: i16) -> I { _mm256_set1_epi16(v) }
    fn and(a: I, b: I) -> I { _mm256_and_si256(a, b) }
    fn or(a: I, b: I) -> I { _mm256_or_si256(a, b) }
    fn shl<const N: i32>(a: I) -> I { _mm256_slli_epi16::<N>(a) }
    fn shr<const N: i32>(a: I) -> I { _mm256_srli_epi16::<N>(a) }
    fn sar<const N: i32>(a: I) -> I { _mm256_srai_epi16::<N>(a) }
    fn equal(a: I, b: I) -> I { _mm256_cmpeq_epi16(a, b) }
    fn times(a: I, b: I) -> I { _mm256_mullo_epi16(a, b) }
    fn lookup(book: &[i8; 16], at: I) -> I {
        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytemuck::cast(*book)), at)
    }
    fn pick(from: I, at: &[u8; 16]) -> I {
        _mm256_shuffle_epi8(from, _mm256_broadcastsi128_si256(bytemuck::cast(*at)))
    }
    fn words_of_rows(words: &[u32; 8], part: usize) -> I {
        _mm256_permutevar8x32_epi32(bytemuck::cast(*words), lanes_of(part))
    }
    fn row_scales(v: V, part: usize) -> F { _mm256_permutevar8x32_ps(v, lanes_of(part)) }
    /// Every row of a part four times.
    fn lanes_of(part: usize) -> I {
        _mm256_add_epi32(_mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1), _mm256_set1_epi32(2 * part as i32))
    }
    fn multiply_add(sum: I, a: I, b: I) -> I { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
    fn to_floats(a: I) -> F { _mm256_cvtepi32_ps(a) }
    fn as_floats(a: I) -> F { _mm256_castsi256_ps(a) }
    /// The lower and the upper four numbers of every row.
    fn widen(a: I) -> [F; 2] {
        let zero = _mm256_setzero_si256();
        let lower = _mm256_srai_epi32::<16>(_mm256_unpacklo_epi16(zero, a));
        let upper = _mm256_srai_epi32::<16>(_mm256_unpackhi_epi16(zero, a));
        [_mm256_cvtepi32_ps(lower), _mm256_cvtepi32_ps(upper)]
    }
    fn upper_half(a: I) -> I { _mm256_srli_epi32::<16>(a) }
    fn lower_to_upper(a: I) -> I { _mm256_slli_epi32::<16>(a) }
    /// The lower halves of words.
    fn from_halves(a: I) -> F {
        let masked = _mm256_and_si256(a, _mm256_set1_epi32(0xffff));
        // Packing works in lanes of 128 bits: the quarters 0 and 2 hold what belongs together.
        let packed = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(masked, masked));
        _mm256_cvtph_ps(_mm256_castsi256_si128(packed))
    }
    fn no_sum() -> F { _mm256_setzero_ps() }
    fn all_f(v: f32) -> F { _mm256_set1_ps(v) }
    fn quad(v: &[f32; 4]) -> F { _mm256_broadcast_ps(&bytemuck::cast(*v)) }
    fn mul_f(a: F, b: F) -> F { _mm256_mul_ps(a, b) }
    fn fma_f(a: F, b: F, c: F) -> F { _mm256_fmadd_ps(a, b, c) }
    fn load_f(v: &[f32; 8]) -> F { bytemuck::cast(*v) }
    fn store_f(v: F) -> [f32; 8] { bytemuck::cast(v) }
    fn total(v: F) -> f32 {
        let four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
    fn totals(v: &[F; 8]) -> [f32; 8] {
        let mut totals = [0.0; 8];
        for i in 0..8 {
            totals[i] = total(v[i]);
        }
        totals
    }
    /// Eight halves.
    fn halves(plane: &[Cell<u32>], at: usize) -> F { _mm256_cvtph_ps(bytemuck::cast(cells::<4>(plane, at))) }
}
