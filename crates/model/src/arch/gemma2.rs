//! Gemma 2 (arXiv 2408.00118): norms before and after each block, soft caps, every other layer a sliding window.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::Act;

use super::feed_forward::GatedFfn;
use crate::recorder::AttentionKind;
use crate::{Allocator, Config, Linear, ModelError, Recorder};

/// What layer `il` sees.
pub(crate) const fn kind(il: u32) -> AttentionKind {
    if il.is_multiple_of(2) { AttentionKind::Sliding } else { AttentionKind::Full }
}

pub(crate) struct Layer {
    attn_norm: Slice<Buffer>,
    attn_qkv: Linear,
    attn_output: Linear,
    post_attn_norm: Slice<Buffer>,
    ffn_norm: Slice<Buffer>,
    ffn: GatedFfn,
    post_ffn_norm: Slice<Buffer>,
}

impl Layer {
    pub(crate) fn allocate(a: &mut Allocator<'_>, cfg: &Config, il: u32) -> Result<Self, ModelError> {
        Ok(Self {
            attn_norm: a.vector(&format!("blk.{il}.attn_norm.weight"), cfg.n_embd)?,
            attn_qkv: a.qkv(cfg, il)?,
            attn_output: a.attn_output(cfg, il)?,
            post_attn_norm: a.vector(&format!("blk.{il}.post_attention_norm.weight"), cfg.n_embd)?,
            ffn_norm: a.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd)?,
            ffn: GatedFfn::allocate(a, cfg, il)?,
            post_ffn_norm: a.vector(&format!("blk.{il}.post_ffw_norm.weight"), cfg.n_embd)?,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.attention(il, kind(il), None)?;
        r.attn_output(&self.attn_output)?;
        r.add_normed(&self.post_attn_norm)?;
        r.gated_ffn(&self.ffn_norm, &self.ffn, Act::GeluTanh)?;
        r.add_normed(&self.post_ffn_norm)
    }
}
