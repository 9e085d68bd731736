//! How much memory a model will take, before a byte of it is loaded.

use goldcrest_gguf::Gguf;
use goldcrest_model::{Config, RopeTables, Scratch, weight_bytes};

use super::kv_buffers::bytes_per_cell;
use super::logits::LogitBuffers;
use crate::EngineError;

/// Bytes on the device, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Weights after repacking.
    pub weights: u64,
    /// Keys and values per token, with the tables that say where they lie.
    pub kv_per_token: u64,
    /// Activations, logits and what reduces them, angles of rotation.
    pub scratch: u64,
    /// All of it with the whole context in use.
    pub total: u64,
    /// The context that `total` counts, in tokens.
    pub n_ctx: u32,
}

impl MemoryPlan {
    /// The plan for a context of `n_ctx` tokens; 0 takes what [`Runtime::new`](super::Runtime::new) would take.
    ///
    /// # Errors
    /// [`EngineError::Model`] for a file that cannot be run, [`EngineError::BadContext`].
    pub fn new(gguf: &Gguf, n_ctx: u32) -> Result<Self, EngineError> {
        let cfg = Config::from_gguf(gguf)?;
        let n_ctx = context_length(&cfg, n_ctx)?;
        let weights = weight_bytes(gguf)?;
        let kv_per_token = bytes_per_cell(&cfg);
        let scratch = Scratch::bytes(&cfg) + LogitBuffers::bytes(&cfg) + RopeTables::bytes(&cfg, n_ctx);
        Ok(Self {
            weights,
            kv_per_token,
            scratch,
            total: weights + scratch + kv_per_token * u64::from(n_ctx),
            n_ctx,
        })
    }
}

/// The context that a model gets when `requested` is asked for; 0 asks for the model's, but at most 4,096.
pub(super) fn context_length(cfg: &Config, requested: u32) -> Result<u32, EngineError> {
    match requested {
        0 => Ok(cfg.n_ctx_train.min(4096)),
        n if n > cfg.n_ctx_train => Err(EngineError::BadContext { requested, max: cfg.n_ctx_train }),
        n => Ok(n),
    }
}
