//! Qwen 2 and 2.5 (arXiv 2407.10671, 2412.15115): Llama with biases on query, key and value, and half-split rotary pairs.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::Act;

use super::feed_forward::GatedFfn;
use crate::recorder::AttentionKind;
use crate::{Config, Linear, Loader, ModelError, Recorder, WeightSource};

pub(crate) struct Layer {
    attn_norm: Slice<Buffer>,
    attn_qkv: Linear,
    attn_output: Linear,
    ffn_norm: Slice<Buffer>,
    ffn: GatedFfn,
}

impl Layer {
    pub(crate) async fn load<S: WeightSource>(
        l: &mut Loader<'_, S>,
        cfg: &Config,
        il: u32,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            attn_norm: l.vector(&format!("blk.{il}.attn_norm.weight"), cfg.n_embd).await?,
            attn_qkv: l.qkv(cfg, il).await?,
            attn_output: l.attn_output(cfg, il).await?,
            ffn_norm: l.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd).await?,
            ffn: GatedFfn::load(l, cfg, il).await?,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.rope_store(il, None)?;
        r.attention(il, AttentionKind::Full)?;
        r.add_attn_output(&self.attn_output)?;
        r.add_gated_ffn(&self.ffn_norm, &self.ffn, Act::Silu)
    }
}
