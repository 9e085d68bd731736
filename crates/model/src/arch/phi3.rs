//! Phi 3 and 3.5 (arXiv 2404.14219): fused tensors in the file, half-split rotary pairs, optionally a sliding window in
//! every layer.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::Act;

use super::feed_forward::GatedFfn;
use crate::recorder::AttentionKind;
use crate::{Allocator, Config, Linear, ModelError, Recorder};

pub(crate) struct Layer {
    attn_norm: Slice<Buffer>,
    attn_qkv: Linear,
    attn_output: Linear,
    ffn_norm: Slice<Buffer>,
    ffn: GatedFfn,
    kind: AttentionKind,
}

impl Layer {
    pub(crate) fn allocate(a: &mut Allocator<'_>, cfg: &Config, il: u32) -> Result<Self, ModelError> {
        let sliding = cfg.sliding_window.is_some();
        Ok(Self {
            attn_norm: a.vector(&format!("blk.{il}.attn_norm.weight"), cfg.n_embd)?,
            attn_qkv: a.linear(&[(format!("blk.{il}.attn_qkv"), cfg.n_qkv())], cfg.n_embd)?,
            attn_output: a.attn_output(cfg, il)?,
            ffn_norm: a.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd)?,
            ffn: GatedFfn::allocate_fused(a, cfg, il)?,
            kind: if sliding { AttentionKind::Sliding } else { AttentionKind::Full },
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.attention(il, self.kind, None)?;
        r.add_attn_output(&self.attn_output)?;
        r.add_gated_ffn(&self.ffn_norm, &self.ffn, Act::Silu)
    }
}
