//! The loops of a product over vectors of eight floats. A module of vector words (`avx2`, `portable`, …) includes them.

/// Defines `compute` with what its module calls `V`, `zero`, `splat`, `load`, `store`, `mul`, `fma`, `low_halves`, `nibbles`, `bytes`,
/// `codes`, `bits`, `pairs_of_bits`.
macro_rules! loops {
    ($docs:literal; $(#[$feature:meta])*) => {
        #[doc = $docs]
        $(#[$feature])*
        pub fn compute(product: &Product<'_>, groups: Range<usize>, out: &mut [f32]) {
            let n = product.n_columns();
            for (i, out) in groups.zip(out.chunks_exact_mut(product.group_len())) {
                for (part, out) in out.chunks_exact_mut(8 * n).enumerate() {
                    let group = i * product.step + part;
                    if product.p.by_expert == 1 {
                        for (column, out) in out.chunks_exact_mut(8).enumerate() {
                            match product.experts[column] {
                                usize::MAX => out.fill(0.0),
                                first => one(product, first + group, column, out),
                            }
                        }
                    } else if n == 1 {
                        one(product, group, 0, out);
                    } else {
                        many(product, group, out);
                    }
                }
            }
        }

        /// Eight rows by one column.
        $(#[$feature])*
        fn one(product: &Product<'_>, group: usize, column: usize, out: &mut [f32]) {
            let (planes, k) = (&product.planes, product.k);
            let x = &product.x[column * k..][..k];
            let halves = &product.halves[column * k / 32..][..k / 32];
            let mut sums = [zero(); 8];
            let mut rest = zero();
            for (c, (x, halves)) in x.as_chunks::<32>().0.iter().zip(halves).enumerate() {
                let x: &[[f32; 8]] = x.as_chunks::<8>().0;
                let x = [load(&x[0]), load(&x[1]), load(&x[2]), load(&x[3])];
                let (scale, offset) = affine(planes, group, c);
                let (first, second) = (store(scale[0]), store(scale[1]));
                for r in 0..8 {
                    let q = quants(planes, group, c, r);
                    let low = fma(q[1], x[1], mul(q[0], x[0]));
                    let high = fma(q[3], x[3], mul(q[2], x[2]));
                    sums[r] = fma(splat(first[r]), low, sums[r]);
                    sums[r] = fma(splat(second[r]), high, sums[r]);
                }
                rest = fma(offset[0], splat(halves[0]), rest);
                rest = fma(offset[1], splat(halves[1]), rest);
            }
            let rest = store(rest);
            for r in 0..8 {
                out[r] = (total(store(sums[r])) + rest[r]) * product.factors[column];
            }
        }

        /// Eight rows by all columns: a chunk of weights is unpacked once.
        $(#[$feature])*
        fn many(product: &Product<'_>, group: usize, out: &mut [f32]) {
            let (planes, n, k) = (&product.planes, product.n_columns(), product.k);
            let mut sums = vec![[[0.0f32; 8]; 8]; n];
            for c in 0..k / 32 {
                let (scale, offset) = affine(planes, group, c);
                let scale = [store(scale[0]), store(scale[1])];
                let offset = [store(offset[0]), store(offset[1])];
                let mut weights = [[zero(); 4]; 8];
                for r in 0..8 {
                    let q = quants(planes, group, c, r);
                    for v in 0..4 {
                        weights[r][v] = fma(splat(scale[v / 2][r]), q[v], splat(offset[v / 2][r]));
                    }
                }
                for (x, sums) in product.x.chunks_exact(k).zip(&mut sums) {
                    let x: &[[f32; 8]] = x[c * 32..c * 32 + 32].as_chunks::<8>().0;
                    let x = [load(&x[0]), load(&x[1]), load(&x[2]), load(&x[3])];
                    for r in 0..8 {
                        let w = &weights[r];
                        let low = fma(w[1], x[1], fma(w[0], x[0], load(&sums[r])));
                        sums[r] = store(fma(w[3], x[3], fma(w[2], x[2], low)));
                    }
                }
            }
            for (column, sums) in sums.iter().enumerate() {
                for r in 0..8 {
                    out[column * 8 + r] = total(sums[r]);
                }
            }
        }

        /// Scales and offsets of the eight rows of a chunk: `weight = scale · q + offset` in each half.
        $(#[$feature])*
        fn affine(planes: &Planes<'_>, g: usize, c: usize) -> ([V; 2], [V; 2]) {
            match planes.layout.format {
                Format::F32 | Format::F16 | Format::Bf16 => ([splat(1.0); 2], [zero(); 2]),
                Format::Q4 | Format::Q5 => {
                    let words = scales(planes, g, c, 0);
                    ([low_halves(words); 2], [low_halves(shifted(words, 16)); 2])
                }
                Format::Q8 => {
                    let words = shifted(scales(planes, g, c / 2, 0), 16 * (c % 2) as u32);
                    ([low_halves(words); 2], [zero(); 2])
                }
                Format::Iq4 | Format::Mxfp4 => {
                    ([load(&bytemuck::cast(scales(planes, g, c, 0))); 2], [zero(); 2])
                }
                Format::Q4K | Format::Q5K => {
                    let (d, pair) = (scales(planes, g, c / 8, 0), byte_pairs(planes, g, c));
                    let (mut scale, mut min) = ([0.0; 8], [0.0; 8]);
                    for r in 0..8 {
                        scale[r] = (pair[r] & 255) as f32;
                        min[r] = -((pair[r] >> 8) as f32);
                    }
                    let dmin = low_halves(shifted(d, 16));
                    ([mul(low_halves(d), load(&scale)); 2], [mul(dmin, load(&min)); 2])
                }
                Format::Q6K | Format::Q3K => {
                    let (d, pair) = (low_halves(scales(planes, g, c / 8, 0)), byte_pairs(planes, g, c));
                    let zero_point = if planes.layout.format == Format::Q6K { -32.0 } else { -4.0 };
                    let mut scale = [[0.0; 8]; 2];
                    for r in 0..8 {
                        scale[0][r] = f32::from((pair[r] as u8).cast_signed());
                        scale[1][r] = f32::from(((pair[r] >> 8) as u8).cast_signed());
                    }
                    let scale = [mul(d, load(&scale[0])), mul(d, load(&scale[1]))];
                    (scale, [mul(splat(zero_point), scale[0]), mul(splat(zero_point), scale[1])])
                }
                Format::Q2K => {
                    let (d, pair) = (scales(planes, g, c / 8, 0), byte_pairs(planes, g, c));
                    let (mut scale, mut min) = ([[0.0; 8]; 2], [[0.0; 8]; 2]);
                    for h in 0..2 {
                        for r in 0..8 {
                            let byte = pair[r] >> (8 * h);
                            scale[h][r] = (byte & 15) as f32;
                            min[h][r] = -(((byte >> 4) & 15) as f32);
                        }
                    }
                    let (d, dmin) = (low_halves(d), low_halves(shifted(d, 16)));
                    let scale = [mul(d, load(&scale[0])), mul(d, load(&scale[1]))];
                    (scale, [mul(dmin, load(&min[0])), mul(dmin, load(&min[1]))])
                }
            }
        }

        /// The quants of one row of a chunk.
        $(#[$feature])*
        fn quants(planes: &Planes<'_>, g: usize, c: usize, r: usize) -> [V; 4] {
            let chunk = g * planes.layout.n_chunk as usize + c;
            let four = |v: usize, n_v: usize| words(planes, (chunk * n_v + v) * 8 + r);
            match planes.layout.format {
                Format::F32 => {
                    let pair = |v: usize| {
                        let (a, b): ([f32; 4], [f32; 4]) =
                            (bytemuck::cast(four(v, 8)), bytemuck::cast(four(v + 1, 8)));
                        load(&[a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]])
                    };
                    [pair(0), pair(2), pair(4), pair(6)]
                }
                Format::F16 => {
                    let eight = |v: usize| {
                        let w = four(v, 4);
                        let mut halves = [0; 8];
                        for e in 0..8 {
                            halves[e] = (w[e / 2] >> (16 * (e % 2))) & 0xffff;
                        }
                        low_halves(halves)
                    };
                    [eight(0), eight(1), eight(2), eight(3)]
                }
                Format::Bf16 => {
                    let eight = |v: usize| {
                        let w = four(v, 4);
                        let mut floats = [0.0; 8];
                        for e in 0..8 {
                            floats[e] = f32::from_bits((w[e / 2] >> (16 * (e % 2))) << 16);
                        }
                        load(&floats)
                    };
                    [eight(0), eight(1), eight(2), eight(3)]
                }
                Format::Q8 => {
                    let (low, high) = (bytes(four(0, 2)), bytes(four(1, 2)));
                    [low[0], low[1], high[0], high[1]]
                }
                Format::Iq4 => codes(four(0, 1), &IQ4_CODES),
                Format::Mxfp4 => codes(four(0, 1), &E2M1_CODES),
                Format::Q4 | Format::Q4K | Format::Q3K | Format::Q2K => nibbles(four(0, 1)),
                Format::Q5 => with_fifth(nibbles(four(0, 1)), scales(planes, g, c, 1)[r]),
                Format::Q5K => with_fifth(nibbles(four(0, 1)), scales(planes, g, c / 8, 5 + c % 8)[r]),
                Format::Q6K => {
                    let q = nibbles(four(0, 1));
                    let low = pairs_of_bits(scales(planes, g, c / 8, 5 + 2 * (c % 8))[r]);
                    let high = pairs_of_bits(scales(planes, g, c / 8, 6 + 2 * (c % 8))[r]);
                    let sixteen = splat(16.0);
                    [
                        fma(low[0], sixteen, q[0]),
                        fma(low[1], sixteen, q[1]),
                        fma(high[0], sixteen, q[2]),
                        fma(high[1], sixteen, q[3]),
                    ]
                }
            }
        }

        $(#[$feature])*
        fn with_fifth(q: [V; 4], word: u32) -> [V; 4] {
            let (fifth, sixteen) = (bits(word), splat(16.0));
            [
                fma(fifth[0], sixteen, q[0]),
                fma(fifth[1], sixteen, q[1]),
                fma(fifth[2], sixteen, q[2]),
                fma(fifth[3], sixteen, q[3]),
            ]
        }
    };
}
pub(super) use loops;
