//! The loops of attention: every key and value is read once for up to four heads of queries.

/// Defines `attend` with what its module calls `F`, `LANES`, `words`, `as_floats`, `WIDE` (vectors that are mixed at once), `no_sum`, `all_f`, `fma_f`, `load_f`, `store_f`, `totals`, `halves`.
macro_rules! attend {
    ($(#[$feature:meta])*) => {
        $(#[$feature])*
        fn attend(work: &Attention<'_>, units: Range<usize>) {
            let mut scores = Vec::new();
            for i in units {
                let unit = work.unit(i);
                let mut head = 0;
                while head < work.group {
                    match (work.group - head, work.float_keys()) {
                        (1, false) => heads::<1, false>(work, &unit, head, &mut scores),
                        (2, false) => heads::<2, false>(work, &unit, head, &mut scores),
                        (3, false) => heads::<3, false>(work, &unit, head, &mut scores),
                        (_, false) => heads::<4, false>(work, &unit, head, &mut scores),
                        (1, true) => heads::<1, true>(work, &unit, head, &mut scores),
                        (2, true) => heads::<2, true>(work, &unit, head, &mut scores),
                        (3, true) => heads::<3, true>(work, &unit, head, &mut scores),
                        (_, true) => heads::<4, true>(work, &unit, head, &mut scores),
                    }
                    head += 4;
                }
            }
        }

        /// `N` heads of queries from head `first` of the unit's group.
        $(#[$feature])*
        fn heads<const N: usize, const FLOATS: bool>(work: &Attention<'_>, unit: &Unit<'_>, first: usize, scores: &mut Vec<f32>) {
            let (dim, n) = (work.dim, unit.cells.len());
            let queries = work.queries(unit, first, N);
            let mut by_vector = vec![[[0.0; LANES]; N]; dim / LANES];
            for (h, query) in queries.chunks_exact(dim).enumerate() {
                for (to, from) in by_vector.iter_mut().zip(query.as_chunks::<LANES>().0) {
                    to[h] = *from;
                }
            }
            scores.resize(N * n, 0.0);
            // As many keys as a vector has numbers, so that their sums over lanes are made in one go; of fewer, what is left of
            // others is made too and not looked at.
            let mut products = [[no_sum(); LANES]; N];
            for (some, cells) in unit.cells.chunks(LANES).enumerate() {
                for (i, cell) in cells.iter().enumerate() {
                    let key = &work.kv[work.key_at(unit, *cell)..];
                    let mut sums = [no_sum(); N];
                    // Four loads in the text instead of one in a loop: each steps through memory evenly, which caches foresee.
                    let (fours, rest) = by_vector.as_chunks::<4>();
                    for (v, queries) in fours.iter().enumerate() {
                        for u in 0..4 {
                            let key = key_vector::<FLOATS>(key, 4 * v + u);
                            for h in 0..N {
                                sums[h] = fma_f(key, load_f(&queries[u][h]), sums[h]);
                            }
                        }
                    }
                    for (v, queries) in rest.iter().enumerate() {
                        let key = key_vector::<FLOATS>(key, 4 * fours.len() + v);
                        for h in 0..N {
                            sums[h] = fma_f(key, load_f(&queries[h]), sums[h]);
                        }
                    }
                    for h in 0..N {
                        products[h][i] = sums[h];
                    }
                }
                for h in 0..N {
                    scores[h * n + some * LANES..][..cells.len()].copy_from_slice(&totals(&products[h])[..cells.len()]);
                }
            }
            let mut weighed = [(0.0, 0.0); N];
            for h in 0..N {
                weighed[h] = work.weigh(&mut scores[h * n..(h + 1) * n]);
            }
            let mut mixed = vec![0.0; N * dim];
            let mut at = 0;
            while at < dim {
                if at + WIDE * LANES <= dim {
                    mix::<N, WIDE>(work, unit, at, scores, &mut mixed);
                    at += WIDE * LANES;
                } else {
                    mix::<N, 1>(work, unit, at, scores, &mut mixed);
                    at += LANES;
                }
            }
            for h in 0..N {
                work.store(unit, first + h, &mut mixed[h * dim..(h + 1) * dim], weighed[h]);
            }
        }

        /// Vector `v` of a key.
        #[inline]
        $(#[$feature])*
        fn key_vector<const FLOATS: bool>(key: &[Cell<u32>], v: usize) -> F {
            if FLOATS { as_floats(words(key, v * LANES)) } else { halves(key, v * LANES / 2) }
        }

        /// Elements `at..` of `W` vectors of the mixtures.
        $(#[$feature])*
        fn mix<const N: usize, const W: usize>(
            work: &Attention<'_>,
            unit: &Unit<'_>,
            at: usize,
            weights: &[f32],
            mixed: &mut [f32],
        ) {
            let dim = work.dim;
            let mut sums = [[no_sum(); W]; N];
            let n = unit.cells.len();
            for (i, cell) in unit.cells.iter().enumerate() {
                let value = &work.kv[work.value_at(unit, *cell) + at / 2..];
                let mut values = [no_sum(); W];
                for w in 0..W {
                    values[w] = halves(value, w * LANES / 2);
                }
                for h in 0..N {
                    let weight = all_f(weights[h * n + i]);
                    for w in 0..W {
                        sums[h][w] = fma_f(weight, values[w], sums[h][w]);
                    }
                }
            }
            for h in 0..N {
                for w in 0..W {
                    mixed[h * dim + at + w * LANES..][..LANES].copy_from_slice(&store_f(sums[h][w]));
                }
            }
        }
    };
}
pub(super) use attend;
