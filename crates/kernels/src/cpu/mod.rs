//! CPU twins: every kernel again as plain loops over the same bindings.
//!
//! They are the oracle of the kernel tests and the executor of `--adapter cpu`. They are written to be compared with the
//! WGSL text, not to be fast; reductions accumulate in f32 or f64, never narrower.

mod act;
mod activation;
mod add_rows;
mod attention;
mod bytes;
mod cell;
mod copy_rows;
pub mod dequant;
mod embed;
pub mod fast;
mod gather_logits;
mod judge;
mod kv_move;
mod mask_logits;
mod matmul;
mod matmul_coded;
mod moe_combine;
mod moe_route;
mod norm;
mod penalize;
mod rope_kv;
mod row_stats;
mod row_stats_merge;
mod rows;
mod sample;
mod sample_next;
mod table;
mod topk;
mod topk_scan;
mod walk;
mod words;

use std::cell::Cell;

use crate::shader::ShaderId;

pub use table::twin;

/// What a twin is given: the bindings, parameters and grid that the WGSL kernel is given.
pub struct Args<'a> {
    /// Storage bindings in ascending order, as 32-bit words.
    pub bindings: &'a [&'a [Cell<u32>]],
    /// Words of the uniform parameter struct.
    pub uniform: &'a [u32],
    /// Override constants set by the dispatch.
    pub overrides: &'a [(&'static str, f64)],
    /// The variant that was asked for.
    pub shader: ShaderId,
    /// Workgroups in x, y and z.
    pub grid: [u32; 3],
}

impl Args<'_> {
    /// Value of an override: as set by the dispatch, or its default.
    #[must_use]
    pub fn override_value(&self, name: &str) -> f64 {
        let set = self.overrides.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        let default =
            || self.shader.shader().overrides.iter().find(|o| o.name == name).and_then(|o| o.default);
        set.or_else(default).unwrap_or(0.0)
    }

    /// The uniform parameter struct.
    ///
    /// # Panics
    /// If the words are fewer than `P` has: operations build both, so that is a bug and not data.
    #[must_use]
    pub fn params<P: bytemuck::Pod>(&self) -> P {
        *bytemuck::from_bytes(&bytemuck::cast_slice(self.uniform)[..size_of::<P>()])
    }
}

/// A CPU twin.
pub type Twin = fn(&Args<'_>);
