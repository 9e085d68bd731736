//! Hyper-parameters, read from GGUF metadata and range-checked before anything is allocated.

use goldcrest_gguf::{Gguf, Metadata};

use crate::{Arch, ModelError, nested};

/// What the shapes and the arithmetic of a model depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Model family.
    pub arch: Arch,
    /// Vocabulary size.
    pub n_vocab: u32,
    /// Context length in training.
    pub n_ctx_train: u32,
    /// Width of the residual stream.
    pub n_embd: u32,
    /// Layers.
    pub n_layer: u32,
    /// Feed-forward width (of one expert, in mixture-of-experts layers).
    pub n_ff: u32,
    /// Narrower widths that the feed-forward blocks hold within them, ascending; empty in most models.
    pub nested_ff: Vec<u32>,
    /// Query heads.
    pub n_head: u32,
    /// Key-value heads.
    pub n_head_kv: u32,
    /// Size of one head.
    pub head_dim: u32,
    /// Norm epsilon.
    pub norm_eps: f32,
    /// Rotary position parameters.
    pub rope: RopeConfig,
    /// Width of sliding-window layers in positions, if the model has such layers.
    pub sliding_window: Option<u32>,
    /// Soft cap of attention scores; 0 for none.
    pub attn_softcap: f32,
    /// Soft cap of the final logits; 0 for none.
    pub final_softcap: f32,
    /// Experts per layer; 0 in dense models.
    pub n_expert: u32,
    /// Experts used per token.
    pub n_expert_used: u32,
}

/// Rotary position parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeConfig {
    /// Dimensions of a head that rotate.
    pub n_rot: u32,
    /// Base of the frequencies.
    pub freq_base: f32,
    /// Stretching of positions beyond the trained context.
    pub scaling: RopeScaling,
}

/// How positions beyond the trained context are stretched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// Not at all (a file may still carry per-frequency factors, as Llama 3 does).
    None,
    /// Positions divided by a factor.
    Linear {
        /// The factor.
        factor: f32,
    },
    /// `YaRN`: interpolation of low frequencies only (Peng et al. 2023, arXiv 2309.00071).
    Yarn {
        /// The factor.
        factor: f32,
        /// Context length before stretching.
        n_ctx_orig: u32,
        /// Multiplies the attention temperature.
        attn_factor: f32,
    },
    /// `LongRoPE`: per-frequency factors for short and for long contexts (Ding et al. 2024, arXiv 2402.13753).
    LongRope {
        /// Context length up to which the short factors apply.
        n_ctx_orig: u32,
        /// Multiplies cosines and sines beyond it.
        attn_factor: f32,
    },
}

impl Config {
    /// Reads and checks the hyper-parameters.
    ///
    /// # Errors
    /// [`ModelError::UnsupportedArchitecture`], [`ModelError::BadHyperParameter`], [`ModelError::UnsupportedVariant`],
    /// [`ModelError::MissingTensor`] for the embedding, or a missing or mistyped key.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, ModelError> {
        let meta = &gguf.metadata;
        let arch = Arch::from_name(meta.get_str("general.architecture")?)?;
        let keys = Keys { meta, arch: arch.name() };
        let n_embd = keys.size("embedding_length", 1, 1 << 16)?;
        let n_head = keys.size("attention.head_count", 1, 1024)?;
        let head_dim = keys.size_or("attention.key_length", n_embd / n_head, 1, 1024)?;
        let value_length = keys.size_or("attention.value_length", head_dim, 1, 1024)?;
        if value_length != head_dim {
            let (key, allowed) =
                (keys.full("attention.value_length"), format!("{head_dim}, as the key length"));
            return Err(ModelError::BadHyperParameter { key, found: value_length.to_string(), allowed });
        }
        if !head_dim.is_multiple_of(2) {
            return Err(keys.bad("attention.key_length", head_dim, "an even number"));
        }
        let n_head_kv = keys.size_or("attention.head_count_kv", n_head, 1, 1024)?;
        if !n_head.is_multiple_of(n_head_kv) {
            return Err(keys.bad("attention.head_count_kv", n_head_kv, &format!("a divisor of {n_head}")));
        }
        let n_expert = keys.size_or("expert_count", 0, 0, 512)?;
        let n_expert_used = keys.size_or("expert_used_count", 0, 0, n_expert)?;
        if n_expert > 0 && n_expert_used == 0 {
            return Err(keys.bad("expert_used_count", 0, &format!("1 to {n_expert}")));
        }
        let n_ff = keys.size("feed_forward_length", 1, 1 << 20)?;
        let n_ff =
            if n_expert > 0 { keys.size_or("expert_feed_forward_length", n_ff, 1, 1 << 20)? } else { n_ff };
        let n_ctx_train = keys.size("context_length", 1, 1 << 24)?;
        let eps_key = if arch == Arch::Gpt2 {
            "attention.layer_norm_epsilon"
        } else {
            "attention.layer_norm_rms_epsilon"
        };
        let window = keys.size_or("attention.sliding_window", 0, 0, u32::MAX)?;
        Ok(Self {
            arch,
            n_vocab: n_vocab(gguf)?,
            n_ctx_train,
            n_embd,
            n_layer: keys.size("block_count", 1, 512)?,
            n_ff,
            nested_ff: nested::widths(gguf, arch, n_ff, n_expert)?,
            n_head,
            n_head_kv,
            head_dim,
            norm_eps: keys.float(eps_key, None, 0.0, 1.0)?,
            rope: rope(&keys, arch, head_dim, n_ctx_train)?,
            sliding_window: (window > 0 && arch.has_sliding_layers()).then_some(window),
            attn_softcap: keys.float("attn_logit_softcapping", Some(0.0), 0.0, 1e6)?,
            final_softcap: keys.float("final_logit_softcapping", Some(0.0), 0.0, 1e6)?,
            n_expert,
            n_expert_used,
        })
    }

    /// Scale of attention scores.
    #[must_use]
    pub fn attn_scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    /// Columns of the fused query, key and value activations.
    #[must_use]
    pub const fn n_qkv(&self) -> u32 {
        (self.n_head + 2 * self.n_head_kv) * self.head_dim
    }

    /// Bytes that one cell of the KV cache takes in one layer.
    #[must_use]
    pub const fn kv_bytes_per_cell(&self) -> u64 {
        self.n_head_kv as u64 * self.arch.keys().cell_bytes(self.head_dim)
    }
}

