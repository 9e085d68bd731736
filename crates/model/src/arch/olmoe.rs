//! `OLMoE` (arXiv 2409.02060): many small experts, query and key norms over the whole projection.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::Act;

use super::feed_forward::Experts;
use crate::recorder::{AttentionKind, QkNorm};
use crate::{Allocator, Config, Linear, ModelError, Recorder};

pub(crate) struct Layer {
    attn_norm: Slice<Buffer>,
    attn_qkv: Linear,
    qk_norm: QkNorm,
    attn_output: Linear,
    ffn_norm: Slice<Buffer>,
    experts: Experts,
}

impl Layer {
    pub(crate) fn allocate(a: &mut Allocator<'_>, cfg: &Config, il: u32) -> Result<Self, ModelError> {
        Ok(Self {
            attn_norm: a.vector(&format!("blk.{il}.attn_norm.weight"), cfg.n_embd)?,
            attn_qkv: a.qkv(cfg, il)?,
            qk_norm: a.qk_norm_whole(cfg, il)?,
            attn_output: a.attn_output(cfg, il)?,
            ffn_norm: a.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd)?,
            experts: Experts::allocate(a, cfg, il, false)?,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.attention(il, AttentionKind::Full, Some(&self.qk_norm))?;
        r.add_attn_output(&self.attn_output)?;
        r.add_experts(&self.ffn_norm, &self.experts, Act::Silu)
    }
}
