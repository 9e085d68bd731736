//! Seeded contents.

use serde::Deserialize;

/// SplitMix64: contents depend on the row's text alone.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// Kinds of activations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Values {
    /// About normal, deviation 1.
    #[default]
    Normal,
    /// Normal with every eleventh element near 1e4: the massive activations of small models.
    Huge,
    /// All 0.75.
    Equal,
    /// All zero.
    Zero,
    /// Normal, times 1e-5.
    Tiny,
}

impl Random {
    /// A generator for a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(
            text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)),
        )
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u32) -> u32 {
        (self.bits() % u64::from(n.max(1))) as u32
    }

    /// In [−1, 1).
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// About normal: twelve uniform numbers added.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() / 2.0
    }

    /// `n` activations.
    pub fn values(&mut self, n: usize, values: Values) -> Vec<f32> {
        (0..n)
            .map(|i| match values {
                Values::Normal => self.normal(),
                Values::Huge if i % 11 == 3 => 1e4 * self.normal(),
                Values::Huge => self.normal(),
                Values::Equal => 0.75,
                Values::Zero => 0.0,
                Values::Tiny => 1e-5 * self.normal(),
            })
            .collect()
    }

    /// `n` weights around 1.
    pub fn weights(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| 1.0 + 0.25 * self.normal()).collect()
    }

    /// The numbers below `n` in random order.
    pub fn permutation(&mut self, n: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, self.below(i as u32 + 1) as usize);
        }
        order
    }
}
