//! Vectors of 64 bytes, with AVX-512's 16-bit products: Intel since Ice Lake, AMD since Zen 4.

use std::arch::x86_64::*;
use std::cell::Cell;
use std::ops::Range;

use super::attention::{Attention, Unit};
use super::avx2::{V, fma, load, low_halves, mul, splat, store, zero};
use super::limbs::Limbs;
use super::loops::{FEW, loops};
use super::product::{ByDigits, Product};
use super::vnni::multiply_bytes;
use super::words::{E2M1_CODES, IQ4_CODES, byte_pairs, cells, scales, shifted};
use super::{Compute, Kind, Work};
use crate::cpu::Args;
use crate::cpu::dequant::Planes;
use crate::format::Format;

/// Sixteen bytes of four rows.
type I = __m512i;
/// Four floats of four rows.
type F = __m512;

const ROWS: usize = 4;
const PARTS: usize = 2;
const LANES: usize = 16;
const WIDE: usize = 4;
/// Products of bytes, in `vnni`.
const BY_DIGITS: ByDigits = ByDigits::All;

loops!(
    "# Safety\nThe processor has AVX-512 F, BW, DQ, VL and VNNI, AVX2, FMA and F16C.";
    bytes: multiply_bytes; tiles: 8, 4, 2, 1;
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
);

/// Defines functions of one vector instruction or few.
macro_rules! vector {
    ($($(#[$docs:meta])* $vis:vis fn $name:ident $(<const $n:ident: u32>)? ($($arg:ident: $ty:ty),*) -> $out:ty $body:block)*) => {
        $(
            $(#[$docs])*
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            $vis fn $name $(<const $n: u32>)? ($($arg: $ty),*) -> $out $body
        )*
    };
}

vector! {
    fn words(plane: &[Cell<u32>], at: usize) -> I { bytemuck::cast(cells::<16>(plane, at)) }
    fn eight(v: &[i16; 8]) -> I { _mm512_broadcast_i32x4(bytemuck::cast(*v)) }
    fn same(v: i16) -> I { _mm512_set1_epi16(v) }
    fn and(a: I, b: I) -> I { _mm512_and_si512(a, b) }
    fn or(a: I, b: I) -> I { _mm512_or_si512(a, b) }
    fn shl<const N: u32>(a: I) -> I { _mm512_slli_epi16::<N>(a) }
    fn shr<const N: u32>(a: I) -> I { _mm512_srli_epi16::<N>(a) }
    fn sar<const N: u32>(a: I) -> I { _mm512_srai_epi16::<N>(a) }
    fn equal(a: I, b: I) -> I { _mm512_movm_epi16(_mm512_cmpeq_epi16_mask(a, b)) }
    fn times(a: I, b: I) -> I { _mm512_mullo_epi16(a, b) }
    fn lookup(book: &[i8; 16], at: I) -> I {
        _mm512_shuffle_epi8(_mm512_broadcast_i32x4(bytemuck::cast(*book)), at)
    }
    fn pick(from: I, at: &[u8; 16]) -> I {
        _mm512_shuffle_epi8(from, _mm512_broadcast_i32x4(bytemuck::cast(*at)))
    }
    fn words_of_rows(words: &[u32; 8], part: usize) -> I {
        _mm512_permutexvar_epi32(lanes_of(part), _mm512_castsi256_si512(bytemuck::cast(*words)))
    }
    fn row_scales(v: V, part: usize) -> F { _mm512_permutexvar_ps(lanes_of(part), _mm512_castps256_ps512(v)) }
    /// Every row of a part four times.
    fn lanes_of(part: usize) -> I {
        let rows = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
        _mm512_add_epi32(rows, _mm512_set1_epi32(4 * part as i32))
    }
    fn multiply_add(sum: I, a: I, b: I) -> I { _mm512_dpwssd_epi32(sum, a, b) }
    fn to_floats(a: I) -> F { _mm512_cvtepi32_ps(a) }
    fn as_floats(a: I) -> F { _mm512_castsi512_ps(a) }
    /// The lower and the upper four numbers of every row.
    fn widen(a: I) -> [F; 2] {
        let zero = _mm512_setzero_si512();
        let lower = _mm512_srai_epi32::<16>(_mm512_unpacklo_epi16(zero, a));
        let upper = _mm512_srai_epi32::<16>(_mm512_unpackhi_epi16(zero, a));
        [_mm512_cvtepi32_ps(lower), _mm512_cvtepi32_ps(upper)]
    }
    fn upper_half(a: I) -> I { _mm512_srli_epi32::<16>(a) }
    fn lower_to_upper(a: I) -> I { _mm512_slli_epi32::<16>(a) }
    /// The lower halves of words.
    fn from_halves(a: I) -> F { _mm512_cvtph_ps(_mm512_cvtepi32_epi16(a)) }
    fn no_sum() -> F { _mm512_setzero_ps() }
    fn all_f(v: f32) -> F { _mm512_set1_ps(v) }
    fn quad(v: &[f32; 4]) -> F { _mm512_broadcast_f32x4(bytemuck::cast(*v)) }
    fn mul_f(a: F, b: F) -> F { _mm512_mul_ps(a, b) }
    fn fma_f(a: F, b: F, c: F) -> F { _mm512_fmadd_ps(a, b, c) }
    fn load_f(v: &[f32; 16]) -> F { bytemuck::cast(*v) }
    fn store_f(v: F) -> [f32; 16] { bytemuck::cast(v) }
    /// The sums over the lanes of sixteen vectors, each in the order of `_mm512_reduce_add_ps`.
    fn totals(v: &[F; 16]) -> [f32; 16] {
        let zero = _mm512_setzero_ps();
        let (mut halves, mut quarters, mut pairs) = ([zero; 8], [zero; 4], [zero; 2]);
        for i in 0..8 {
            let (a, b) = (v[i], v[i + 8]);
            halves[i] = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b));
        }
        for i in 0..4 {
            let (a, b) = (halves[i], halves[i + 4]);
            quarters[i] = _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
        }
        for i in 0..2 {
            let (a, b) = (quarters[i], quarters[i + 2]);
            pairs[i] = _mm512_add_ps(_mm512_shuffle_ps::<0x44>(a, b), _mm512_shuffle_ps::<0xee>(a, b));
        }
        let (a, b) = (pairs[0], pairs[1]);
        let sums = _mm512_add_ps(_mm512_shuffle_ps::<0x88>(a, b), _mm512_shuffle_ps::<0xdd>(a, b));
        // Blocks of four are of vectors i, i + 8, i + 4, i + 12, and in them i is 0, 2, 1, 3.
        let order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
        bytemuck::cast(_mm512_permutexvar_ps(order, sums))
    }
    /// Sixteen words: of a plane of quants those of four rows.
    pub(super) fn four_rows(plane: &[Cell<u32>], at: usize) -> I { words(plane, at) }
    /// A float of each row of two groups.
    pub(super) fn floats_of_rows(a: V, b: V) -> F { _mm512_insertf32x8::<1>(_mm512_castps256_ps512(a), b) }
    /// Sixteen halves.
    fn halves(plane: &[Cell<u32>], at: usize) -> F { _mm512_cvtph_ps(bytemuck::cast(cells::<8>(plane, at))) }
}
