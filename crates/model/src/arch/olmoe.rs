//! `OLMoE` (arXiv 2409.02060): many small experts, query and key norms over the whole projection.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::Act;

use super::feed_forward::Experts;
use crate::recorder::{AttentionKind, QkNorm};
use crate::{Config, Linear, Loader, ModelError, Recorder, WeightSource};

pub(crate) struct Layer {
    attn_norm: Slice<Buffer>,
    attn_qkv: Linear,
    qk_norm: QkNorm,
    attn_output: Linear,
    ffn_norm: Slice<Buffer>,
    experts: Experts,
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
            qk_norm: l.qk_norm_whole(cfg, il).await?,
            attn_output: l.attn_output(cfg, il).await?,
            ffn_norm: l.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd).await?,
            experts: Experts::load(l, cfg, il, false).await?,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.rope_store(il, Some(&self.qk_norm))?;
        r.attention(il, AttentionKind::Full)?;
        r.add_attn_output(&self.attn_output)?;
        r.add_experts(&self.ffn_norm, &self.experts, Act::Silu)
    }
}
