//! Products of bytes, for AVX-512 with VNNI: weights as unsigned bytes by the digits of activations, two row groups at a time.

use std::arch::x86_64::*;
use std::ops::Range;

use super::ahead::{Ahead, Strides};
use super::avx512::{affine, floats_of_rows, four_rows};
use super::digits::Columns;
use super::dots::{Chunk, I, Tile, add_bytes, add_chunks, add_digits, vnni};
use super::product::Product;
use super::take::{n_tile, tile_of, with_digits};
use super::words::{E2M1_CODES, IQ4_CODES, scales};
use crate::cpu::dequant::Planes;
use crate::format::{Format, PlaneLayout};

/// Most chunks that are unpacked before columns are multiplied by them: 6 KiB, so that the digits of eight columns have room
/// beside them in a cache of 32 KiB.
const BLOCK: usize = 8;
/// Added to signed quants, which makes them unsigned.
const ZERO_OF_BYTES: i8 = -128;
const ZERO_OF_E2M1: i8 = 12;

/// How a product's columns and chunks are cut, and room for unpacked chunks.
struct Blocks {
    chunks: Vec<Range<usize>>,
    tiles: Vec<Range<usize>>,
    strides: Strides,
    panel: [Chunk; BLOCK],
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
        with_digits(product, &|columns| {
            if product.int8 {
                run::<FORMAT, true>(product, columns, parts.clone());
            } else {
                run::<FORMAT, false>(product, columns, parts.clone());
            }
        });
    }

    /// Two runs of groups side by side, so that each is read from memory as it lies there: what fetches ahead of the loads
    /// follows long runs, not groups that take turns.
    fn run<const FORMAT: usize, const INT8: bool>(product: &Product<'_>, digits: &Columns, parts: Range<usize>) {
        let (n, step) = (product.n_columns(), product.step);
        let (first, n_pair) = (2 * parts.start, parts.len());
        let mut sums = vec![[0.0; 16]; n * step];
        let mut blocks = blocks(product);
        for pair in first..first + n_pair {
            // The last group may be alone.
            let other = if pair + n_pair < product.n_groups() { pair + n_pair } else { pair };
            for part in 0..step {
                let groups = [pair, other].map(|i| i * step + part);
                let sums = &mut sums[n * part..][..n];
                if product.p.by_expert == 1 {
                    for column in 0..n {
                        if let Some(first) = product.experts[column] {
                            let groups = groups.map(|g| first + g);
                            few_columns::<FORMAT, INT8, 1>(product, digits, groups, column, &mut sums[column..]);
                        }
                    }
                    continue;
                }
                match n {
                    1 => few_columns::<FORMAT, INT8, 1>(product, digits, groups, 0, sums),
                    2 => few_columns::<FORMAT, INT8, 2>(product, digits, groups, 0, sums),
                    3 => few_columns::<FORMAT, INT8, 3>(product, digits, groups, 0, sums),
                    4 => few_columns::<FORMAT, INT8, 4>(product, digits, groups, 0, sums),
                    _ => all_columns::<FORMAT, INT8>(product, digits, groups, &mut blocks, sums),
                }
            }
            let sums: &[f32] = sums.as_flattened();
            product.store_group(pair, sums, 2);
            if other != pair {
                product.store_group(other, &sums[8..], 2);
            }
        }
    }

    /// `N` columns from column `first` on, which are a tile, by chunks as they are unpacked.
    fn few_columns<const FORMAT: usize, const INT8: bool, const N: usize>(
        product: &Product<'_>,
        columns: &Columns,
        groups: [usize; 2],
        first: usize,
        out: &mut [[f32; 16]],
    ) {
        let n_chunk = product.k / 32;
        let rows = groups.map(|g| rows::<FORMAT>(&product.planes, g));
        let digits = columns.digits[first * n_chunk..].as_chunks::<N>().0;
        let lower = columns.lower.get(first * n_chunk..).unwrap_or_default().as_chunks::<N>().0;
        let mut sums = [_mm512_setzero_ps(); N];
        let mut chunk = empty();
        for (c, digits) in digits[..n_chunk].iter().enumerate() {
            unpack::<FORMAT>(&rows, c, &mut chunk);
            match const { (has_two_scales(Format::ALL[FORMAT]), INT8) } {
                (true, true) => add_bytes::<true, N>(&chunk, digits, &mut sums),
                (true, false) => add_digits::<true, N>(&chunk, digits, &lower[c], &mut sums),
                (false, true) => add_bytes::<false, N>(&chunk, digits, &mut sums),
                (false, false) => add_digits::<false, N>(&chunk, digits, &lower[c], &mut sums),
            }
        }
        for i in 0..N {
            out[i] = in_order(bytemuck::cast(sums[i]));
        }
    }

    /// All columns: some chunks are unpacked, then each tile is multiplied by them, the first while what comes next is on its
    /// way from memory.
    fn all_columns<const FORMAT: usize, const INT8: bool>(
        product: &Product<'_>,
        columns: &Columns,
        groups: [usize; 2],
        blocks: &mut Blocks,
        sums: &mut [[f32; 16]],
    ) {
        let n_chunk = product.k / 32;
        let rows = groups.map(|g| rows::<FORMAT>(&product.planes, g));
        let Blocks { chunks, tiles, strides, panel } = blocks;
        sums.fill([0.0; 16]);
        for (i, now) in chunks.iter().enumerate() {
            for (c, chunk) in now.clone().zip(&mut *panel) {
                unpack::<FORMAT>(&rows, c, chunk);
            }
            let panel = &panel[..now.len()];
            let next = chunks.get(i + 1).unwrap_or(&chunks[0]).len();
            // Behind the last chunk of a group is the first of the next.
            let mut ahead = Ahead::of(&product.planes, strides, groups, now.end, next);
            for tile in &*tiles {
                let from = tile.start * n_chunk + now.start * tile.len();
                let digits = Tile {
                    digits: &columns.digits[from..],
                    lower: columns.lower.get(from..).unwrap_or_default(),
                };
                let sums = &mut sums[tile.clone()];
                // From the second tile on there is nothing left to look at.
                if const { has_two_scales(Format::ALL[FORMAT]) } {
                    add_chunks::<true, INT8>(panel, &digits, sums, &mut ahead);
                } else {
                    add_chunks::<false, INT8>(panel, &digits, sums, &mut ahead);
                }
            }
        }
        for sums in sums {
            *sums = in_order(*sums);
        }
    }

    /// The planes of a group.
    fn rows<'a, const FORMAT: usize>(planes: &Planes<'a>, g: usize) -> Planes<'a> {
        let layout = PlaneLayout { format: const { Format::ALL[FORMAT] }, ..planes.layout };
        let (wq, ws) = (layout.wq_group_bytes() as usize / 4, layout.ws_group_bytes() as usize / 4);
        Planes { wq: &planes.wq[g * wq..][..wq], ws: &planes.ws[g * ws..][..ws], layout }
    }

    /// Sums of lanes as sums of rows.
    #[inline]
    fn in_order(sums: [f32; 16]) -> [f32; 16] {
        bytemuck::cast(_mm512_permutexvar_ps(row_of_lane(), bytemuck::cast(sums)))
    }

    /// Transposing twice is nothing: this is also the lane of a row.
    #[inline]
    fn row_of_lane() -> I {
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
    }

    fn blocks(product: &Product<'_>) -> Blocks {
        let (n, n_tile, n_chunk) = (product.n_columns(), n_tile(product), product.k / 32);
        let n_block = n_chunk.div_ceil(BLOCK);
        Blocks {
            chunks: (0..n_block).map(|i| n_chunk * i / n_block..n_chunk * (i + 1) / n_block).collect(),
            tiles: (0..n_tile).map(|i| tile_of(n, n_tile, i)).collect(),
            strides: Strides::of(&product.planes),
            panel: [empty(); BLOCK],
        }
    }

    #[inline]
    fn empty() -> Chunk {
        let (quants, zero) = ([_mm512_setzero_si512(); 8], [_mm512_setzero_ps(); 2]);
        Chunk { quants, scale: zero, offset: zero }
    }

    /// Chunk `c` of the rows of two groups, made in its place.
    #[inline]
    fn unpack<const FORMAT: usize>(rows: &[Planes<'_>; 2], c: usize, chunk: &mut Chunk) {
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
        chunk.quants = quants::<FORMAT>(rows, c);
        // What is not stored need not be: stores take as long as all else here.
        let n = const { if has_two_scales(Format::ALL[FORMAT]) { 2 } else { 1 } };
        chunk.scale[..n].copy_from_slice(&scale[..n]);
        chunk.offset[..n].copy_from_slice(&offset[..n]);
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
