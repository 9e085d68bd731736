//! Matrix products with the vector instructions that the processor has.

use std::ops::Range;

use goldcrest_kernels::cpu::fast::{self, Product};

use super::threads::Threads;

/// Multiplications of a part, some 5 µs of them: ten times what handing it over costs.
const PER_PART: usize = 1 << 17;

/// The vector instructions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vectors {
    /// What every processor of the target has: SSE2, NEON, SIMD128, or nothing.
    Base,
    /// AVX2, fused products, conversions of halves.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 with 16-bit products, and all of AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Vectors {
    /// All that this processor has, the best first.
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::Base];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
        {
            all.insert(0, Self::Avx2);
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                all.insert(0, Self::Avx512);
            }
        }
        all
    }

    /// A name for reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::Base => "SSE2",
            #[cfg(target_arch = "aarch64")]
            Self::Base => "NEON",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Base => "SIMD128",
            #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_feature = "simd128")))]
            Self::Base => "no vectors",
        }
    }

    fn compute(self, product: &Product<'_>, groups: Range<usize>) {
        match self {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Base => fast::simd128::compute(product, groups),
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Base => fast::portable::compute(product, groups),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `all` alone makes this value, and only where the processor has all three features.
            Self::Avx2 => unsafe { fast::avx2::compute(product, groups) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `all` alone makes this value, and only where the processor has all eight features.
            Self::Avx512 => unsafe { fast::avx512::compute(product, groups) },
        }
    }
}

/// Computes and stores a product.
pub(super) fn run(product: &Product<'_>, vectors: Vectors, threads: &Threads) {
    let least = PER_PART.div_ceil(product.group_cost().max(1));
    // SAFETY: a product reads what no product writes, and writes the outputs of the groups it was given alone.
    unsafe {
        threads.split(product.n_groups(), least, product, |product, groups| vectors.compute(product, groups))
    };
}
