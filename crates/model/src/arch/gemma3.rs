//! Gemma 3 (arXiv 2503.19786): Gemma 2 without soft caps, with query and key norms; five sliding-window layers with a
//! rotary base of their own for every full one.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::Act;

use super::feed_forward::GatedFfn;
use crate::recorder::{AttentionKind, QkNorm};
use crate::{Allocator, Config, Linear, ModelError, Recorder};

/// Every sixth layer sees everything.
const FULL_EVERY: u32 = 6;

/// What layer `il` sees, and so which angles it rotates by.
pub(crate) const fn kind(il: u32) -> AttentionKind {
    if (il + 1).is_multiple_of(FULL_EVERY) { AttentionKind::Full } else { AttentionKind::Sliding }
}

pub(crate) struct Layer {
    attn_norm: Slice<Buffer>,
    attn_qkv: Linear,
    qk_norm: QkNorm,
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
            qk_norm: a.qk_norm_per_head(cfg, il)?,
            attn_output: a.attn_output(cfg, il)?,
            post_attn_norm: a.vector(&format!("blk.{il}.post_attention_norm.weight"), cfg.n_embd)?,
            ffn_norm: a.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd)?,
            ffn: GatedFfn::allocate(a, cfg, il)?,
            post_ffn_norm: a.vector(&format!("blk.{il}.post_ffw_norm.weight"), cfg.n_embd)?,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        let kind = kind(il);
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.attention(il, kind, Some(&self.qk_norm))?;
        r.attn_output(&self.attn_output)?;
        r.add_normed(&self.post_attn_norm)?;
        r.gated_ffn(&self.ffn_norm, &self.ffn, Act::GeluTanh)?;
        r.add_normed(&self.post_ffn_norm)
    }
}
