//! The loops of a product. A module of vector words (`avx512`, `avx2`, `portable`, …) includes them, so that they are
//! compiled with its instructions.

/// Most columns that whole numbers are the quicker form for: unpacking weights as floats costs half of a column's products.
pub(super) const FEW: usize = 3;

/// Defines `compute` with what its module calls as `affine` and `unpack` say, and `PARTS`, `no_sum`, `quad`, `row_scales`,
/// `multiply_add`, `mul_f`, `fma_f`, `all_f`, `load_f`, `store_f`. `$tile` are numbers of columns of a tile, from the most
/// that registers hold down to 1.
macro_rules! loops {
    ($safety:literal; $(bytes: $bytes:ident;)? tiles: $first:literal $(, $tile:literal)*; $(#[$feature:meta])*) => {
        $crate::cpu::fast::affine::affine!($(#[$feature])*);
        $crate::cpu::fast::unpack::unpack!($(#[$feature])*);
        $crate::cpu::fast::attend::attend!($(#[$feature])*);

        /// Makes the work of a dispatch and hands it to `split`, with what computes some of its parts; false if its kernel has no
        /// form here, or not at its sizes.
        ///
        #[doc = $safety]
        $(#[$feature])*
        pub fn dispatch(args: &Args<'_>, split: &dyn Fn(&Work<'_>, Compute<'_>)) -> bool {
            let Some(work) = Work::of(args, BY_DIGITS) else { return false };
            split(&work, &|work, parts| compute(work, parts));
            true
        }

        $(#[$feature])*
        fn compute(work: &Work<'_>, parts: Range<usize>) {
            match &work.0 {
                $(Kind::Product(product) if BY_DIGITS.takes(product.planes.layout.format) => $bytes(product, parts),)?
                Kind::Product(product) => multiply(product, parts),
                Kind::Attention(attention) => attend(attention, parts),
                Kind::Stats(stats) => stats.compute(parts),
                Kind::Act(act) => act.compute(parts),
                Kind::Norm(norm) => norm.compute(parts),
            }
        }

        $(#[$feature])*
        fn multiply(product: &Product<'_>, groups: Range<usize>) {
            match product.planes.layout.format {
                Format::F32 => run::<{ Format::F32 as usize }>(product, groups),
                Format::F16 => run::<{ Format::F16 as usize }>(product, groups),
                Format::Bf16 => run::<{ Format::Bf16 as usize }>(product, groups),
                Format::Q4 => run::<{ Format::Q4 as usize }>(product, groups),
                Format::Q5 => run::<{ Format::Q5 as usize }>(product, groups),
                Format::Q8 => run::<{ Format::Q8 as usize }>(product, groups),
                Format::Iq4 => run::<{ Format::Iq4 as usize }>(product, groups),
                Format::Mxfp4 => run::<{ Format::Mxfp4 as usize }>(product, groups),
                Format::Q4K => run::<{ Format::Q4K as usize }>(product, groups),
                Format::Q5K => run::<{ Format::Q5K as usize }>(product, groups),
                Format::Q6K => run::<{ Format::Q6K as usize }>(product, groups),
                Format::Q3K => run::<{ Format::Q3K as usize }>(product, groups),
                Format::Q2K => run::<{ Format::Q2K as usize }>(product, groups),
            }
        }

        $(#[$feature])*
        fn run<const FORMAT: usize>(product: &Product<'_>, groups: Range<usize>) {
            // Known to the compiler, which then leaves all of the rest out.
            if const { BY_DIGITS.takes(Format::ALL[FORMAT]) } {
                return;
            }
            let n = product.n_columns();
            let mut sums = vec![0.0; 8 * n * product.step];
            let mut panel = Vec::new();
            for i in groups {
                for (part, sums) in sums.chunks_exact_mut(8 * n).enumerate() {
                    let group = i * product.step + part;
                    if product.p.by_expert == 1 {
                        for (column, sums) in sums.chunks_exact_mut(8).enumerate() {
                            if let Some(first) = product.experts[column] {
                                few::<FORMAT, true>(product, first + group, column, sums);
                            }
                        }
                    } else if n == 1 {
                        few::<FORMAT, true>(product, group, 0, sums);
                    } else if n <= FEW || product.int8 {
                        // Bytes for any number of columns, so that each has the same bits alone and beside others.
                        for (i, sums) in sums.chunks_mut(8 * FEW).enumerate() {
                            few::<FORMAT, false>(product, group, i * FEW, sums);
                        }
                    } else {
                        unpack_group::<FORMAT>(product, group, &mut panel);
                        many(product, &panel, sums);
                    }
                }
                product.store_group(i, &sums, 1);
            }
        }

        /// Eight rows by one column or by `FEW` at most, from column `first` on; every chunk is unpacked once.
        $(#[$feature])*
        fn few<const FORMAT: usize, const ONE: bool>(product: &Product<'_>, g: usize, first: usize, out: &mut [f32]) {
            let format = const { Format::ALL[FORMAT] };
            let (planes, n_chunk, int8) = (&product.planes, product.k / 32, product.int8);
            let n = if ONE { 1 } else { out.len() / 8 };
            let mut sums = [[no_sum(); PARTS]; FEW];
            let mut rest = [zero(); FEW];
            for c in 0..n_chunk {
                if format.weights_per_unit() == 0 {
                    for part in 0..PARTS {
                        let w = floats::<FORMAT>(planes, g, c, part);
                        for column in 0..n {
                            let x: &[[f32; 4]] = product.floats[(first + column) * n_chunk + c].as_chunks::<4>().0;
                            for i in 0..8 {
                                sums[column][part] = fma_f(w[i], quad(&x[i]), sums[column][part]);
                            }
                        }
                    }
                    continue;
                }
                let (scale, offset) = affine::<FORMAT>(planes, g, c);
                for part in 0..PARTS {
                    let w = quants::<FORMAT>(planes, g, c, part);
                    let scales = [row_scales(scale[0], part), row_scales(scale[1], part)];
                    for column in 0..n {
                        let x = &product.limbs[(first + column) * n_chunk + c];
                        let sum = &mut sums[column][part];
                        if matches!(format, Format::Q6K | Format::Q3K | Format::Q2K) {
                            *sum = fma_f(dot([w[0], w[2]], x, [0, 2], int8), scales[0], *sum);
                            *sum = fma_f(dot([w[1], w[3]], x, [1, 3], int8), scales[1], *sum);
                        } else {
                            *sum = fma_f(dot(w, x, [0, 1, 2, 3], int8), scales[0], *sum);
                        }
                    }
                }
                if !matches!(format, Format::Q8 | Format::Iq4 | Format::Mxfp4) {
                    for column in 0..n {
                        let halves = product.limbs[(first + column) * n_chunk + c].halves;
                        rest[column] = fma(offset[0], splat(halves[0]), rest[column]);
                        rest[column] = fma(offset[1], splat(halves[1]), rest[column]);
                    }
                }
            }
            for column in 0..n {
                let rest = store(rest[column]);
                for part in 0..PARTS {
                    for (r, lanes) in store_f(sums[column][part]).as_chunks::<4>().0.iter().enumerate() {
                        let row = part * ROWS + r;
                        out[column * 8 + row] = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + rest[row];
                    }
                }
            }
        }

        /// The products of some vectors of quants with those of a chunk of activations, four partial sums a row.
        #[inline]
        $(#[$feature])*
        fn dot<const N: usize>(w: [I; N], x: &Limbs, vectors: [usize; N], int8: bool) -> F {
            let (mut high, mut low) = (same(0), same(0));
            if int8 {
                for i in 0..N {
                    high = multiply_add(high, w[i], eight(&x.high[vectors[i]]));
                }
                return mul_f(to_floats(high), all_f(x.scale_high));
            }
            for i in 0..N {
                high = multiply_add(high, w[i], eight(&x.high[vectors[i]]));
                low = multiply_add(low, w[i], eight(&x.low[vectors[i]]));
            }
            fma_f(to_floats(high), all_f(x.scale_high), mul_f(to_floats(low), all_f(x.scale_low)))
        }

        /// The weights of a group as floats, `[chunk][vector][part]`.
        $(#[$feature])*
        fn unpack_group<const FORMAT: usize>(product: &Product<'_>, g: usize, panel: &mut Vec<[[f32; ROWS * 4]; PARTS]>) {
            let n_chunk = product.k / 32;
            panel.resize(n_chunk * 8, [[0.0; ROWS * 4]; PARTS]);
            for (c, panel) in panel.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                let (scale, offset) = affine::<FORMAT>(&product.planes, g, c);
                for part in 0..PARTS {
                    let w = floats::<FORMAT>(&product.planes, g, c, part);
                    let scale = [row_scales(scale[0], part), row_scales(scale[1], part)];
                    let offset = [row_scales(offset[0], part), row_scales(offset[1], part)];
                    for v in 0..8 {
                        // In the order of the limbs, vectors of eight of the first and of the second half take turns.
                        let half = v / 2 % 2;
                        let scaled = if const { Format::ALL[FORMAT] }.weights_per_unit() == 0 {
                            w[v]
                        } else {
                            fma_f(w[v], scale[half], offset[half])
                        };
                        panel[v][part] = store_f(scaled);
                    }
                }
            }
        }

        /// Eight rows of unpacked weights by all columns.
        $(#[$feature])*
        fn many(product: &Product<'_>, panel: &[[[f32; ROWS * 4]; PARTS]], out: &mut [f32]) {
            let n_chunk = product.k / 32;
            let (mut columns, mut out) = (&product.floats[..], out);
            while columns.len() >= $first * n_chunk {
                let (now, later) = columns.split_at($first * n_chunk);
                let (now_out, later_out) = out.split_at_mut($first * 8);
                tile::<$first>(panel, now, now_out);
                (columns, out) = (later, later_out);
            }
            $(
                if columns.len() >= $tile * n_chunk {
                    let (now, later) = columns.split_at($tile * n_chunk);
                    let (now_out, later_out) = out.split_at_mut($tile * 8);
                    tile::<$tile>(panel, now, now_out);
                    (columns, out) = (later, later_out);
                }
            )*
            debug_assert!(columns.is_empty() && out.is_empty());
        }

        /// Eight rows by `N` columns, whose sums stay in registers.
        $(#[$feature])*
        fn tile<const N: usize>(panel: &[[[f32; ROWS * 4]; PARTS]], columns: &[[f32; 32]], out: &mut [f32]) {
            let n_quad = panel.len();
            let x: &[[f32; 4]] = columns.as_flattened().as_chunks::<4>().0;
            let mut rows = [&x[..0]; N];
            for column in 0..N {
                rows[column] = &x[column * n_quad..][..n_quad];
            }
            let mut sums = [[no_sum(); PARTS]; N];
            for (i, weights) in panel.iter().enumerate() {
                let mut w = [no_sum(); PARTS];
                for part in 0..PARTS {
                    w[part] = load_f(&weights[part]);
                }
                for column in 0..N {
                    let x = quad(&rows[column][i]);
                    for part in 0..PARTS {
                        sums[column][part] = fma_f(w[part], x, sums[column][part]);
                    }
                }
            }
            for column in 0..N {
                for part in 0..PARTS {
                    for (r, lanes) in store_f(sums[column][part]).as_chunks::<4>().0.iter().enumerate() {
                        out[column * 8 + part * ROWS + r] = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
                    }
                }
            }
        }
    };
}
pub(super) use loops;
