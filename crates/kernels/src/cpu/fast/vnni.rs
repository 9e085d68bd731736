//! Products of bytes, for AVX-512 with VNNI: weights as unsigned bytes by the digits of activations.
//!
//! Two row groups at a time: each of the sixteen lanes is a row. A column's sums are the same bit for bit whatever other
//! columns are computed with it.

use std::arch::x86_64::*;
use std::borrow::Borrow;
use std::ops::Range;

use super::avx512::{affine, floats_of_rows, four_rows};
use super::digits::{Digits, powers, room};
use super::product::Product;
use super::words::{E2M1_CODES, IQ4_CODES, cells, scales};
use crate::cpu::bytes::step_or_nan;
use crate::cpu::dequant::Planes;
use crate::format::{Format, PlaneLayout};

type I = __m512i;
type F = __m512;

/// Most columns whose sums stay in registers beside the weights of a chunk.
const MOST: usize = 8;
/// Added to signed quants, which makes them unsigned.
const ZERO_OF_BYTES: i8 = -128;
const ZERO_OF_E2M1: i8 = 12;

/// A chunk of sixteen rows: `weight = scale · q + offset` in each half.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    /// Elements `4d..` of every row.
    quants: [I; 8],
    scale: [F; 2],
    offset: [F; 2],
}

