//! Blocks of random weights, scaled so that a product keeps the size of its input.

use goldcrest::gguf::GgmlType;
use half::f16;

/// The types that weights can be made in.
pub(crate) const TYPES: &[GgmlType] =
    &[GgmlType::Q4_0, GgmlType::Q4_1, GgmlType::Q5_0, GgmlType::Q8_0, GgmlType::Q4_K, GgmlType::F16];

/// A tensor's blocks: random quants below constant scales.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    ty: GgmlType,
    /// The bytes of each block that are not random, from its start.
    fixed: [u8; 4],
    n_fixed: usize,
}

impl Blocks {
    /// Blocks of rows of `k` weights whose standard deviation is 1/√k.
    pub(crate) fn new(ty: GgmlType, k: u64) -> Self {
        let wanted = 1.0 / (k as f32).sqrt();
        // Standard deviation of what the scale multiplies: whole numbers that are uniform over the type's range; for Q4_K six
        // random bits of scale and of minimum, computed over all of them.
        let scale = match ty {
            GgmlType::Q4_0 | GgmlType::Q4_1 => wanted / 4.61,
            GgmlType::Q5_0 => wanted / 9.23,
            GgmlType::Q8_0 => wanted / 73.9,
            GgmlType::Q4_K => wanted / 258.0,
            _ => 1.0,
        };
        // The minimum that brings the mean to zero.
        let min = match ty {
            GgmlType::Q4_1 => -7.5 * scale,
            GgmlType::Q4_K => 7.5 * scale,
            _ => 0.0,
        };
        let n_fixed = match ty {
            GgmlType::Q4_1 | GgmlType::Q4_K => 4,
            GgmlType::F16 => 0,
            _ => 2,
        };
        let [a, b] = f16::from_f32(scale).to_le_bytes();
        let [c, d] = f16::from_f32(min).to_le_bytes();
        let fixed = match ty {
            // Sign and mantissa are random. Within an exponent's range the root of the mean square is 1.53 of its start.
            GgmlType::F16 => [0, f16::from_f32((wanted / 1.53).log2().floor().exp2()).to_le_bytes()[1], 0, 0],
            _ => [a, b, c, d],
        };
        Self { ty, fixed, n_fixed }
    }

    /// Bytes that are made at once: a block, of single weights 32.
    pub(crate) fn unit_bytes(&self) -> u64 {
        self.ty.block_bytes() * (32 / self.ty.block_len()).max(1)
    }

    /// Writes unit `index`; the same every time.
    pub(crate) fn write(&self, index: u64, block: &mut [u8]) {
        let mut state = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for bytes in block.chunks_mut(8) {
            let random = mix(state).to_le_bytes();
            bytes.copy_from_slice(&random[..bytes.len()]);
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        }
        if self.ty == GgmlType::F16 {
            // The upper byte holds the sign, five bits of exponent and two of mantissa.
            block.as_chunks_mut::<2>().0.iter_mut().for_each(|[_, b]| *b = *b & 0x83 | self.fixed[1]);
        }
        block[..self.n_fixed].copy_from_slice(&self.fixed[..self.n_fixed]);
    }
}

/// The output function of `SplitMix64` (Steele, Lea and Flood 2014).
const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    #[test]
    fn weights_keep_the_size_of_what_they_multiply() {
        for ty in TYPES {
            let k = 2048u64;
            let blocks = Blocks::new(*ty, k);
            let mut bytes = vec![0; ty.size_of(64 * 1024).unwrap() as usize];
            bytes
                .chunks_mut(blocks.unit_bytes() as usize)
                .zip(0..)
                .for_each(|(block, index)| blocks.write(index, block));
            let mut values = vec![0.0f32; 64 * 1024];
            goldcrest::gguf::dequantize(*ty, &bytes, &mut values).unwrap();
            let mean = |f: fn(f64) -> f64| {
                values.iter().map(|v| f(f64::from(*v))).sum::<f64>() / values.len() as f64
            };
            let (mean_of, deviation) = (mean(|v| v), mean(|v| v * v).sqrt() * (k as f64).sqrt());
            // F16 has the nearest power of two below.
            let least = if *ty == GgmlType::F16 { 0.5 } else { 0.95 };
            assert!((least..1.05).contains(&deviation), "{}: {deviation}", ty.name());
            // Q4_0 and its like reach one further below zero than above.
            assert!((mean_of * (k as f64).sqrt()).abs() < 0.12, "{}: {mean_of}", ty.name());
        }
    }
}
