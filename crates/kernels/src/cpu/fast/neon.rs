//! Vectors of 16 bytes with NEON, which every 64-bit ARM processor has.

use std::arch::aarch64::*;
use std::cell::Cell;
use std::ops::Range;

use super::attention::{Attention, Unit};
use super::limbs::Limbs;
use super::loops::{FEW, loops};
use super::product::{ByDigits, Product};
use super::words::{E2M1_CODES, IQ4_CODES, byte_pairs, cells, half, scales, shifted};
use super::{Compute, Kind, Work};
use crate::cpu::Args;
use crate::cpu::dequant::Planes;
use crate::format::Format;

/// A float of each row of a group.
type V = [float32x4_t; 2];
/// Sixteen bytes of a row.
type I = int16x8_t;
/// Four floats of a row.
type F = float32x4_t;

const ROWS: usize = 1;
const PARTS: usize = 8;
const LANES: usize = 4;
const WIDE: usize = 4;
/// Products of limbs: where a sum of bytes takes several instructions, bytes are no quicker.
const BY_DIGITS: ByDigits = ByDigits::None;

loops!(""; tiles: 2, 1; #[target_feature(enable = "neon")]);

/// Defines functions of one vector instruction or few.
macro_rules! vector {
    ($($(#[$docs:meta])* fn $name:ident $(<const $n:ident: i32>)? ($($arg:ident: $ty:ty),*) -> $out:ty $body:block)*) => {
        $(
            $(#[$docs])*
            #[inline]
            #[target_feature(enable = "neon")]
            fn $name $(<const $n: i32>)? ($($arg: $ty),*) -> $out $body
        )*
    };
}

vector! {
    fn zero() -> V { splat(0.0) }
    fn splat(v: f32) -> V { [vdupq_n_f32(v); 2] }
    fn load(v: &[f32; 8]) -> V { bytemuck::cast(*v) }
    fn store(v: V) -> [f32; 8] { bytemuck::cast(v) }
    fn mul(a: V, b: V) -> V { [vmulq_f32(a[0], b[0]), vmulq_f32(a[1], b[1])] }
    fn fma(a: V, b: V, c: V) -> V { [vfmaq_f32(c[0], a[0], b[0]), vfmaq_f32(c[1], a[1], b[1])] }
    /// The low halves of eight words.
    fn low_halves(words: [u32; 8]) -> V {
        let words: [I; 2] = bytemuck::cast(words);
        [from_halves(words[0]), from_halves(words[1])]
    }

    fn words(plane: &[Cell<u32>], at: usize) -> I { bytemuck::cast(cells::<4>(plane, at)) }
    fn eight(v: &[i16; 8]) -> I { bytemuck::cast(*v) }
    fn same(v: i16) -> I { vdupq_n_s16(v) }
    fn and(a: I, b: I) -> I { vandq_s16(a, b) }
    fn or(a: I, b: I) -> I { vorrq_s16(a, b) }
    fn shl<const N: i32>(a: I) -> I { vshlq_n_s16::<N>(a) }
    fn shr<const N: i32>(a: I) -> I { vreinterpretq_s16_u16(vshrq_n_u16::<N>(vreinterpretq_u16_s16(a))) }
    fn sar<const N: i32>(a: I) -> I { vshrq_n_s16::<N>(a) }
    fn equal(a: I, b: I) -> I { vreinterpretq_s16_u16(vceqq_s16(a, b)) }
    fn times(a: I, b: I) -> I { vmulq_s16(a, b) }
    fn lookup(book: &[i8; 16], at: I) -> I {
        vreinterpretq_s16_s8(vqtbl1q_s8(bytemuck::cast(*book), vreinterpretq_u8_s16(at)))
    }
    fn pick(from: I, at: &[u8; 16]) -> I {
        vreinterpretq_s16_u8(vqtbl1q_u8(vreinterpretq_u8_s16(from), bytemuck::cast(*at)))
    }
    fn words_of_rows(words: &[u32; 8], part: usize) -> I { vreinterpretq_s16_u32(vdupq_n_u32(words[part])) }
    fn row_scales(v: V, part: usize) -> F { vdupq_n_f32(store(v)[part]) }
    /// Which of the four sums a product adds to makes no difference: the loops add them all.
    fn multiply_add(sum: I, a: I, b: I) -> I {
        let sum = vmlal_s16(vreinterpretq_s32_s16(sum), vget_low_s16(a), vget_low_s16(b));
        vreinterpretq_s16_s32(vmlal_high_s16(sum, a, b))
    }
    fn to_floats(a: I) -> F { vcvtq_f32_s32(vreinterpretq_s32_s16(a)) }
    fn as_floats(a: I) -> F { vreinterpretq_f32_s16(a) }
    /// The lower and the upper four numbers.
    fn widen(a: I) -> [F; 2] {
        [vcvtq_f32_s32(vmovl_s16(vget_low_s16(a))), vcvtq_f32_s32(vmovl_high_s16(a))]
    }
    fn upper_half(a: I) -> I { vreinterpretq_s16_u32(vshrq_n_u32::<16>(vreinterpretq_u32_s16(a))) }
    fn lower_to_upper(a: I) -> I { vreinterpretq_s16_u32(vshlq_n_u32::<16>(vreinterpretq_u32_s16(a))) }
    /// The lower halves of words.
    fn from_halves(a: I) -> F {
        let words: [u32; 4] = bytemuck::cast(a);
        bytemuck::cast(words.map(|w| half(w & 0xffff)))
    }
    fn no_sum() -> F { vdupq_n_f32(0.0) }
    fn all_f(v: f32) -> F { vdupq_n_f32(v) }
    fn quad(v: &[f32; 4]) -> F { bytemuck::cast(*v) }
    fn mul_f(a: F, b: F) -> F { vmulq_f32(a, b) }
    fn fma_f(a: F, b: F, c: F) -> F { vfmaq_f32(c, a, b) }
    fn load_f(v: &[f32; 4]) -> F { bytemuck::cast(*v) }
    fn store_f(v: F) -> [f32; 4] { bytemuck::cast(v) }
    fn total(v: F) -> f32 { vaddvq_f32(v) }
    fn totals(v: &[F; 4]) -> [f32; 4] {
        let mut totals = [0.0; 4];
        for i in 0..4 {
            totals[i] = total(v[i]);
        }
        totals
    }
    /// Four halves.
    fn halves(plane: &[Cell<u32>], at: usize) -> F {
        let [a, b] = cells::<2>(plane, at);
        bytemuck::cast([a & 0xffff, a >> 16, b & 0xffff, b >> 16].map(half))
    }
}
