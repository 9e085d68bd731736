//! Llama (Touvron et al. 2023, arXiv 2302.13971) and its many relatives; Mixtral's experts (arXiv 2401.04088) too, which
//! GGUF files call `llama` with an expert count.

use goldcrest_gpu::{Buffer, Slice};
use goldcrest_kernels::ops::matmul::Act;

use super::feed_forward::{Experts, GatedFfn};
use crate::recorder::AttentionKind;
use crate::{Allocator, Config, Linear, ModelError, Recorder};

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
    pub(crate) fn allocate(a: &mut Allocator<'_>, cfg: &Config, il: u32) -> Result<Self, ModelError> {
        let ffn = match cfg.n_expert {
            0 => Ffn::Dense(GatedFfn::allocate(a, cfg, il)?),
            _ => Ffn::Experts(Experts::allocate(a, cfg, il, true)?),
        };
        Ok(Self {
            attn_norm: a.vector(&format!("blk.{il}.attn_norm.weight"), cfg.n_embd)?,
            attn_qkv: a.qkv(cfg, il)?,
            attn_output: a.attn_output(cfg, il)?,
            ffn_norm: a.vector(&format!("blk.{il}.ffn_norm.weight"), cfg.n_embd)?,
            ffn,
        })
    }

    pub(crate) fn forward(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        r.norm_qkv(&self.attn_norm, &self.attn_qkv)?;
        r.attention(il, AttentionKind::Full, None)?;
        r.add_attn_output(&self.attn_output)?;
        match &self.ffn {
            Ffn::Dense(ffn) => r.add_gated_ffn(&self.ffn_norm, ffn, Act::Silu),
            Ffn::Experts(experts) => r.add_experts(&self.ffn_norm, experts, Act::Silu),
        }
    }
}
