//! Products of bytes, for WebAssembly's relaxed SIMD: weights of up to seven bits by the digits of activations.
//!
//! `i16x8.relaxed_dot_i8x16_i7x16` is the same everywhere as long as the second operand has no eighth bit, and quants have
//! none: two products of at most 63 · 128 cannot leave 16 bits. Nothing else of relaxed SIMD is used, so that results do not
//! depend on the processor. Four rows lie in the lanes of a vector, eight share what is loaded of a column; a column's sums are the
//! same bit for bit whatever other columns are computed with it.

use std::arch::wasm32::*;
use std::ops::Range;

use super::digits::{Columns, Digits, Lower, ROOM, powers};
use super::product::Product;
use super::simd128::affine;
use super::words::{E2M1_CODES, cells, scales};
use crate::cpu::bytes::step_or_nan;
use crate::cpu::dequant::Planes;
use crate::format::{Format, PlaneLayout};

/// Sixteen bytes: of weights, four of each of four rows.
type I = v128;
/// A float of each of four rows.
type F = v128;

/// Added to the doubled E2M1 values, which makes them unsigned.
const ZERO_OF_E2M1: i8 = 12;

/// A chunk of the first and the last four rows of a group: `weight = scale · q + offset` in each half of the chunk.
#[derive(Clone, Copy)]
struct Chunk {
    /// Elements `4d..` of every row.
    quants: [[I; 2]; 8],
    scale: [[F; 2]; 2],
    offset: [[F; 2]; 2],
}

/// Computes and stores parts of a product whose activations are digits.
pub(super) fn multiply_bytes(product: &Product<'_>, parts: Range<usize>) {
    let mut columns = ROOM.take();
    if columns.of != product.id {
        take(product, &mut columns);
    }
    multiply_by(product, &columns, parts);
    ROOM.set(columns);
}

fn multiply_by(product: &Product<'_>, columns: &Columns, groups: Range<usize>) {
    // How many sums of two products 16 bits hold, and whether the halves of a chunk differ in scale: of four bits
    // 2 · 8 · 15 · 128, of five 2 · 4 · 31 · 128, of six 2 · 2 · 63 · 128. Three and two bits share the loops of six.
    match product.planes.layout.format {
        // Their activations are never digits.
        Format::F32 | Format::F16 | Format::Bf16 | Format::Q8 | Format::Iq4 => {}
        Format::Q4 => run::<{ Format::Q4 as usize }, 8, false>(product, columns, groups),
        Format::Q5 => run::<{ Format::Q5 as usize }, 4, false>(product, columns, groups),
        Format::Mxfp4 => run::<{ Format::Mxfp4 as usize }, 4, false>(product, columns, groups),
        Format::Q4K => run::<{ Format::Q4K as usize }, 8, false>(product, columns, groups),
        Format::Q5K => run::<{ Format::Q5K as usize }, 4, false>(product, columns, groups),
        Format::Q6K => run::<{ Format::Q6K as usize }, 2, true>(product, columns, groups),
        Format::Q3K => run::<{ Format::Q3K as usize }, 2, true>(product, columns, groups),
        Format::Q2K => run::<{ Format::Q2K as usize }, 2, true>(product, columns, groups),
    }
}

/// Takes the digits of a product's columns, `[column][chunk]`.
fn take(product: &Product<'_>, to: &mut Columns) {
    let n_float = product.columns.len() / 32;
    let n = n_float + product.rows.len() / 32;
    to.make_room(n, product.int8);
    to.of = product.id;
    for at in 0..n {
        let x: [f32; 32] = match at.checked_sub(n_float) {
            None => product.columns.as_chunks().0[at],
            Some(row) => bytemuck::cast(cells::<32>(product.rows, 32 * row)),
        };
        let (digits, lower) = digits(&x, product.int8);
        to.digits[at] = digits;
        if !product.int8 {
            to.lower[at] = lower;
        }
    }
}

