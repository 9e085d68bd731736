//! Matrix products on all cores, with the vector instructions that the processor has.

use std::ops::Range;

use goldcrest_kernels::cpu::fast::{self, Product};

/// Multiplications that are worth a thread of their own: some 10 µs, twice what handing them over costs.
#[cfg(not(target_arch = "wasm32"))]
const PER_TASK: usize = 1 << 17;

/// The vector instructions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vectors {
    /// What every processor of the target has: SSE2, NEON, SIMD128, or nothing.
    Base,
    /// AVX2, fused products, conversions of halves.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Vectors {
    /// The best that this processor has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
        {
            return Self::Avx2;
        }
        Self::Base
    }

    /// A name for reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
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

    fn compute(self, product: &Product<'_>, groups: Range<usize>, out: &mut [f32]) {
        match self {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Base => fast::simd128::compute(product, groups, out),
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Base => fast::portable::compute(product, groups, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` alone makes this value, and only where the processor has all three features.
            Self::Avx2 => unsafe { fast::avx2::compute(product, groups, out) },
        }
    }
}

/// Computes and stores a product.
pub(super) fn run(product: &Product<'_>, vectors: Vectors) {
    let mut sums = vec![0.0; product.n_groups() * product.group_len()];
    fill(product, vectors, &mut sums);
    product.store(&sums);
}

#[cfg(target_arch = "wasm32")]
fn fill(product: &Product<'_>, vectors: Vectors, sums: &mut [f32]) {
    vectors.compute(product, 0..product.n_groups(), sums);
}

#[cfg(not(target_arch = "wasm32"))]
fn fill(product: &Product<'_>, vectors: Vectors, sums: &mut [f32]) {
    use rayon::prelude::*;

    let per_task = PER_TASK.div_ceil(product.group_cost().max(1));
    let n_groups = product.n_groups();
    if n_groups <= per_task {
        return vectors.compute(product, 0..n_groups, sums);
    }
    let shared = Shared(product);
    sums.par_chunks_mut(per_task * product.group_len()).enumerate().for_each(|(task, out)| {
        let first = task * per_task;
        vectors.compute(shared.get(), first..n_groups.min(first + per_task), out);
    });
}

/// A product that several threads read.
#[cfg(not(target_arch = "wasm32"))]
struct Shared<'a, 'b>(&'b Product<'a>);

#[cfg(not(target_arch = "wasm32"))]
impl<'a, 'b> Shared<'a, 'b> {
    const fn get(&self) -> &'b Product<'a> {
        self.0
    }
}

// SAFETY: a product holds buffers as cells, which one thread only may write. `fill` hands it to threads that read, and its
// own thread, the only one that knows the buffers, waits there until they are done.
#[cfg(not(target_arch = "wasm32"))]
unsafe impl Sync for Shared<'_, '_> {}
