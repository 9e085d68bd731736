//! Vectors of 16 bytes as arrays: right everywhere, and quick where the compiler's own vectorising finds them.

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
type V = [f32; 8];
/// Sixteen bytes of a row.
type I = [i16; 8];
/// Four floats of a row.
type F = [f32; 4];

const ROWS: usize = 1;
const PARTS: usize = 8;
const LANES: usize = 4;
const WIDE: usize = 2;
/// Products of limbs: where a sum of bytes takes several instructions, bytes are no quicker.
const BY_DIGITS: ByDigits = ByDigits::None;

loops!(""; tiles: 1;);

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
fn words(plane: &[Cell<u32>], at: usize) -> I {
    bytemuck::cast(cells::<4>(plane, at))
}

#[inline(always)]
const fn eight(v: &[i16; 8]) -> I {
    *v
}

#[inline(always)]
const fn same(v: i16) -> I {
    [v; 8]
}

#[inline(always)]
fn and(a: I, b: I) -> I {
    std::array::from_fn(|l| a[l] & b[l])
}

#[inline(always)]
fn or(a: I, b: I) -> I {
    std::array::from_fn(|l| a[l] | b[l])
}

#[inline(always)]
fn shl<const N: u32>(a: I) -> I {
    a.map(|v| v << N)
}

#[inline(always)]
fn shr<const N: u32>(a: I) -> I {
    a.map(|v| (v.cast_unsigned() >> N).cast_signed())
}

#[inline(always)]
fn sar<const N: u32>(a: I) -> I {
    a.map(|v| v >> N)
}

#[inline(always)]
fn equal(a: I, b: I) -> I {
    std::array::from_fn(|l| -i16::from(a[l] == b[l]))
}

#[inline(always)]
fn times(a: I, b: I) -> I {
    std::array::from_fn(|l| a[l].wrapping_mul(b[l]))
}

#[inline(always)]
fn lookup(book: &[i8; 16], at: I) -> I {
    let at: [u8; 16] = bytemuck::cast(at);
    bytemuck::cast(at.map(|at| book[usize::from(at & 15)]))
}

#[inline(always)]
fn pick(from: I, at: &[u8; 16]) -> I {
    let from: [u8; 16] = bytemuck::cast(from);
    bytemuck::cast(at.map(|at| if at < 16 { from[usize::from(at)] } else { 0 }))
}

#[inline(always)]
fn words_of_rows(words: &[u32; 8], part: usize) -> I {
    bytemuck::cast([words[part]; 4])
}

#[inline(always)]
fn row_scales(v: V, part: usize) -> F {
    [v[part]; 4]
}

#[inline(always)]
fn multiply_add(sum: I, a: I, b: I) -> I {
    let sum: [i32; 4] = bytemuck::cast(sum);
    let product = |l: usize| i32::from(a[l]) * i32::from(b[l]);
    let sums: [i32; 4] = std::array::from_fn(|l| sum[l] + product(2 * l) + product(2 * l + 1));
    bytemuck::cast(sums)
}

#[inline(always)]
fn to_floats(a: I) -> F {
    let words: [i32; 4] = bytemuck::cast(a);
    words.map(|w| w as f32)
}

#[inline(always)]
fn as_floats(a: I) -> F {
    bytemuck::cast(a)
}

/// The lower and the upper four numbers.
#[inline(always)]
fn widen(a: I) -> [F; 2] {
    std::array::from_fn(|half| std::array::from_fn(|l| f32::from(a[4 * half + l])))
}

#[inline(always)]
fn upper_half(a: I) -> I {
    let words: [u32; 4] = bytemuck::cast(a);
    bytemuck::cast(words.map(|w| w >> 16))
}

#[inline(always)]
fn lower_to_upper(a: I) -> I {
    let words: [u32; 4] = bytemuck::cast(a);
    bytemuck::cast(words.map(|w| w << 16))
}

/// The lower halves of words.
#[inline(always)]
fn from_halves(a: I) -> F {
    let words: [u32; 4] = bytemuck::cast(a);
    words.map(|w| half(w & 0xffff))
}

#[inline(always)]
const fn no_sum() -> F {
    [0.0; 4]
}

#[inline(always)]
const fn all_f(v: f32) -> F {
    [v; 4]
}

#[inline(always)]
const fn quad(v: &[f32; 4]) -> F {
    *v
}

#[inline(always)]
fn mul_f(a: F, b: F) -> F {
    std::array::from_fn(|l| a[l] * b[l])
}

#[inline(always)]
fn fma_f(a: F, b: F, c: F) -> F {
    std::array::from_fn(|l| a[l] * b[l] + c[l])
}

#[inline(always)]
const fn load_f(v: &[f32; 4]) -> F {
    *v
}

#[inline(always)]
const fn store_f(v: F) -> [f32; 4] {
    v
}

#[inline(always)]
fn total([a, b, c, d]: F) -> f32 {
    (a + c) + (b + d)
}

#[inline(always)]
fn totals(v: &[F; 4]) -> [f32; 4] {
    v.map(total)
}

/// Four halves.
#[inline(always)]
fn halves(plane: &[Cell<u32>], at: usize) -> F {
    let [a, b] = cells::<2>(plane, at);
    [a & 0xffff, a >> 16, b & 0xffff, b >> 16].map(half)
}