fn run<const FORMAT: usize, const SUMS: usize, const TWO: bool>(
    product: &Product<'_>,
    columns: &Columns,
    groups: Range<usize>,
) {
    let (n, step, n_chunk) = (product.n_columns(), product.step, product.k / 32);
    let mut sums = vec![0.0; 8 * n * step];
    let mut panel = Vec::with_capacity(n_chunk);
    // What several columns read is unpacked once; bytes are not worth a loop of their own for one column.
    let at_once = n == 1 || product.p.by_expert == 1;
    for i in groups {
        for (part, sums) in sums.chunks_exact_mut(8 * n).enumerate() {
            let group = i * step + part;
            if !at_once {
                unpack(&mut panel, &rows::<FORMAT>(&product.planes, group), chunk::<FORMAT>);
            }
            for (column, sums) in sums.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                let Some(first) = product.experts[column] else { continue };
                let chunks = column * n_chunk..(column + 1) * n_chunk;
                let digits = &columns.digits[chunks.clone()];
                if at_once {
                    let rows = rows::<FORMAT>(&product.planes, first + group);
                    if !product.int8 {
                        let lower = &columns.lower[chunks];
                        multiply::<SUMS, TWO, false>(digits, lower, sums, |c| chunk::<FORMAT>(&rows, c));
                        continue;
                    }
                    unpack(&mut panel, &rows, chunk::<FORMAT>);
                }
                if product.int8 {
                    by_panel::<SUMS, TWO, true>(digits, &[], &panel, sums);
                } else {
                    by_panel::<SUMS, TWO, false>(digits, &columns.lower[chunks], &panel, sums);
                }
            }
        }
        product.store_group(i, &sums, 1);
    }
}

/// Every chunk of a group.
#[inline(never)]
fn unpack(panel: &mut Vec<Chunk>, rows: &Planes<'_>, chunk: impl Fn(&Planes<'_>, usize) -> Chunk) {
    panel.clear();
    for c in 0..rows.layout.n_chunk as usize {
        panel.push(chunk(rows, c));
    }
}

/// The planes of a group.
fn rows<'a, const FORMAT: usize>(planes: &Planes<'a>, g: usize) -> Planes<'a> {
    let layout = PlaneLayout { format: const { Format::ALL[FORMAT] }, ..planes.layout };
    let (wq, ws) = (layout.wq_group_bytes() as usize / 4, layout.ws_group_bytes() as usize / 4);
    Planes { wq: &planes.wq[g * wq..][..wq], ws: &planes.ws[g * ws..][..ws], layout }
}

/// A column by a group that is unpacked.
#[inline(never)]
fn by_panel<const SUMS: usize, const TWO: bool, const INT8: bool>(
    digits: &[Digits],
    lower: &[Lower],
    panel: &[Chunk],
    out: &mut [f32; 8],
) {
    multiply::<SUMS, TWO, INT8>(digits, lower, out, |c| panel[c]);
}

/// A column by a group's chunks as they come; with bytes there are no lower digits.
#[inline(always)]
fn multiply<const SUMS: usize, const TWO: bool, const INT8: bool>(
    digits: &[Digits],
    lower: &[Lower],
    out: &mut [f32; 8],
    chunk: impl Fn(usize) -> Chunk,
) {
    let mut sums = [f32x4_splat(0.0); 2];
    let none = Lower::default();
    for (c, x) in digits.iter().enumerate() {
        let y = if INT8 { &none } else { &lower[c] };
        let chunk = chunk(c);
        if TWO {
            add(&mut sums, dot::<SUMS, INT8, 0, 4>(&chunk.quants, x, y), &chunk, 0, x.sums[0]);
            add(&mut sums, dot::<SUMS, INT8, 4, 8>(&chunk.quants, x, y), &chunk, 1, x.sums[1]);
        } else {
            add(&mut sums, dot::<SUMS, INT8, 0, 8>(&chunk.quants, x, y), &chunk, 0, x.sums[2]);
        }
    }
    *out = bytemuck::cast(sums);
}

/// Adds products with a half of a chunk, whose elements of the column have a sum, or with all of it.
#[inline(always)]
fn add(sums: &mut [F; 2], dots: [F; 2], chunk: &Chunk, half: usize, sum: f32) {
    for four in 0..2 {
        sums[four] = f32x4_add(f32x4_mul(dots[four], chunk.scale[half][four]), sums[four]);
        sums[four] = f32x4_add(f32x4_mul(chunk.offset[half][four], f32x4_splat(sum)), sums[four]);
    }
}