/// Rows of the embedding matrix, which are the vocabulary.
fn n_vocab(gguf: &Gguf) -> Result<u32, ModelError> {
    let missing = || ModelError::MissingTensor { tensor: "token_embd.weight".into() };
    let rows = gguf.tensors.get("token_embd.weight").ok_or_else(missing)?.n_rows();
    match u32::try_from(rows) {
        Ok(n) if (1..=1 << 22).contains(&n) => Ok(n),
        _ => Err(ModelError::BadHyperParameter {
            key: "rows of token_embd.weight".into(),
            found: rows.to_string(),
            allowed: format!("1 to {}", 1 << 22),
        }),
    }
}

fn rope(keys: &Keys<'_>, arch: Arch, head_dim: u32, n_ctx_train: u32) -> Result<RopeConfig, ModelError> {
    let n_rot = keys.size_or("rope.dimension_count", head_dim, 0, head_dim)?;
    if !n_rot.is_multiple_of(2) {
        return Err(keys.bad("rope.dimension_count", n_rot, "an even number"));
    }
    let factor = keys.float("rope.scaling.factor", Some(1.0), 1e-3, 1e6)?;
    let attn_factor = keys.float("rope.scaling.attn_factor", Some(1.0), 1e-3, 1e3)?;
    let n_ctx_orig = keys.size_or("rope.scaling.original_context_length", n_ctx_train, 1, 1 << 24)?;
    let kind = keys.meta.get_opt::<&str>(&keys.full("rope.scaling.type"))?;
    let scaling = match kind {
        Some("yarn") => RopeScaling::Yarn { factor, n_ctx_orig, attn_factor },
        Some("linear") => RopeScaling::Linear { factor },
        Some("longrope") => RopeScaling::LongRope { n_ctx_orig, attn_factor },
        None if arch == Arch::Phi3 => RopeScaling::LongRope { n_ctx_orig, attn_factor },
        None | Some("none") => RopeScaling::None,
        Some(other) => {
            return Err(ModelError::UnsupportedVariant {
                key: keys.full("rope.scaling.type"),
                found: other.into(),
            });
        }
    };
    let freq_base = keys.float("rope.freq_base", Some(10_000.0), 1.0, 1e12)?;
    Ok(RopeConfig { n_rot, freq_base, scaling })
}

/// Typed access to the keys below the architecture's prefix.
struct Keys<'a> {
    meta: &'a Metadata,
    arch: &'static str,
}

impl Keys<'_> {
    fn full(&self, key: &str) -> String {
        format!("{}.{key}", self.arch)
    }

    fn bad(&self, key: &str, found: u32, allowed: &str) -> ModelError {
        ModelError::BadHyperParameter {
            key: self.full(key),
            found: found.to_string(),
            allowed: allowed.into(),
        }
    }

    fn size(&self, key: &str, min: u32, max: u32) -> Result<u32, ModelError> {
        let found = self.meta.get_u64(&self.full(key))?;
        self.in_range(key, found, min, max)
    }

    fn size_or(&self, key: &str, default: u32, min: u32, max: u32) -> Result<u32, ModelError> {
        let found = self.meta.get_opt::<u64>(&self.full(key))?.unwrap_or(u64::from(default));
        self.in_range(key, found, min, max)
    }

    fn in_range(&self, key: &str, found: u64, min: u32, max: u32) -> Result<u32, ModelError> {
        match u32::try_from(found) {
            Ok(n) if (min..=max).contains(&n) => Ok(n),
            _ => Err(ModelError::BadHyperParameter {
                key: self.full(key),
                found: found.to_string(),
                allowed: format!("{min} to {max}"),
            }),
        }
    }

    fn float(&self, key: &str, default: Option<f32>, min: f32, max: f32) -> Result<f32, ModelError> {
        let found = match default {
            Some(default) => self.meta.get_opt::<f32>(&self.full(key))?.unwrap_or(default),
            None => self.meta.get_f32(&self.full(key))?,
        };
        if found.is_finite() && (min..=max).contains(&found) {
            return Ok(found);
        }
        let (key, allowed) = (self.full(key), format!("{min} to {max}"));
        Err(ModelError::BadHyperParameter { key, found: found.to_string(), allowed })
    }
}