/// Defines functions compiled for these processors; generics that are not constants alone stand in square brackets.
macro_rules! vnni {
    ($(
        $(#[$docs:meta])*
        $vis:vis fn $name:ident $(<$($l:lifetime,)? $(const $n:ident: $t:ty),+>)? $([$($any:tt)+])? ($($args:tt)*) $(-> $out:ty)? $body:block
    )*) => {
        $(
            $(#[$docs])*
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
            $vis fn $name $(<$($l,)? $(const $n: $t),+>)? $(<$($any)+>)? ($($args)*) $(-> $out)? $body
        )*
    };
}

vnni! {
    /// Computes and stores parts of a product whose activations are digits.
    pub(super) fn multiply_bytes(product: &Product<'_>, parts: Range<usize>) {
        match product.planes.layout.format {
            // Their activations are never digits.
            Format::F32 | Format::F16 | Format::Bf16 => {}
            Format::Q4 => by_digits::<{ Format::Q4 as usize }>(product, parts),
            Format::Q5 => by_digits::<{ Format::Q5 as usize }>(product, parts),
            Format::Q8 => by_digits::<{ Format::Q8 as usize }>(product, parts),
            Format::Iq4 => by_digits::<{ Format::Iq4 as usize }>(product, parts),
            Format::Mxfp4 => by_digits::<{ Format::Mxfp4 as usize }>(product, parts),
            Format::Q4K => by_digits::<{ Format::Q4K as usize }>(product, parts),
            Format::Q5K => by_digits::<{ Format::Q5K as usize }>(product, parts),
            Format::Q6K => by_digits::<{ Format::Q6K as usize }>(product, parts),
            Format::Q3K => by_digits::<{ Format::Q3K as usize }>(product, parts),
            Format::Q2K => by_digits::<{ Format::Q2K as usize }>(product, parts),
        }
    }

    fn by_digits<const FORMAT: usize>(product: &Product<'_>, parts: Range<usize>) {
        if product.int8 {
            run::<FORMAT, true>(product, parts);
        } else {
            run::<FORMAT, false>(product, parts);
        }
    }

    /// Takes the digits of a product's columns.
    pub(super) fn take_digits(product: &mut Product<'_>) {
        if product.int8 {
            take::<true>(product);
        } else {
            take::<false>(product);
        }
    }

    fn take<const INT8: bool>(product: &mut Product<'_>) {
        product.digits = room();
        product.digits.reserve((product.columns.len() + product.rows.len()) / 32);
        for x in product.columns.as_chunks::<32>().0 {
            product.digits.push(if INT8 { one_digit(x) } else { digits(x) });
        }
        for x in product.rows.as_chunks::<32>().0 {
            let x = bytemuck::cast(cells::<32>(x, 0));
            product.digits.push(if INT8 { one_digit(&x) } else { digits(&x) });
        }
    }

    /// Two runs of groups side by side, so that each is read from memory as it lies there: what fetches ahead of the loads
    /// follows long runs, not groups that take turns.
    fn run<const FORMAT: usize, const INT8: bool>(product: &Product<'_>, parts: Range<usize>) {
        let (n, step) = (product.n_columns(), product.step);
        let (first, n_pair) = (2 * parts.start, parts.len());
        let mut sums = vec![0.0; 16 * n * step];
        let mut panel = Vec::with_capacity(product.k / 32);
        let mut seen = 0;
        for pair in first..first + n_pair {
            // The last group may be alone.
            let other = if pair + n_pair < product.n_groups() { pair + n_pair } else { pair };
            for part in 0..step {
                let groups = [pair, other].map(|i| i * step + part);
                let sums = &mut sums[16 * n * part..][..16 * n];
                if product.p.by_expert == 1 {
                    for column in 0..n {
                        if let Some(first) = product.experts[column] {
                            let rows = groups.map(|g| rows::<FORMAT>(&product.planes, first + g));
                            columns::<_, FORMAT, INT8>(product, column..column + 1, sums, |c| chunk::<FORMAT>(&rows, c));
                        }
                    }
                    continue;
                }
                let rows = groups.map(|g| rows::<FORMAT>(&product.planes, g));
                // Tiles of about as many columns each: the first unpacks, the second looks at what will be read next.
                let n_tile = n.div_ceil(MOST);
                let tile = |i: usize| n * i / n_tile..n * (i + 1) / n_tile;
                panel.clear();
                columns::<_, FORMAT, INT8>(product, tile(0), sums, |c| {
                    let chunk = chunk::<FORMAT>(&rows, c);
                    if n_tile > 1 {
                        panel.push(chunk);
                    }
                    chunk
                });
                let next = groups.map(|g| next_rows::<FORMAT>(&product.planes, g + 1));
                for i in 1..n_tile {
                    columns::<_, FORMAT, INT8>(product, tile(i), sums, |c| {
                        if i == 1 {
                            seen |= look::<FORMAT>(&next, c);
                        }
                        &panel[c]
                    });
                }
            }
            product.store_group(pair, &sums, 2);
            if other != pair {
                product.store_group(other, &sums[8..], 2);
            }
        }
        std::hint::black_box(seen);
    }

    /// The planes of a group, or of the last.
    fn next_rows<'a, const FORMAT: usize>(planes: &Planes<'a>, g: usize) -> Planes<'a> {
        let wq = planes.layout.wq_group_bytes() as usize / 4;
        rows::<FORMAT>(planes, g.min(planes.wq.len() / wq - 1))
    }

    /// Reads something of every cache line of chunk `c`, so that it is on its way when it is needed.
    #[inline]
    fn look<const FORMAT: usize>(rows: &[Planes<'_>; 2], c: usize) -> u32 {
        let mut seen = 0;
        for rows in rows {
            let n = rows.layout.format.words_per_chunk() as usize * 32;
            for line in rows.wq[c * n..][..n].as_chunks::<16>().0 {
                seen |= line[0].get();
            }
        }
        seen
    }

    /// The planes of a group.
    fn rows<'a, const FORMAT: usize>(planes: &Planes<'a>, g: usize) -> Planes<'a> {
        let layout = PlaneLayout { format: const { Format::ALL[FORMAT] }, ..planes.layout };
        let (wq, ws) = (layout.wq_group_bytes() as usize / 4, layout.ws_group_bytes() as usize / 4);
        Planes { wq: &planes.wq[g * wq..][..wq], ws: &planes.ws[g * ws..][..ws], layout }
    }

    /// Some columns, `MOST` at most, by chunks of weights as they come.
    #[inline]
    fn columns[C: Borrow<Chunk>, const FORMAT: usize, const INT8: bool](
        product: &Product<'_>,
        columns: Range<usize>,
        out: &mut [f32],
        chunk: impl FnMut(usize) -> C,
    ) {
        match columns.len() {
            1 => tile::<_, FORMAT, INT8, 1>(product, columns.start, out, chunk),
            2 => tile::<_, FORMAT, INT8, 2>(product, columns.start, out, chunk),
            3 => tile::<_, FORMAT, INT8, 3>(product, columns.start, out, chunk),
            4 => tile::<_, FORMAT, INT8, 4>(product, columns.start, out, chunk),
            5 => tile::<_, FORMAT, INT8, 5>(product, columns.start, out, chunk),
            6 => tile::<_, FORMAT, INT8, 6>(product, columns.start, out, chunk),
            7 => tile::<_, FORMAT, INT8, 7>(product, columns.start, out, chunk),
            _ => tile::<_, FORMAT, INT8, MOST>(product, columns.start, out, chunk),
        }
    }

    /// `N` columns from column `first` on, whose sums stay in registers.
    fn tile[C: Borrow<Chunk>, const FORMAT: usize, const INT8: bool, const N: usize](
        product: &Product<'_>,
        first: usize,
        out: &mut [f32],
        mut chunk: impl FnMut(usize) -> C,
    ) {
        let (two, n_chunk) = (has_two_scales(const { Format::ALL[FORMAT] }), product.k / 32);
        let columns: [&[Digits]; N] =
            std::array::from_fn(|column| &product.digits[(first + column) * n_chunk..][..n_chunk]);
        let mut sums = [_mm512_setzero_ps(); N];
        for c in 0..n_chunk {
            let chunk = chunk(c);
            let chunk = chunk.borrow();
            for half in 0..if two { 2 } else { 1 } {
                let quants = if two { &chunk.quants[4 * half..4 * half + 4] } else { &chunk.quants[..] };
                // Strands side by side, as many as the processor looks ahead over: two of two columns, or one of four.
                let at_once = if INT8 { 4 } else { 2 };
                for from in (0..N).step_by(at_once) {
                    // The last may be fewer: sums of their doubles are used by nobody, and the compiler leaves them out.
                    let x = std::array::from_fn(|i| &columns[(from + i).min(N - 1)][c]);
                    let dots = if INT8 { dots_of_one(quants, 4 * half, x) } else { dots_of_three(quants, 4 * half, x) };
                    for (column, dot) in (from..N).zip(&dots[..at_once]) {
                        let sum = _mm512_set1_ps(columns[column][c].sums[if two { half } else { 2 }]);
                        sums[column] = _mm512_fmadd_ps(*dot, chunk.scale[half], sums[column]);
                        sums[column] = _mm512_fmadd_ps(chunk.offset[half], sum, sums[column]);
                    }
                }
            }
        }
        store::<N>(sums, first, out);
    }

    /// The products of quants with the digits `from..` of the first two columns.
    #[inline]
    fn dots_of_three(quants: &[I], from: usize, x: [&Digits; 4]) -> [F; 4] {
        let (mut high, mut low) = ([_mm512_setzero_si512(); 2], [_mm512_setzero_si512(); 2]);
        for (d, quants) in (from..).zip(quants) {
            for i in 0..2 {
                high[i] = _mm512_dpbusd_epi32(high[i], *quants, four(&x[i].high[d]));
                low[i] = _mm512_dpbusd_epi32(low[i], *quants, four(&x[i].low[d]));
            }
        }
        high = high.map(|high| _mm512_slli_epi32::<8>(high));
        for (d, quants) in (from..).zip(quants) {
            for i in 0..2 {
                high[i] = _mm512_dpbusd_epi32(high[i], *quants, four(&x[i].middle[d]));
            }
        }
        let mut dots = [_mm512_setzero_ps(); 4];
        for i in 0..2 {
            let low = _mm512_mul_ps(_mm512_cvtepi32_ps(low[i]), _mm512_set1_ps(x[i].scale_low));
            dots[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high[i]), _mm512_set1_ps(x[i].scale_high), low);
        }
        dots
    }

    /// The products of quants with the bytes `from..` of four columns.
    #[inline]
    fn dots_of_one(quants: &[I], from: usize, x: [&Digits; 4]) -> [F; 4] {
        let mut sums = [_mm512_setzero_si512(); 4];
        for (d, quants) in (from..).zip(quants) {
            for i in 0..4 {
                sums[i] = _mm512_dpbusd_epi32(sums[i], *quants, four(&x[i].high[d]));
            }
        }
        let mut dots = [_mm512_setzero_ps(); 4];
        for i in 0..4 {
            dots[i] = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[i]), _mm512_set1_ps(x[i].scale_high));
        }
        dots
    }

    /// The digits of a chunk; what is not finite, or within 2^-7 of the largest finite number, makes all products with it not
    /// a number.
    #[inline]
    fn digits(x: &[f32; 32]) -> Digits {
        let x: [F; 2] = bytemuck::cast(*x);
        let size = x.map(|x| _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fff_ffff)));
        let largest = _mm512_reduce_max_epi32(_mm512_max_epi32(size[0], size[1]));
        let (up, scale_high) = powers(largest.cast_unsigned());
        let wide = x.map(|x| _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(up))));
        // With 128 in every place, digits carry as those of a positive number do.
        let places = _mm512_set1_epi32(0x0080_8080);
        let all = wide.map(|wide| _mm512_xor_si512(_mm512_add_epi32(wide, places), places));
        let digit = |all: [I; 2]| bytemuck::cast(all.map(|all| _mm512_cvtepi32_epi8(all)));
        let scale_low = scale_high * (1.0 / 256.0);
        let halves = wide.map(|wide| _mm512_reduce_add_epi32(wide));
        Digits {
            high: digit(all.map(|all| _mm512_srli_epi32::<16>(all))),
            middle: digit(all.map(|all| _mm512_srli_epi32::<8>(all))),
            low: digit(all),
            scale_high,
            scale_low,
            sums: [halves[0], halves[1], halves[0].wrapping_add(halves[1])].map(|sum| sum as f32 * scale_low),
        }
    }

    /// A chunk in bytes, the one digit that there is.
    #[inline]
    fn one_digit(x: &[f32; 32]) -> Digits {
        let x: [F; 2] = bytemuck::cast(*x);
        let size = x.map(|x| _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fff_ffff)));
        let largest = _mm512_reduce_max_epi32(_mm512_max_epi32(size[0], size[1]));
        let (inverse, scale_high) = step_or_nan(largest.cast_unsigned());
        let wide = x.map(|x| _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(inverse))));
        let halves = wide.map(|wide| _mm512_reduce_add_epi32(wide));
        Digits {
            high: bytemuck::cast(wide.map(|wide| _mm512_cvtepi32_epi8(wide))),
            scale_high,
            scale_low: 0.0,
            sums: [halves[0], halves[1], halves[0] + halves[1]].map(|sum| sum as f32 * scale_high),
            middle: [[0; 4]; 8],
            low: [[0; 4]; 8],
        }
    }

    #[inline]
    fn four(digits: &[i8; 4]) -> I {
        _mm512_set1_epi32(i32::from_ne_bytes(digits.map(i8::cast_unsigned)))
    }

    /// Stores sums, `[column][group][8]`.
    #[inline]
    fn store<const N: usize>(sums: [F; N], first: usize, out: &mut [f32]) {
        for (sums, out) in sums.into_iter().zip(out[16 * first..].as_chunks_mut::<16>().0) {
            *out = bytemuck::cast(_mm512_permutexvar_ps(row_of_lane(), sums));
        }
    }

    /// Transposing twice is nothing: this is also the lane of a row.
    #[inline]
    fn row_of_lane() -> I {
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
    }

    /// Chunk `c` of the rows of two groups.
    #[inline]
    fn chunk<const FORMAT: usize>(rows: &[Planes<'_>; 2], c: usize) -> Chunk {
        let format = const { Format::ALL[FORMAT] };
        let ((scale0, offset0), (scale1, offset1)) =
            (affine::<FORMAT>(&rows[0], 0, c), affine::<FORMAT>(&rows[1], 0, c));
        let join = |a, b| _mm512_permutexvar_ps(row_of_lane(), floats_of_rows(a, b));
        let scale = [join(scale0[0], scale1[0]), join(scale0[1], scale1[1])];
        let offset = match format {
            Format::Q8 | Format::Iq4 => scale.map(|s| _mm512_mul_ps(s, _mm512_set1_ps(f32::from(ZERO_OF_BYTES)))),
            Format::Mxfp4 => scale.map(|s| _mm512_mul_ps(s, _mm512_set1_ps(-f32::from(ZERO_OF_E2M1)))),
            _ => [join(offset0[0], offset1[0]), join(offset0[1], offset1[1])],
        };
        Chunk { quants: quants::<FORMAT>(rows, c), scale, offset }
    }

    #[inline]
    fn quants<const FORMAT: usize>(rows: &[Planes<'_>; 2], c: usize) -> [I; 8] {
        let of_rows = |word: [u32; 8], other: [u32; 8]| {
            let both: [u32; 16] = bytemuck::cast([word, other]);
            _mm512_permutexvar_epi32(row_of_lane(), bytemuck::cast(both))
        };
        let extra = |unit, word| of_rows(scales(&rows[0], 0, unit, word), scales(&rows[1], 0, unit, word));
        match const { Format::ALL[FORMAT] } {
            Format::Q8 => {
                let (a, b) = (four_words(rows, c, 0, 2), four_words(rows, c, 1, 2));
                let zero = _mm512_set1_epi8(ZERO_OF_BYTES);
                [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]].map(|w| _mm512_xor_si512(w, zero))
            }
            Format::Iq4 => from_book(nibbles(rows, c), IQ4_CODES.map(|v| v ^ ZERO_OF_BYTES)),
            Format::Mxfp4 => from_book(nibbles(rows, c), E2M1_CODES.map(|v| v + ZERO_OF_E2M1)),
            Format::Q5 => with_fifth(nibbles(rows, c), extra(c, 1)),
            Format::Q5K => with_fifth(nibbles(rows, c), extra(c / 8, 5 + c % 8)),
            Format::Q6K => {
                let upper = [extra(c / 8, 5 + 2 * (c % 8)), extra(c / 8, 6 + 2 * (c % 8))];
                with_upper_two(nibbles(rows, c), upper)
            }
            _ => nibbles(rows, c),
        }
    }

    /// Each of the four words `v` of the `n_v` of a chunk, a row in every lane.
    #[inline]
    fn four_words(rows: &[Planes<'_>; 2], c: usize, v: usize, n_v: usize) -> [I; 4] {
        let at = (c * n_v + v) * 32;
        let (a, b) = (four_rows(rows[0].wq, at), four_rows(rows[0].wq, at + 16));
        let (d, e) = (four_rows(rows[1].wq, at), four_rows(rows[1].wq, at + 16));
        let (low0, low1) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(d, e));
        let (high0, high1) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(d, e));
        [
            _mm512_unpacklo_epi64(low0, low1),
            _mm512_unpackhi_epi64(low0, low1),
            _mm512_unpacklo_epi64(high0, high1),
            _mm512_unpackhi_epi64(high0, high1),
        ]
    }

    #[inline]
    fn nibbles(rows: &[Planes<'_>; 2], c: usize) -> [I; 8] {
        let [a, b, d, e] = four_words(rows, c, 0, 1);
        let mask = _mm512_set1_epi8(15);
        let low = |w| _mm512_and_si512(w, mask);
        let high = |w| _mm512_and_si512(_mm512_srli_epi16::<4>(w), mask);
        [low(a), low(b), low(d), low(e), high(a), high(b), high(d), high(e)]
    }

    #[inline]
    fn from_book(q: [I; 8], book: [i8; 16]) -> [I; 8] {
        let book = _mm512_broadcast_i32x4(bytemuck::cast(book));
        q.map(|q| _mm512_shuffle_epi8(book, q))
    }

    /// Nibbles with the bits of a word as their fifth.
    #[inline]
    fn with_fifth(mut q: [I; 8], word: I) -> [I; 8] {
        let bits = [_mm512_set1_epi32(0x0804_0201), _mm512_set1_epi32(0x8040_2010_u32.cast_signed())];
        for d in 0..8 {
            let has = _mm512_test_epi8_mask(all_four(word, d / 2), bits[d % 2]);
            q[d] = _mm512_mask_add_epi8(q[d], has, q[d], _mm512_set1_epi8(16));
        }
        q
    }

    /// Nibbles with the pairs of bits of two words, one for each half, above them.
    #[inline]
    fn with_upper_two(mut q: [I; 8], upper: [I; 2]) -> [I; 8] {
        // Bits 0 and 1 of a lane of 16 go to 4 and 5, bits 2 and 3 to 12 and 13; where they lie four higher, so.
        let (kept, factor) = (_mm512_set1_epi32(0x00f0_000f), _mm512_set1_epi32(65 << 16 | 1040));
        for d in 0..8 {
            let pairs = _mm512_and_si512(all_four(upper[d / 4], d % 4), kept);
            let moved = _mm512_and_si512(_mm512_mullo_epi16(pairs, factor), _mm512_set1_epi16(0x3030));
            q[d] = _mm512_or_si512(q[d], moved);
        }
        q
    }

    /// A byte of each lane in all its four.
    #[inline]
    fn all_four(word: I, byte: usize) -> I {
        let (first, lanes) = (_mm512_set1_epi8(byte as i8), _mm512_set4_epi32(0x0c0c_0c0c, 0x0808_0808, 0x0404_0404, 0));
        _mm512_shuffle_epi8(word, _mm512_add_epi8(first, lanes))
    }
}

const fn has_two_scales(format: Format) -> bool {
    matches!(format, Format::Q6K | Format::Q3K | Format::Q2K)
}
