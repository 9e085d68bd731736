//! Taking activations as digits, for AVX-512: `[tile][chunk][column]`. Every thread takes those of all columns for itself: a
//! chunk takes 15 ns, and reading the digits that another core has just written takes longer.

use std::arch::x86_64::*;
use std::ops::Range;

use super::digits::{Columns, Digits, Lower, ROOM, powers};
use super::dots::{F, I, MOST, vnni};
use super::product::Product;
use super::words::cells;
use crate::cpu::bytes::step_or_nan;

vnni! {
    /// Calls `work` with the digits of a product's columns.
    pub(super) fn with_digits(product: &Product<'_>, work: &dyn Fn(&Columns)) {
        let mut columns = ROOM.take();
        if columns.of != product.id {
            take(product, &mut columns);
        }
        work(&columns);
        ROOM.set(columns);
    }

    fn take(product: &Product<'_>, to: &mut Columns) {
        let (n, n_tile, n_chunk) = (product.n_columns(), n_tile(product), product.k / 32);
        to.make_room(n * n_chunk, product.int8);
        to.of = product.id;
        let n_float = product.columns.len() / product.k;
        for tile in (0..n_tile).map(|i| tile_of(n, n_tile, i)) {
            for column in tile.clone() {
                for c in 0..n_chunk {
                    let x: [f32; 32] = match column.checked_sub(n_float) {
                        None => product.columns.as_chunks().0[column * n_chunk + c],
                        Some(row) => bytemuck::cast(cells::<32>(product.rows, row * product.k + 32 * c)),
                    };
                    let at = tile.start * n_chunk + c * tile.len() + column - tile.start;
                    if product.int8 {
                        to.digits[at] = one_digit(bytemuck::cast(x));
                    } else {
                        (to.digits[at], to.lower[at]) = digits(bytemuck::cast(x));
                    }
                }
            }
        }
    }

    /// The digits of a chunk; what is not finite, or within 2^-7 of the largest finite number, makes all products with it not
    /// a number.
    #[inline]
    fn digits(x: [F; 2]) -> (Digits, Lower) {
        let (up, scale_high) = powers(largest(x));
        let wide = x.map(|x| _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(up))));
        // With 128 in every place, digits carry as those of a positive number do.
        let places = _mm512_set1_epi32(0x0080_8080);
        let all = wide.map(|wide| _mm512_xor_si512(_mm512_add_epi32(wide, places), places));
        let digit = |all: [I; 2]| bytemuck::cast(all.map(|all| _mm512_cvtepi32_epi8(all)));
        let scale_low = scale_high * (1.0 / 256.0);
        let digits = Digits {
            high: digit(all.map(|all| _mm512_srli_epi32::<16>(all))),
            scale_high,
            scale_low,
            sums: sums(wide, scale_low),
        };
        (digits, Lower { middle: digit(all.map(|all| _mm512_srli_epi32::<8>(all))), low: digit(all) })
    }

    /// A chunk in bytes, the one digit that there is.
    #[inline]
    fn one_digit(x: [F; 2]) -> Digits {
        let (inverse, scale_high) = step_or_nan(largest(x));
        let wide = x.map(|x| _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(inverse))));
        let high = bytemuck::cast(wide.map(|wide| _mm512_cvtepi32_epi8(wide)));
        Digits { high, scale_high, scale_low: 0.0, sums: sums(wide, scale_high) }
    }

    /// The bits of the largest magnitude.
    #[inline]
    fn largest(x: [F; 2]) -> u32 {
        let size = x.map(|x| _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fff_ffff)));
        _mm512_reduce_max_epi32(_mm512_max_epi32(size[0], size[1])).cast_unsigned()
    }

    #[inline]
    fn sums(wide: [I; 2], scale: f32) -> [f32; 3] {
        let halves = wide.map(|wide| _mm512_reduce_add_epi32(wide));
        [halves[0], halves[1], halves[0].wrapping_add(halves[1])].map(|sum| sum as f32 * scale)
    }
}

/// Tiles of a product's columns; experts differ from column to column, so that each is a tile.
pub(super) fn n_tile(product: &Product<'_>) -> usize {
    if product.p.by_expert == 1 { product.n_columns() } else { product.n_columns().div_ceil(MOST) }
}

/// The columns of tile `i`: tiles of about as many columns each.
pub(super) const fn tile_of(n: usize, n_tile: usize, i: usize) -> Range<usize> {
    n * i / n_tile..n * (i + 1) / n_tile
}
