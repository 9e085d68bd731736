//! Kernels again, made for speed: what the twins compute, in loops that become vector code, cut into parts that threads
//! can take. What few tokens spend no time in has no such form.

#![allow(clippy::needless_range_loop, reason = "plain loops over arrays are what becomes vector code")]

mod affine;
#[cfg(target_arch = "x86_64")]
mod ahead;
mod attend;
mod attention;
#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
#[cfg(any(target_arch = "x86_64", target_feature = "relaxed-simd"))]
mod digits;
#[cfg(target_arch = "x86_64")]
mod dots;
mod exp;
mod limbs;
mod loops;
#[cfg(target_arch = "aarch64")]
pub mod neon;
pub mod portable;
mod product;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod relaxed;
mod row_work;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub mod simd128;
mod stats;
#[cfg(target_arch = "x86_64")]
mod take;
mod unpack;
#[cfg(target_arch = "x86_64")]
mod vnni;
mod words;

use std::ops::Range;

use super::Args;
use attention::Attention;
use product::{ByDigits, Product};
use row_work::{Act, Norm};
use stats::Stats;

/// Computes and stores some parts of the work that its module made.
pub type Compute<'c> = &'c (dyn Fn(&Work<'_>, Range<usize>) + Sync);

/// A dispatch, ready to be computed in parts. Parts write different words, and none reads what another writes.
pub struct Work<'a>(Kind<'a>);

enum Kind<'a> {
    Product(Product<'a>),
    Attention(Attention<'a>),
    Stats(Stats<'a>),
    Act(Act<'a>),
    Norm(Norm<'a>),
}

impl<'a> Work<'a> {
    /// The work of a dispatch, products by digits where they take the weights.
    #[inline(always)]
    fn of(args: &Args<'a>, by_digits: ByDigits) -> Option<Self> {
        let kind = match args.shader.shader().kernel {
            "matmul_soft" => Kind::Product(Product::of(args, by_digits)?),
            "attention" | "attention_tile" | "attention_soft" => Kind::Attention(Attention::of(args)?),
            "row_stats" => Kind::Stats(Stats::of(args)?),
            "act" => Kind::Act(Act::of(args)?),
            "norm" => Kind::Norm(Norm::of(args)?),
            _ => return None,
        };
        Some(Self(kind))
    }

    /// The parts that [`Compute`] takes ranges of.
    #[must_use]
    pub fn n_parts(&self) -> usize {
        match &self.0 {
            Kind::Product(product) => product.n_parts(),
            Kind::Attention(attention) => attention.n_units(),
            Kind::Stats(stats) => stats.n_tiles(),
            Kind::Act(act) => act.n_rows,
            Kind::Norm(norm) => norm.n_rows,
        }
    }

    /// About how many multiplications a part has, or what takes as long.
    #[must_use]
    pub fn part_cost(&self) -> usize {
        match &self.0 {
            Kind::Product(product) => product.part_cost(),
            Kind::Attention(attention) => attention.unit_cost(),
            Kind::Stats(stats) => stats.tile_cost(),
            Kind::Act(act) => act.row_cost(),
            Kind::Norm(norm) => norm.row_cost(),
        }
    }

    /// Joins what the parts left, when all are computed.
    pub fn finish(&self) {
        if let Kind::Attention(attention) = &self.0 {
            attention.merge();
        }
    }
}
