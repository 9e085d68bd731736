//! GPT-2 (Radford et al. 2019): learned positions, layer norms with bias, a plain feed-forward block.

use goldcrest_kernels::ops::matmul::Act;

use crate::recorder::{AttentionKind, LayerNorm};
use crate::{Config, Linear, Loader, ModelError, Recorder, WeightSource};

pub(crate) struct Layer {
    attn_norm: LayerNorm,
    attn_qkv: Linear,
    attn_output: Linear,
    ffn_norm: LayerNorm,
    ffn_up: Linear,
    ffn_down: Linear,
}

impl Layer {
    pub(crate) async fn load<S: WeightSource>(
        l: &mut Loader<'_, S>,
        cfg: &Config,
        il: u32,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            attn_norm: l.layer_norm(&format!("blk.{il}.attn_norm"), cfg.n_embd).await?,
            attn_qkv: l.linear(&[(format!("blk.{il}.attn_qkv"), cfg.n_qkv())], cfg.n_embd).await?,
            attn_output: l.attn_output(cfg, il).await?,
            ffn_norm: l.layer_norm(&format!("blk.{il}.ffn_norm"), cfg.n_embd).await?,
            ffn_up: l.linear(&[(format!("blk.{il}.ffn_up"), cfg.n_ff)], cfg.n_embd).await?,
            ffn_down: l.linear(&[(format!("blk.{il}.ffn_down"), cfg.n_embd)], cfg.n_ff).await?,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.layer_norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.rope_store(il, None)?;
        r.attention(il, AttentionKind::Full)?;
        r.add_attn_output(&self.attn_output)?;
        r.add_plain_ffn(&self.ffn_norm, &self.ffn_up, &self.ffn_down, Act::GeluTanh)
    }
}