/// The products of quants with elements `4 · FROM..4 · TO` of a column.
#[inline(always)]
fn dot<const SUMS: usize, const INT8: bool, const FROM: usize, const TO: usize>(
    quants: &[[I; 2]; 8],
    x: &Digits,
    y: &Lower,
) -> [F; 2] {
    let times =
        |dots: [I; 2], scale: f32| dots.map(|dot| f32x4_mul(f32x4_convert_i32x4(dot), f32x4_splat(scale)));
    let high = by_digit::<SUMS, FROM, TO>(quants, &x.high, if INT8 { 1 } else { 256 });
    if INT8 {
        return times(high, x.scale_high);
    }
    let middle = by_digit::<SUMS, FROM, TO>(quants, &y.middle, 1);
    let high = times([i32x4_add(high[0], middle[0]), i32x4_add(high[1], middle[1])], x.scale_high);
    let low = times(by_digit::<SUMS, FROM, TO>(quants, &y.low, 1), x.scale_low);
    [f32x4_add(high[0], low[0]), f32x4_add(high[1], low[1])]
}

/// The products with one digit, times `by`. The compiler knows how often the loop runs, and unrolls it.
#[inline(always)]
fn by_digit<const SUMS: usize, const FROM: usize, const TO: usize>(
    quants: &[[I; 2]; 8],
    x: &[[i8; 4]; 8],
    by: i16,
) -> [I; 2] {
    let (mut sums, mut few) = ([i32x4_splat(0); 2], [i16x8_splat(0); 2]);
    for d in FROM..TO {
        let x = i32x4_splat(i32::from_ne_bytes(x[d].map(i8::cast_unsigned)));
        for four in 0..2 {
            let product = i16x8_relaxed_dot_i8x16_i7x16(x, quants[d][four]);
            few[four] = if d % SUMS == 0 { product } else { i16x8_add(few[four], product) };
            if (d + 1) % SUMS == 0 || d + 1 == TO {
                sums[four] = i32x4_add(sums[four], i32x4_dot_i16x8(few[four], i16x8_splat(by)));
            }
        }
    }
    sums
}

/// The digits of a chunk, or the one byte that there is; what is not finite, or for digits within 2^-7 of the largest finite
/// number, makes all products with it not a number.
fn digits(x: &[f32; 32], int8: bool) -> (Digits, Lower) {
    let x: [F; 8] = bytemuck::cast(*x);
    let mut largest = i32x4_splat(0);
    for v in x {
        largest = i32x4_max(largest, v128_and(v, i32x4_splat(0x7fff_ffff)));
    }
    let largest = bytemuck::cast::<_, [u32; 4]>(largest).into_iter().fold(0, u32::max);
    let (up, scale_high) = if int8 { step_or_nan(largest) } else { powers(largest) };
    let wide = x.map(|v| i32x4_trunc_sat_f32x4(f32x4_nearest(f32x4_mul(v, f32x4_splat(up)))));
    // With 128 in every place, digits carry as those of a positive number do.
    let places = i32x4_splat(if int8 { 0 } else { 0x0080_8080 });
    let all = wide.map(|wide| v128_xor(i32x4_add(wide, places), places));
    let (low, unit) = (bytes_at(&all, 24), if int8 { scale_high } else { scale_high * (1.0 / 256.0) });
    let mut halves = [0i32; 2];
    for (half, wide) in halves.iter_mut().zip(wide.as_chunks::<4>().0) {
        let sum = i32x4_add(i32x4_add(wide[0], wide[1]), i32x4_add(wide[2], wide[3]));
        *half = bytemuck::cast::<_, [i32; 4]>(sum).into_iter().sum();
    }
    let digits = Digits {
        high: if int8 { low } else { bytes_at(&all, 8) },
        scale_high,
        scale_low: unit,
        sums: [halves[0], halves[1], halves[0] + halves[1]].map(|sum| sum as f32 * unit),
    };
    (digits, Lower { middle: bytes_at(&all, 16), low })
}

/// The byte of every word that `shift` moves to its top.
#[inline(always)]
fn bytes_at(all: &[I; 8], shift: u32) -> [[i8; 4]; 8] {
    let at = |v: I| i32x4_shr(i32x4_shl(v, shift), 24);
    let pair = |i: usize| i16x8_narrow_i32x4(at(all[i]), at(all[i + 1]));
    bytemuck::cast([i8x16_narrow_i16x8(pair(0), pair(2)), i8x16_narrow_i16x8(pair(4), pair(6))])
}

