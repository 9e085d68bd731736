//! GPT-2 (Radford et al. 2019): learned positions, layer norms with bias, a plain feed-forward block.

use goldcrest_kernels::ops::matmul::Act;

use crate::recorder::{AttentionKind, LayerNorm};
use crate::{Allocator, Config, Linear, ModelError, Recorder};

pub(crate) struct Layer {
    attn_norm: LayerNorm,
    attn_qkv: Linear,
    attn_output: Linear,
    ffn_norm: LayerNorm,
    ffn_up: Linear,
    ffn_down: Linear,
}

impl Layer {
    pub(crate) fn allocate(a: &mut Allocator<'_>, cfg: &Config, il: u32) -> Result<Self, ModelError> {
        Ok(Self {
            attn_norm: a.layer_norm(&format!("blk.{il}.attn_norm"), cfg.n_embd)?,
            attn_qkv: a.linear(&[(format!("blk.{il}.attn_qkv"), cfg.n_qkv())], cfg.n_embd)?,
            attn_output: a.attn_output(cfg, il)?,
            ffn_norm: a.layer_norm(&format!("blk.{il}.ffn_norm"), cfg.n_embd)?,
            ffn_up: a.linear(&[(format!("blk.{il}.ffn_up"), cfg.n_ff)], cfg.n_embd)?,
            ffn_down: a.linear(&[(format!("blk.{il}.ffn_down"), cfg.n_embd)], cfg.n_ff)?,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.layer_norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.attention(il, AttentionKind::Full, None)?;
        r.add_attn_output(&self.attn_output)?;
        r.add_plain_ffn(&self.ffn_norm, &self.ffn_up, &self.ffn_down, Act::GeluTanh)
    }
}
