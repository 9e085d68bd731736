//! Vectors of WebAssembly: two of four floats each. Built in where the target has SIMD128, which every browser with WebGPU
//! and Node 16 have.

use std::arch::wasm32::*;
use std::ops::Range;

use super::Product;
use super::loops::loops;
use super::words::{E2M1_CODES, IQ4_CODES, byte_pairs, scales, shifted, total, words};
use crate::cpu::dequant::Planes;
use crate::format::Format;

type V = [v128; 2];

loops!("The sums of some groups of outputs, `[group][gate, up][column][8]`."; #[inline]);

#[inline(always)]
fn zero() -> V {
    splat(0.0)
}

#[inline(always)]
fn splat(v: f32) -> V {
    [f32x4_splat(v); 2]
}

#[inline(always)]
fn load(v: &[f32; 8]) -> V {
    bytemuck::cast(*v)
}

#[inline(always)]
fn store(v: V) -> [f32; 8] {
    bytemuck::cast(v)
}

#[inline(always)]
fn mul(a: V, b: V) -> V {
    [f32x4_mul(a[0], b[0]), f32x4_mul(a[1], b[1])]
}

/// In two roundings: the fused product is part of relaxed SIMD, which Safari lacks.
#[inline(always)]
fn fma(a: V, b: V, c: V) -> V {
    [f32x4_add(f32x4_mul(a[0], b[0]), c[0]), f32x4_add(f32x4_mul(a[1], b[1]), c[1])]
}

/// The low halves of eight words: the exponent is moved by a multiplication, which also raises subnormals.
#[inline(always)]
fn low_halves(words: [u32; 8]) -> V {
    let words: [v128; 2] = bytemuck::cast(words);
    let four = |w: v128| {
        let moved = f32x4_mul(
            u32x4_shl(v128_and(w, u32x4_splat(0x7fff)), 13),
            f32x4_splat(f32::from_bits(0x7780_0000)),
        );
        let exponent = u32x4_splat(0x7c00);
        let endless = v128_and(u32x4_eq(v128_and(w, exponent), exponent), u32x4_splat(0x7f80_0000));
        let sign = u32x4_shl(v128_and(w, u32x4_splat(0x8000)), 16);
        v128_or(v128_or(moved, endless), sign)
    };
    [four(words[0]), four(words[1])]
}

#[inline(always)]
fn nibbles(words: [u32; 4]) -> [V; 4] {
    let (low, high) = split(words);
    let (low, high) = (unsigned(low), unsigned(high));
    [low[0], low[1], high[0], high[1]]
}

/// The low and the high nibbles of sixteen bytes.
#[inline(always)]
fn split(words: [u32; 4]) -> (v128, v128) {
    let words: v128 = bytemuck::cast(words);
    (v128_and(words, u8x16_splat(15)), u8x16_shr(words, 4))
}

#[inline(always)]
fn unsigned(bytes: v128) -> [V; 2] {
    let eight = |wide: v128| {
        [
            f32x4_convert_u32x4(u32x4_extend_low_u16x8(wide)),
            f32x4_convert_u32x4(u32x4_extend_high_u16x8(wide)),
        ]
    };
    [eight(u16x8_extend_low_u8x16(bytes)), eight(u16x8_extend_high_u8x16(bytes))]
}

#[inline(always)]
fn bytes(words: [u32; 4]) -> [V; 2] {
    signed(bytemuck::cast(words))
}

#[inline(always)]
fn signed(bytes: v128) -> [V; 2] {
    let eight = |wide: v128| {
        [
            f32x4_convert_i32x4(i32x4_extend_low_i16x8(wide)),
            f32x4_convert_i32x4(i32x4_extend_high_i16x8(wide)),
        ]
    };
    [eight(i16x8_extend_low_i8x16(bytes)), eight(i16x8_extend_high_i8x16(bytes))]
}

/// What a book of sixteen has for every nibble.
#[inline(always)]
fn codes(words: [u32; 4], book: &[i8; 16]) -> [V; 4] {
    let (low, high) = split(words);
    let book: v128 = bytemuck::cast(*book);
    let (low, high) = (signed(i8x16_swizzle(book, low)), signed(i8x16_swizzle(book, high)));
    [low[0], low[1], high[0], high[1]]
}

/// The bits of a word as 0 or 1.
#[inline(always)]
fn bits(word: u32) -> [V; 4] {
    std::array::from_fn(|v| {
        let four = |from: usize| {
            let word = u32x4_splat(word >> (8 * v + from));
            let set = i32x4_ne(v128_and(word, u32x4(1, 2, 4, 8)), u32x4_splat(0));
            v128_and(set, f32x4_splat(1.0))
        };
        [four(0), four(4)]
    })
}

/// The pairs of bits of a word as 0 to 3.
#[inline(always)]
fn pairs_of_bits(word: u32) -> [V; 2] {
    std::array::from_fn(|v| {
        let four = |from: usize| {
            let word = word >> (2 * (8 * v + from));
            f32x4_convert_u32x4(u32x4(word & 3, word >> 2 & 3, word >> 4 & 3, word >> 6 & 3))
        };
        [four(0), four(4)]
    })
}
