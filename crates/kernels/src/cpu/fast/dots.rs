//! Products of bytes, for AVX-512 with VNNI: unpacked chunks of weights by the digits of up to sixteen columns. Each of the
//! sixteen lanes is a row. A column's sums are the same bit for bit whatever other columns are computed with it.

use std::arch::x86_64::*;

use super::ahead::Ahead;
use super::digits::{Digits, Lower};

pub(super) type I = __m512i;
pub(super) type F = __m512;

/// Most columns whose sums stay in registers beside the weights of a chunk and the strands of four products.
pub(super) const MOST: usize = 16;

/// A chunk of sixteen rows: `weight = scale · q + offset` in each half.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    /// Elements `4d..` of every row.
    pub(super) quants: [I; 8],
    pub(super) scale: [F; 2],
    pub(super) offset: [F; 2],
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
pub(super) use vnni;

/// Columns of a tile: of each the digits of all chunks, `[chunk][column]`.
pub(super) struct Tile<'a> {
    pub(super) digits: &'a [Digits],
    /// Empty where one digit is all there is.
    pub(super) lower: &'a [Lower],
}

vnni! {
    /// Adds the products of chunks that lie one behind the other to the sums of `sums.len()` columns, 16 at most; at every chunk
    /// something of what comes next is looked at.
    pub(super) fn add_chunks[const TWO: bool, const INT8: bool](
        chunks: &[Chunk],
        tile: &Tile<'_>,
        sums: &mut [[f32; 16]],
        ahead: &mut Ahead<'_>,
    ) {
        match sums.len() {
            1 => add::<TWO, INT8, 1>(chunks, tile, sums, ahead),
            2 => add::<TWO, INT8, 2>(chunks, tile, sums, ahead),
            3 => add::<TWO, INT8, 3>(chunks, tile, sums, ahead),
            4 => add::<TWO, INT8, 4>(chunks, tile, sums, ahead),
            5 => add::<TWO, INT8, 5>(chunks, tile, sums, ahead),
            6 => add::<TWO, INT8, 6>(chunks, tile, sums, ahead),
            7 => add::<TWO, INT8, 7>(chunks, tile, sums, ahead),
            8 => add::<TWO, INT8, 8>(chunks, tile, sums, ahead),
            9 => add::<TWO, INT8, 9>(chunks, tile, sums, ahead),
            10 => add::<TWO, INT8, 10>(chunks, tile, sums, ahead),
            11 => add::<TWO, INT8, 11>(chunks, tile, sums, ahead),
            12 => add::<TWO, INT8, 12>(chunks, tile, sums, ahead),
            13 => add::<TWO, INT8, 13>(chunks, tile, sums, ahead),
            14 => add::<TWO, INT8, 14>(chunks, tile, sums, ahead),
            15 => add::<TWO, INT8, 15>(chunks, tile, sums, ahead),
            _ => add::<TWO, INT8, MOST>(chunks, tile, sums, ahead),
        }
    }

    fn add[const TWO: bool, const INT8: bool, const N: usize](
        chunks: &[Chunk],
        tile: &Tile<'_>,
        out: &mut [[f32; 16]],
        ahead: &mut Ahead<'_>,
    ) {
        let Some(out) = out.first_chunk_mut::<N>() else { return };
        let mut sums = [_mm512_setzero_ps(); N];
        for i in 0..N {
            sums[i] = bytemuck::cast(out[i]);
        }
        let lower = tile.lower.as_chunks::<N>().0;
        for (c, (chunk, digits)) in chunks.iter().zip(tile.digits.as_chunks::<N>().0).enumerate() {
            ahead.look();
            if INT8 {
                add_bytes::<TWO, N>(chunk, digits, &mut sums);
            } else if let Some(lower) = lower.get(c) {
                add_digits::<TWO, N>(chunk, digits, lower, &mut sums);
            }
        }
        for i in 0..N {
            out[i] = bytemuck::cast(sums[i]);
        }
    }

    /// One chunk by `N` columns.
    #[inline]
    pub(super) fn add_digits<const TWO: bool, const N: usize>(
        chunk: &Chunk,
        digits: &[Digits; N],
        lower: &[Lower; N],
        sums: &mut [F; N],
    ) {
        for half in 0..if TWO { 2 } else { 1 } {
            let (from, n) = if TWO { (4 * half, 4) } else { (0, 8) };
            // A macro, because the compiler would call a function, and move all sums to memory for that.
            macro_rules! add_three {
                ($($i:expr),+) => {{
                    let (x, lower) = ([$(&digits[$i]),+], [$(&lower[$i]),+]);
                    let (mut high, mut low) = (x.map(|_| _mm512_setzero_si512()), x.map(|_| _mm512_setzero_si512()));
                    for d in from..from + n {
                        for i in 0..x.len() {
                            high[i] = _mm512_dpbusd_epi32(high[i], chunk.quants[d], four(&x[i].high[d]));
                            low[i] = _mm512_dpbusd_epi32(low[i], chunk.quants[d], four(&lower[i].low[d]));
                        }
                    }
                    for i in 0..x.len() {
                        high[i] = _mm512_slli_epi32::<8>(high[i]);
                    }
                    for d in from..from + n {
                        for i in 0..x.len() {
                            high[i] = _mm512_dpbusd_epi32(high[i], chunk.quants[d], four(&lower[i].middle[d]));
                        }
                    }
                    for (i, column) in [$($i),+].into_iter().enumerate() {
                        let low = _mm512_mul_ps(_mm512_cvtepi32_ps(low[i]), _mm512_set1_ps(x[i].scale_low));
                        let dot = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high[i]), _mm512_set1_ps(x[i].scale_high), low);
                        add_dot::<TWO>(chunk, half, x[i], dot, &mut sums[column]);
                    }
                }};
            }
            // Two columns side by side, as many strands as the processor looks ahead over; written out, because sums stay in
            // registers only where every index is a constant.
            macro_rules! pairs {
                ($($i:literal)*) => { $(
                    if $i + 1 < N {
                        add_three!($i, $i + 1);
                    } else if $i < N {
                        add_three!($i);
                    }
                )* };
            }
            pairs!(0 2 4 6 8 10 12 14);
        }
    }

    /// One chunk by `N` columns of bytes.
    #[inline]
    pub(super) fn add_bytes<const TWO: bool, const N: usize>(chunk: &Chunk, digits: &[Digits; N], sums: &mut [F; N]) {
        for half in 0..if TWO { 2 } else { 1 } {
            macro_rules! columns {
                ($($i:literal)*) => { $(
                    if $i < N {
                        let dot = dot_of_one::<TWO>(chunk, half, &digits[$i]);
                        add_dot::<TWO>(chunk, half, &digits[$i], dot, &mut sums[$i]);
                    }
                )* };
            }
            columns!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        }
    }

    #[inline]
    fn add_dot<const TWO: bool>(chunk: &Chunk, half: usize, x: &Digits, dot: F, sum: &mut F) {
        *sum = _mm512_fmadd_ps(dot, chunk.scale[half], *sum);
        *sum = _mm512_fmadd_ps(chunk.offset[half], _mm512_set1_ps(x.sums[if TWO { half } else { 2 }]), *sum);
    }

    /// The products of a chunk, or of a half of it, with the bytes of a column.
    #[inline]
    fn dot_of_one<const TWO: bool>(chunk: &Chunk, half: usize, x: &Digits) -> F {
        let mut sum = _mm512_setzero_si512();
        let (from, n) = if TWO { (4 * half, 4) } else { (0, 8) };
        for d in from..from + n {
            sum = _mm512_dpbusd_epi32(sum, chunk.quants[d], four(&x.high[d]));
        }
        _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(x.scale_high))
    }

    #[inline]
    fn four(digits: &[i8; 4]) -> I {
        _mm512_set1_epi32(i32::from_ne_bytes(digits.map(i8::cast_unsigned)))
    }
}
