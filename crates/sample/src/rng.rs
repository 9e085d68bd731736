//! Counter-based randomness: a draw is a pure function of (seed, sequence, position, purpose).
//!
//! Nothing is stored, so forks, batches, retries and devices cannot shift each other's streams. The generator is
//! Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011), which needs only 32-bit integers.
//!
//! # The same bits in WGSL
//!
//! WGSL has no 64-bit product, so the high half of `a * b` is built from 16-bit pieces. With `al = a & 0xffff`,
//! `ah = a >> 16` and likewise for `b`, all in wrapping u32:
//!
//! ```text
//! t  = al * bl
//! m1 = ah * bl + (t >> 16)            // at most 0xffff * 0xffff + 0xffff: no overflow
//! m2 = al * bh + (m1 & 0xffff)
//! hi = ah * bh + (m1 >> 16) + (m2 >> 16)
//! lo = a * b
//! ```
//!
//! The test `pieces_of_16_bits_equal_the_wide_product` holds that recipe to the 64-bit one used here. The float is
//! `f32(x0 >> 8) * 0x1p-24`, exact in both languages.

/// What a draw is for. Each purpose is a stream of its own, so that switching a stage on never shifts the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// The categorical draw of the token.
    Draw = 0,
    /// Whether the XTC stage fires at this position.
    Xtc = 1,
    /// Gumbel noise.
    Gumbel = 2,
    /// Decisions of search and speculation policies.
    Policy = 3,
}

/// One uniform number in `[0, 1)`, a multiple of 2⁻²⁴: Philox4x32-10 with counter
/// `(position, sequence, purpose, 0)` and key `(low half of seed, high half of seed)`, top 24 bits of the first word.
#[must_use]
pub fn uniform(seed: u64, sequence: u32, position: u32, purpose: Purpose) -> f32 {
    let counter = [position, sequence, purpose as u32, 0];
    let [x0, ..] = philox4x32_10(counter, [seed as u32, (seed >> 32) as u32]);
    (x0 >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Philox4x32 with ten rounds: four words of counter and two of key to four random words.
#[must_use]
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for round in 0..10 {
        if round > 0 {
            k0 = k0.wrapping_add(WEYL[0]);
            k1 = k1.wrapping_add(WEYL[1]);
        }
        let (hi0, lo0) = wide_product(MULTIPLIERS[0], c0);
        let (hi1, lo1) = wide_product(MULTIPLIERS[1], c2);
        (c0, c1, c2, c3) = (hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0);
    }
    [c0, c1, c2, c3]
}

fn wide_product(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published known answers: Random123, `kat_vectors`, lines `philox4x32 10`.
    #[test]
    fn known_answers_of_random123() {
        let cases: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, want) in cases {
            assert_eq!(philox4x32_10(counter, key), want);
        }
    }

    #[test]
    fn counter_and_key_layout_of_uniform() {
        let [x0, ..] = philox4x32_10([7, 5, 1, 0], [0x89ab_cdef, 0x0123_4567]);
        let want = (x0 >> 8) as f32 / 16_777_216.0;
        assert_eq!(uniform(0x0123_4567_89ab_cdef, 5, 7, Purpose::Xtc), want);
        assert_ne!(uniform(1, 0, 0, Purpose::Draw), uniform(1, 0, 0, Purpose::Policy));
    }

    #[test]
    fn pieces_of_16_bits_equal_the_wide_product() {
        fn high_half(a: u32, b: u32) -> u32 {
            let (al, ah, bl, bh) = (a & 0xffff, a >> 16, b & 0xffff, b >> 16);
            let t = al * bl;
            let m1 = ah * bl + (t >> 16);
            let m2 = al * bh + (m1 & 0xffff);
            ah * bh + (m1 >> 16) + (m2 >> 16)
        }
        let mut x = 0x1234_5678u32;
        for b in [0, 1, 0xffff, 0x1_0000, u32::MAX] {
            assert_eq!(high_half(0xD251_1F53, b), wide_product(0xD251_1F53, b).0);
        }
        for _ in 0..100_000 {
            let a = x;
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            assert_eq!(high_half(a, x), wide_product(a, x).0);
        }
    }
}