#[inline(always)]
fn chunk<const FORMAT: usize>(rows: &Planes<'_>, c: usize) -> Chunk {
    let (scale, offset) = affine::<FORMAT>(rows, 0, c);
    let offset = match const { Format::ALL[FORMAT] } {
        Format::Mxfp4 => scale.map(|four| four.map(|s| f32x4_mul(s, f32x4_splat(-f32::from(ZERO_OF_E2M1))))),
        _ => offset,
    };
    let quants = [quants::<FORMAT>(rows, c, 0), quants::<FORMAT>(rows, c, 1)];
    Chunk { quants: std::array::from_fn(|d| [quants[0][d], quants[1][d]]), scale, offset }
}

/// The quants of the first or the last four rows.
#[inline(always)]
fn quants<const FORMAT: usize>(rows: &Planes<'_>, c: usize, half: usize) -> [I; 8] {
    let extra = |unit, word| bytemuck::cast::<_, [I; 2]>(scales(rows, 0, unit, word))[half];
    match const { Format::ALL[FORMAT] } {
        Format::Mxfp4 => {
            let book = bytemuck::cast(E2M1_CODES.map(|v| v + ZERO_OF_E2M1));
            nibbles(rows, c, half).map(|q| i8x16_swizzle(book, q))
        }
        Format::Q5 => with_fifth(nibbles(rows, c, half), extra(c, 1)),
        Format::Q5K => with_fifth(nibbles(rows, c, half), extra(c / 8, 5 + c % 8)),
        Format::Q6K => {
            let upper = [extra(c / 8, 5 + 2 * (c % 8)), extra(c / 8, 6 + 2 * (c % 8))];
            with_upper_two(nibbles(rows, c, half), upper)
        }
        _ => nibbles(rows, c, half),
    }
}

/// The words of four rows, transposed, a row in every lane.
#[inline(always)]
fn nibbles(rows: &Planes<'_>, c: usize, half: usize) -> [I; 8] {
    let row = |r: usize| bytemuck::cast::<_, I>(cells::<4>(rows.wq, c * 32 + half * 16 + r * 4));
    let (low, other_low) =
        (i32x4_shuffle::<0, 4, 1, 5>(row(0), row(1)), i32x4_shuffle::<0, 4, 1, 5>(row(2), row(3)));
    let (high, other_high) =
        (i32x4_shuffle::<2, 6, 3, 7>(row(0), row(1)), i32x4_shuffle::<2, 6, 3, 7>(row(2), row(3)));
    let words = [
        i64x2_shuffle::<0, 2>(low, other_low),
        i64x2_shuffle::<1, 3>(low, other_low),
        i64x2_shuffle::<0, 2>(high, other_high),
        i64x2_shuffle::<1, 3>(high, other_high),
    ];
    let mask = i8x16_splat(15);
    let [a, b, d, e] = words.map(|w| v128_and(w, mask));
    let [f, g, h, i] = words.map(|w| v128_and(u16x8_shr(w, 4), mask));
    [a, b, d, e, f, g, h, i]
}

/// Nibbles with the bits of a word as their fifth.
#[inline(always)]
fn with_fifth(mut q: [I; 8], word: I) -> [I; 8] {
    let bits = [i32x4_splat(0x0804_0201), i32x4_splat(0x8040_2010_u32.cast_signed())];
    for d in 0..8 {
        let has = i8x16_eq(v128_and(all_four(word, d / 2), bits[d % 2]), bits[d % 2]);
        q[d] = v128_or(q[d], v128_and(has, i8x16_splat(16)));
    }
    q
}

/// Nibbles with the pairs of bits of two words, one for each half, above them.
#[inline(always)]
fn with_upper_two(mut q: [I; 8], upper: [I; 2]) -> [I; 8] {
    // Bits 0 and 1 of a lane of 16 go to 4 and 5, bits 2 and 3 to 12 and 13; where they lie four higher, so.
    let (kept, factor) = (i32x4_splat(0x00f0_000f), i32x4_splat(65 << 16 | 1040));
    for d in 0..8 {
        let pairs = v128_and(all_four(upper[d / 4], d % 4), kept);
        q[d] = v128_or(q[d], v128_and(i16x8_mul(pairs, factor), i16x8_splat(0x3030)));
    }
    q
}

/// A byte of each lane in all its four.
#[inline(always)]
fn all_four(word: I, byte: usize) -> I {
    let at = i8x16(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
    i8x16_swizzle(word, i8x16_add(at, i8x16_splat(byte as i8)))
}
