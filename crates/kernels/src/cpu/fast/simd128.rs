//! Vectors of WebAssembly. Built in where the target has SIMD128, which every browser with WebGPU and Node 16 have.

use std::arch::wasm32::*;
use std::cell::Cell;
use std::ops::Range;

use super::attention::{Attention, Unit};
use super::limbs::Limbs;
use super::loops::{FEW, loops};
use super::product::{ByDigits, Product};
#[cfg(target_feature = "relaxed-simd")]
use super::relaxed::multiply_bytes;
use super::words::{E2M1_CODES, IQ4_CODES, byte_pairs, cells, scales, shifted};
use super::{Compute, Kind, Work};
use crate::cpu::Args;
use crate::cpu::dequant::Planes;
use crate::format::Format;

/// A float of each row of a group.
type V = [v128; 2];
/// Sixteen bytes of a row.
type I = v128;
/// Four floats of a row.
type F = v128;

const ROWS: usize = 1;
const PARTS: usize = 8;
const LANES: usize = 4;
const WIDE: usize = 2;
/// Products of limbs, where a sum of bytes takes several instructions.
#[cfg(not(target_feature = "relaxed-simd"))]
const BY_DIGITS: ByDigits = ByDigits::None;
/// Products of bytes, in `relaxed`.
#[cfg(target_feature = "relaxed-simd")]
const BY_DIGITS: ByDigits = ByDigits::SevenBits;

#[cfg(not(target_feature = "relaxed-simd"))]
loops!(""; tiles: 1;);
#[cfg(target_feature = "relaxed-simd")]
loops!(""; bytes: multiply_bytes; tiles: 1;);

/// Defines functions of one vector instruction or few.
macro_rules! vector {
    ($($(#[$docs:meta])* fn $name:ident $(<const $n:ident: u32>)? ($($arg:ident: $ty:ty),*) -> $out:ty $body:block)*) => {
        $(
            $(#[$docs])*
            #[inline(always)]
            fn $name $(<const $n: u32>)? ($($arg: $ty),*) -> $out $body
        )*
    };
}

vector! {
    fn zero() -> V { splat(0.0) }
    fn splat(v: f32) -> V { [f32x4_splat(v); 2] }
    fn load(v: &[f32; 8]) -> V { bytemuck::cast(*v) }
    fn store(v: V) -> [f32; 8] { bytemuck::cast(v) }
    fn mul(a: V, b: V) -> V { [f32x4_mul(a[0], b[0]), f32x4_mul(a[1], b[1])] }
    fn fma(a: V, b: V, c: V) -> V { [fma_f(a[0], b[0], c[0]), fma_f(a[1], b[1], c[1])] }
    /// The low halves of eight words.
    fn low_halves(words: [u32; 8]) -> V {
        let words: [v128; 2] = bytemuck::cast(words);
        [from_halves(words[0]), from_halves(words[1])]
    }

    fn words(plane: &[Cell<u32>], at: usize) -> I { bytemuck::cast(cells::<4>(plane, at)) }
    fn eight(v: &[i16; 8]) -> I { bytemuck::cast(*v) }
    fn same(v: i16) -> I { i16x8_splat(v) }
    fn and(a: I, b: I) -> I { v128_and(a, b) }
    fn or(a: I, b: I) -> I { v128_or(a, b) }
    fn shl<const N: u32>(a: I) -> I { i16x8_shl(a, N) }
    fn shr<const N: u32>(a: I) -> I { u16x8_shr(a, N) }
    fn sar<const N: u32>(a: I) -> I { i16x8_shr(a, N) }
    fn equal(a: I, b: I) -> I { i16x8_eq(a, b) }
    fn times(a: I, b: I) -> I { i16x8_mul(a, b) }
    fn lookup(book: &[i8; 16], at: I) -> I { i8x16_swizzle(bytemuck::cast(*book), at) }
    fn pick(from: I, at: &[u8; 16]) -> I { i8x16_swizzle(from, bytemuck::cast(*at)) }
    fn words_of_rows(words: &[u32; 8], part: usize) -> I { u32x4_splat(words[part]) }
    fn row_scales(v: V, part: usize) -> F { f32x4_splat(store(v)[part]) }
    fn multiply_add(sum: I, a: I, b: I) -> I { i32x4_add(sum, i32x4_dot_i16x8(a, b)) }
    fn to_floats(a: I) -> F { f32x4_convert_i32x4(a) }
    fn as_floats(a: I) -> F { a }
    /// The lower and the upper four numbers.
    fn widen(a: I) -> [F; 2] {
        [f32x4_convert_i32x4(i32x4_extend_low_i16x8(a)), f32x4_convert_i32x4(i32x4_extend_high_i16x8(a))]
    }
    fn upper_half(a: I) -> I { u32x4_shr(a, 16) }
    fn lower_to_upper(a: I) -> I { u32x4_shl(a, 16) }
    /// The lower halves of words: the exponent is moved by a multiplication, which also raises subnormals.
    fn from_halves(a: I) -> F {
        let moved =
            f32x4_mul(u32x4_shl(v128_and(a, u32x4_splat(0x7fff)), 13), f32x4_splat(f32::from_bits(0x7780_0000)));
        let exponent = u32x4_splat(0x7c00);
        let endless = v128_and(u32x4_eq(v128_and(a, exponent), exponent), u32x4_splat(0x7f80_0000));
        let sign = u32x4_shl(v128_and(a, u32x4_splat(0x8000)), 16);
        v128_or(v128_or(moved, endless), sign)
    }
    fn no_sum() -> F { f32x4_splat(0.0) }
    fn all_f(v: f32) -> F { f32x4_splat(v) }
    fn quad(v: &[f32; 4]) -> F { bytemuck::cast(*v) }
    fn mul_f(a: F, b: F) -> F { f32x4_mul(a, b) }
    /// In two roundings: the fused product is part of relaxed SIMD, which Safari lacks.
    fn fma_f(a: F, b: F, c: F) -> F { f32x4_add(f32x4_mul(a, b), c) }
    fn load_f(v: &[f32; 4]) -> F { bytemuck::cast(*v) }
    fn store_f(v: F) -> [f32; 4] { bytemuck::cast(v) }
    fn total(v: F) -> f32 {
        let [a, b, c, d] = store_f(v);
        (a + c) + (b + d)
    }
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
        from_halves(u32x4(a & 0xffff, a >> 16, b & 0xffff, b >> 16))
    }
}
