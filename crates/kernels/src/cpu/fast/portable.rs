//! Vectors as arrays: right everywhere, and quick where the compiler's own vectorising finds them.

use std::ops::Range;

use super::Product;
use super::loops::loops;
use super::words::{E2M1_CODES, IQ4_CODES, byte_pairs, half, scales, shifted, total, words};
use crate::cpu::dequant::Planes;
use crate::format::Format;

type V = [f32; 8];

loops!("The sums of some groups of outputs, `[group][gate, up][column][8]`."; #[inline]);

#[inline(always)]
const fn zero() -> V {
    [0.0; 8]
}

#[inline(always)]
const fn splat(v: f32) -> V {
    [v; 8]
}

#[inline(always)]
const fn load(v: &[f32; 8]) -> V {
    *v
}

#[inline(always)]
const fn store(v: V) -> [f32; 8] {
    v
}

#[inline(always)]
fn mul(a: V, b: V) -> V {
    std::array::from_fn(|l| a[l] * b[l])
}

/// In two roundings: without the instruction a fused product would be a call.
#[inline(always)]
fn fma(a: V, b: V, c: V) -> V {
    std::array::from_fn(|l| a[l] * b[l] + c[l])
}

#[inline(always)]
fn low_halves(words: [u32; 8]) -> V {
    words.map(|w| half(w & 0xffff))
}

#[inline(always)]
fn nibbles(words: [u32; 4]) -> [V; 4] {
    let bytes: [u8; 16] = bytemuck::cast(words);
    std::array::from_fn(|v| std::array::from_fn(|l| f32::from((bytes[v % 2 * 8 + l] >> (v / 2 * 4)) & 15)))
}

#[inline(always)]
fn bytes(words: [u32; 4]) -> [V; 2] {
    let bytes: [i8; 16] = bytemuck::cast(words);
    std::array::from_fn(|v| std::array::from_fn(|l| f32::from(bytes[8 * v + l])))
}

#[inline(always)]
fn codes(words: [u32; 4], book: &[i8; 16]) -> [V; 4] {
    nibbles(words).map(|v| v.map(|q| f32::from(book[q as usize & 15])))
}

#[inline(always)]
fn bits(word: u32) -> [V; 4] {
    std::array::from_fn(|v| std::array::from_fn(|l| ((word >> (8 * v + l)) & 1) as f32))
}

#[inline(always)]
fn pairs_of_bits(word: u32) -> [V; 2] {
    std::array::from_fn(|v| std::array::from_fn(|l| ((word >> (2 * (8 * v + l))) & 3) as f32))
}
