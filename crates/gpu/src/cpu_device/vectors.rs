//! Work with the vector instructions that the processor has.

use goldcrest_kernels::cpu::Args;
use goldcrest_kernels::cpu::fast::{self, Compute, Work};

use super::threads::Threads;

/// Multiplications that are worth a thread's while, some 5 µs of them: ten times what handing them over costs.
const PER_TASK: usize = 1 << 17;

/// The vector instructions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vectors {
    /// What every processor of the target has: SSE2, SIMD128, or nothing.
    Base,
    /// NEON, which no 64-bit ARM processor lacks.
    #[cfg(target_arch = "aarch64")]
    Neon,
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
        let mut all = Self::beyond_base();
        all.push(Self::Base);
        all
    }

    #[cfg(target_arch = "x86_64")]
    fn beyond_base() -> Vec<Self> {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        [(avx512, Self::Avx512), (avx2, Self::Avx2)]
            .into_iter()
            .filter_map(|(has, v)| has.then_some(v))
            .collect()
    }

    #[cfg(target_arch = "aarch64")]
    fn beyond_base() -> Vec<Self> {
        if std::arch::is_aarch64_feature_detected!("neon") { vec![Self::Neon] } else { Vec::new() }
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    const fn beyond_base() -> Vec<Self> {
        Vec::new()
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
            Self::Neon => "NEON",
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Self::Base => "relaxed SIMD",
            #[cfg(all(
                target_arch = "wasm32",
                target_feature = "simd128",
                not(target_feature = "relaxed-simd")
            ))]
            Self::Base => "SIMD128",
            #[cfg(not(any(target_arch = "x86_64", target_feature = "simd128")))]
            Self::Base => "no vectors",
        }
    }

    fn dispatch(self, args: &Args<'_>, split: &dyn Fn(&Work<'_>, Compute<'_>)) -> bool {
        match self {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Base => fast::simd128::dispatch(args, split),
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Base => fast::portable::dispatch(args, split),
            #[cfg(target_arch = "aarch64")]
            // SAFETY: `beyond_base` alone makes this value, and only where the processor has NEON.
            Self::Neon => unsafe { fast::neon::dispatch(args, split) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `beyond_base` alone makes this value, and only where the processor has all three features.
            Self::Avx2 => unsafe { fast::avx2::dispatch(args, split) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `beyond_base` alone makes this value, and only where the processor has all eight features.
            Self::Avx512 => unsafe { fast::avx512::dispatch(args, split) },
        }
    }
}

/// Computes and stores what a dispatch asks for; false if no vector code does.
pub(super) fn run(args: &Args<'_>, vectors: Vectors, threads: &Threads) -> bool {
    vectors.dispatch(args, &|work, compute| {
        let least = PER_TASK.div_ceil(work.part_cost().max(1));
        // SAFETY: parts of work write different words, and none reads what another writes: so `Work` says.
        unsafe { threads.split(work.n_parts(), least, work, compute) };
        work.finish();
    })
}
