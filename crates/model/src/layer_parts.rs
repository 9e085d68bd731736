//! The parts of a layer that most architectures have alike.

use goldcrest_gpu::{Buffer, Slice};

use crate::allocate::{Allocator, Linear};
use crate::recorder::{LayerNorm, QkNorm};
use crate::{Config, ModelError};

impl Allocator<'_> {
    /// Query, key and value of one layer.
    pub(crate) fn qkv(&mut self, cfg: &Config, il: u32) -> Result<Linear, ModelError> {
        let (n_q, n_kv) = (cfg.n_head * cfg.head_dim, cfg.n_head_kv * cfg.head_dim);
        let name = |part| format!("blk.{il}.attn_{part}");
        self.linear(&[(name("q"), n_q), (name("k"), n_kv), (name("v"), n_kv)], cfg.n_embd)
    }

    /// The output projection of attention.
    pub(crate) fn attn_output(&mut self, cfg: &Config, il: u32) -> Result<Linear, ModelError> {
        self.linear(&[(format!("blk.{il}.attn_output"), cfg.n_embd)], cfg.n_head * cfg.head_dim)
    }

    /// Norms of every query and key head by itself.
    pub(crate) fn qk_norm_per_head(&mut self, cfg: &Config, il: u32) -> Result<QkNorm, ModelError> {
        Ok(QkNorm { weight: self.qk_norms(il, cfg.head_dim, cfg.head_dim)?, whole: false })
    }

    /// Norms over all query heads together, and over all key heads together.
    pub(crate) fn qk_norm_whole(&mut self, cfg: &Config, il: u32) -> Result<QkNorm, ModelError> {
        let weight = self.qk_norms(il, cfg.n_head * cfg.head_dim, cfg.n_head_kv * cfg.head_dim)?;
        Ok(QkNorm { weight, whole: true })
    }

    fn qk_norms(&mut self, il: u32, n_q: u32, n_k: u32) -> Result<Slice<Buffer>, ModelError> {
        let name = |part| format!("blk.{il}.attn_{part}_norm.weight");
        self.vectors(&[(name("q"), n_q), (name("k"), n_k)])
    }

    /// Weight and bias of a layer norm.
    pub(crate) fn layer_norm(&mut self, name: &str, n: u32) -> Result<LayerNorm, ModelError> {
        let weight = self.vector(&format!("{name}.weight"), n)?;
        Ok(LayerNorm { weight, bias: self.vector(&format!("{name}.bias"), n)? })
    }
}
