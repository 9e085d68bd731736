//! Qwen 2 and 2.5 (arXiv 2407.10671, 2412.15115): Llama with biases on query, key and value, and half-split rotary pairs.

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
}

impl Layer {
    pub(crate) fn allocate(a: &mut Allocator<'_>, cfg: &Config, il: u32) -> Result<Self, ModelError> {
        Ok(Self {
            attn_norm: a.vector(&format!("blk.{il}.attn_norm.weight"), cfg.n_embd)?,
            attn_qkv: a.qkv(cfg, il)?,
            attn_output: a.attn_output(cfg, il)?,
            ffn_norm: a.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd)?,
            ffn: GatedFfn::allocate(a, cfg, il)?,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.attention(il, AttentionKind::Full, None)?;
        r.add_attn_output(&self.attn_output)?;
        r.add_gated_ffn(&self.ffn_norm, &self.ffn, Act::Silu)
    }
}
