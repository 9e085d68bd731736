//! The quants of a chunk as vectors of 16-bit numbers, or as floats.

/// Defines `quants` and `floats` with what its module calls `I`, `F`, `ROWS`, `words`, `eight`, `same`, `and`, `or`, `shl`,
/// `shr`, `sar`, `equal`, `times`, `lookup`, `words_of_rows`, `to_floats`, `widen`, `from_halves`.
macro_rules! unpack {
    ($(#[$feature:meta])*) => {
        /// The quants of rows `ROWS · part..` of a chunk in the order of the limbs: each vector has eight numbers of every row.
        #[inline]
        $(#[$feature])*
        fn quants<const FORMAT: usize>(planes: &Planes<'_>, g: usize, c: usize, part: usize) -> [I; 4] {
            let four = |v: usize, n_v: usize| chunk_words(planes, g, c, v, n_v, part);
            match const { Format::ALL[FORMAT] } {
                Format::Q8 => {
                    let (a, b) = (four(0, 2), four(1, 2));
                    [low_bytes(a), low_bytes(b), sar::<8>(a), sar::<8>(b)]
                }
                Format::Iq4 => from_book(four(0, 1), &IQ4_CODES),
                Format::Mxfp4 => from_book(four(0, 1), &E2M1_CODES),
                Format::Q5 => with_fifth(nibbles(four(0, 1)), words_of_rows(&scales(planes, g, c, 1), part)),
                Format::Q5K => {
                    let fifth = scales(planes, g, c / 8, 5 + c % 8);
                    with_fifth(nibbles(four(0, 1)), words_of_rows(&fifth, part))
                }
                Format::Q6K => {
                    let upper = |half| scales(planes, g, c / 8, 5 + 2 * (c % 8) + half);
                    let upper = [words_of_rows(&upper(0), part), words_of_rows(&upper(1), part)];
                    with_upper_two(nibbles(four(0, 1)), upper)
                }
                _ => nibbles(four(0, 1)),
            }
        }

        /// The chunk as floats, without scale and offset, in the order that belongs to the format.
        #[inline]
        $(#[$feature])*
        fn floats<const FORMAT: usize>(planes: &Planes<'_>, g: usize, c: usize, part: usize) -> [F; 8] {
            let mut out = [no_sum(); 8];
            match const { Format::ALL[FORMAT] } {
                Format::F32 => {
                    for v in 0..8 {
                        out[v] = as_floats(chunk_words(planes, g, c, v, 8, part));
                    }
                }
                Format::F16 => {
                    for v in 0..4 {
                        let pairs = chunk_words(planes, g, c, v, 4, part);
                        (out[2 * v], out[2 * v + 1]) = (from_halves(pairs), from_halves(upper_half(pairs)));
                    }
                }
                Format::Bf16 => {
                    for v in 0..4 {
                        let pairs = chunk_words(planes, g, c, v, 4, part);
                        out[2 * v] = as_floats(lower_to_upper(pairs));
                        out[2 * v + 1] = as_floats(and(pairs, eight(&[0, -1, 0, -1, 0, -1, 0, -1])));
                    }
                }
                _ => {
                    let q = quants::<FORMAT>(planes, g, c, part);
                    for v in 0..4 {
                        [out[2 * v], out[2 * v + 1]] = widen(q[v]);
                    }
                }
            }
            out
        }

        /// Word `v` of the `n_v` of a chunk, of the rows of a part.
        #[inline]
        $(#[$feature])*
        fn chunk_words(planes: &Planes<'_>, g: usize, c: usize, v: usize, n_v: usize, part: usize) -> I {
            let chunk = g * planes.layout.n_chunk as usize + c;
            words(planes.wq, ((chunk * n_v + v) * 8 + part * ROWS) * 4)
        }

        #[inline]
        $(#[$feature])*
        fn nibbles(w: I) -> [I; 4] {
            let mask = same(15);
            [and(w, mask), and(shr::<4>(w), mask), and(shr::<8>(w), mask), shr::<12>(w)]
        }

        #[inline]
        $(#[$feature])*
        fn low_bytes(w: I) -> I {
            sar::<8>(shl::<8>(w))
        }

        /// What a book of sixteen has for every nibble.
        #[inline]
        $(#[$feature])*
        fn from_book(w: I, book: &[i8; 16]) -> [I; 4] {
            let mask = same(0x0f0f);
            let (a, b) = (lookup(book, and(w, mask)), lookup(book, and(shr::<4>(w), mask)));
            [low_bytes(a), low_bytes(b), sar::<8>(a), sar::<8>(b)]
        }

        /// Nibbles with the bits of a word as their fifth.
        #[inline]
        $(#[$feature])*
        fn with_fifth(mut q: [I; 4], word: I) -> [I; 4] {
            // The byte that has the bit of every lane; 255 is none.
            let first = pick(word, &[0, 255, 0, 255, 0, 255, 0, 255, 1, 255, 1, 255, 1, 255, 1, 255]);
            let second = pick(word, &[2, 255, 2, 255, 2, 255, 2, 255, 3, 255, 3, 255, 3, 255, 3, 255]);
            let even = eight(&[1, 4, 16, 64, 1, 4, 16, 64]);
            let odd = eight(&[2, 8, 32, 128, 2, 8, 32, 128]);
            for (v, (bytes, bit)) in [(first, even), (second, even), (first, odd), (second, odd)].into_iter().enumerate() {
                q[v] = or(q[v], and(equal(and(bytes, bit), bit), same(16)));
            }
            q
        }

        /// Nibbles with the pairs of bits of two words, one for each half, above them.
        #[inline]
        $(#[$feature])*
        fn with_upper_two(mut q: [I; 4], upper: [I; 2]) -> [I; 4] {
            // Bits 0 and 1 of a lane, or 4 and 5, go to 4 and 5.
            let (mask, factor) = (eight(&[3, 48, 3, 48, 3, 48, 3, 48]), eight(&[16, 1, 16, 1, 16, 1, 16, 1]));
            for half in 0..2 {
                let bytes = pick(upper[half], &[0, 255, 0, 255, 1, 255, 1, 255, 2, 255, 2, 255, 3, 255, 3, 255]);
                q[half] = or(q[half], times(and(bytes, mask), factor));
                q[half + 2] = or(q[half + 2], times(and(shr::<2>(bytes), mask), factor));
            }
            q
        }
    };
}
pub(super) use unpack;
