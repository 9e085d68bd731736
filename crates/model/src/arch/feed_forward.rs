//! Feed-forward blocks that several architectures share.

use goldcrest_gpu::Buffer;
use goldcrest_kernels::ops::matmul::Matrix;

use crate::rows::Rows;
use crate::{Allocator, Config, Linear, ModelError};

/// `down(act(gate(x)) * up(x))`; gate and up rows take turns in one matrix.
#[derive(Debug)]
pub(crate) struct GatedFfn {
    pub(crate) gate_up: Matrix<Buffer>,
    pub(crate) down: Linear,
}

impl GatedFfn {
    pub(crate) fn allocate(a: &mut Allocator<'_>, cfg: &Config, il: u32) -> Result<Self, ModelError> {
        let names = (&*format!("blk.{il}.ffn_gate.weight"), &*format!("blk.{il}.ffn_up.weight"));
        let rows = Rows::gated(a.gguf, names, cfg.n_embd, cfg.n_ff, 0)?;
        Self::with_gate_up(a, cfg, il, rows)
    }

    /// From a file that holds the gate rows and then the up rows in one tensor `ffn_up`.
    pub(crate) fn allocate_fused(a: &mut Allocator<'_>, cfg: &Config, il: u32) -> Result<Self, ModelError> {
        let rows = Rows::gated_fused(a.gguf, &format!("blk.{il}.ffn_up.weight"), cfg.n_embd, cfg.n_ff)?;
        Self::with_gate_up(a, cfg, il, rows)
    }

    fn with_gate_up<'a>(
        a: &mut Allocator<'a>,
        cfg: &Config,
        il: u32,
        rows: Rows<'a>,
    ) -> Result<Self, ModelError> {
        let gate_up = a.matrix(rows)?;
        let down = a.linear(&[(format!("blk.{il}.ffn_down"), cfg.n_embd)], cfg.n_ff)?;
        Ok(Self { gate_up, down })
    }
}

/// A router and its experts, each a gated feed-forward block.
#[derive(Debug)]
pub(crate) struct Experts {
    pub(crate) router: Linear,
    pub(crate) gate_up: Matrix<Buffer>,
    pub(crate) down: Matrix<Buffer>,
    /// Whether the weights of the chosen experts are scaled to sum to one.
    pub(crate) norm_weights: bool,
}

impl Experts {
    pub(crate) fn allocate(
        a: &mut Allocator<'_>,
        cfg: &Config,
        il: u32,
        norm_weights: bool,
    ) -> Result<Self, ModelError> {
        let name = |part: &str| format!("blk.{il}.ffn_{part}_exps.weight");
        let (gate, up) = (name("gate"), name("up"));
        let gate_up = Rows::gated(a.gguf, (&gate, &up), cfg.n_embd, cfg.n_ff, cfg.n_expert)?;
        let down = Rows::experts(a.gguf, &name("down"), cfg.n_ff, cfg.n_embd, cfg.n_expert)?;
        let router = a.linear(&[(format!("blk.{il}.ffn_gate_inp"), cfg.n_expert)], cfg.n_embd)?;
        Ok(Self { router, gate_up: a.matrix(gate_up)?, down: a.matrix(down)?, norm_weights })
    }
}
