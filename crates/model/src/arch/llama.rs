//! Llama (Touvron et al. 2023, arXiv 2302.13971) and its many relatives; Mixtral's experts (arXiv 2401.04088) too, which
//! GGUF files call `llama` with an expert count.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::Act;

use super::feed_forward::{Experts, GatedFfn};
use crate::recorder::AttentionKind;
use crate::{Config, Linear, Loader, ModelError, Recorder, WeightSource};

pub(crate) struct Layer {
    attn_norm: Slice<Buffer>,
    attn_qkv: Linear,
    attn_output: Linear,
    ffn_norm: Slice<Buffer>,
    ffn: Ffn,
}

enum Ffn {
    Dense(GatedFfn),
    Experts(Experts),
}

impl Layer {
    pub(crate) async fn load<S: WeightSource>(
        l: &mut Loader<'_, S>,
        cfg: &Config,
        il: u32,
    ) -> Result<Self, ModelError> {
        let ffn = match cfg.n_expert {
            0 => Ffn::Dense(GatedFfn::load(l, cfg, il).await?),
            _ => Ffn::Experts(Experts::load(l, cfg, il, true).await?),
        };
        Ok(Self {
            attn_norm: l.vector(&format!("blk.{il}.attn_norm.weight"), cfg.n_embd).await?,
            attn_qkv: l.qkv(cfg, il).await?,
            attn_output: l.attn_output(cfg, il).await?,
            ffn_norm: l.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd).await?,
            ffn,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.rope_store(il, None)?;
        r.attention(il, AttentionKind::Full)?;
        r.add_attn_output(&self.attn_output)?;
        match &self.ffn {
            Ffn::Dense(ffn) => r.add_gated_ffn(&self.ffn_norm, ffn, Act::Silu),
            Ffn::Experts(experts) => r.add_experts(&self.ffn_norm, experts, Act::Silu),
        }
    }
}
