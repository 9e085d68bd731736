//! Activation buffers: allocated once for the largest chunk, shared by all plans.

use goldcrest_gpu::{Buffer, Device, Slice};
use goldcrest_kernels::ops::row_stats::row_stats_scratch_bytes;
use goldcrest_kernels::step::{MAX_ROWS, MAX_WANT, STEP_BYTES};

use crate::{Config, ModelError};

/// Word pairs (token, weight) that the mixtures of one step may hold together.
pub(crate) const MAX_MIX: u32 = 4096;

/// One buffer for every named activation.
#[derive(Debug)]
pub struct Scratch {
    /// Residual stream, `[MAX_ROWS][n_embd]`.
    pub x: Slice<Buffer>,
    /// Normed residual, `[MAX_ROWS][n_embd]`.
    pub normed: Slice<Buffer>,
    /// Output of a block before its post-norm, `[MAX_ROWS][n_embd]`.
    pub branch: Slice<Buffer>,
    /// Queries, keys and values, `[MAX_ROWS][n_qkv]`.
    pub qkv: Slice<Buffer>,
    /// Attention output, `[MAX_ROWS][n_head · head_dim]`.
    pub attn: Slice<Buffer>,
    /// Gate and up activations before they are joined, `[MAX_ROWS][2 · n_ff]`.
    pub gate_up: Slice<Buffer>,
    /// Feed-forward activations, `[MAX_ROWS · n_expert_used][n_ff]`.
    pub ffn: Slice<Buffer>,
    /// Outputs of the chosen experts, `[MAX_ROWS · n_expert_used][n_embd]`.
    pub expert_out: Slice<Buffer>,
    /// Router logits, `[MAX_ROWS][n_expert]`.
    pub router: Slice<Buffer>,
    /// Chosen experts, `[MAX_ROWS][n_expert_used]`.
    pub expert_ids: Slice<Buffer>,
    /// Their weights, `[MAX_ROWS][n_expert_used]`.
    pub expert_weights: Slice<Buffer>,
    /// Rows whose logits are wanted, `[MAX_WANT][n_embd]`, and the same after the final norm.
    pub wanted: Slice<Buffer>,
    /// Final-normed wanted rows, `[MAX_WANT][n_embd]`.
    pub wanted_normed: Slice<Buffer>,
    /// Logits, `[MAX_WANT][n_vocab]`.
    pub logits: Slice<Buffer>,
    /// The step buffer.
    pub step: Slice<Buffer>,
    /// Token mixtures.
    pub mix: Slice<Buffer>,
    /// Bound where a kernel has a binding that a dispatch does not use.
    pub dummy: Slice<Buffer>,
}

impl Scratch {
    /// Allocates everything that `cfg` needs.
    ///
    /// # Errors
    /// [`ModelError::Gpu`].
    pub fn new(device: &dyn Device, cfg: &Config) -> Result<Self, ModelError> {
        let sizes = Sizes::new(cfg);
        let buffer = |label, bytes| device.create_buffer(label, bytes).map(|b| b.whole());
        Ok(Self {
            x: buffer("x", sizes.embd)?,
            normed: buffer("normed", sizes.embd)?,
            branch: buffer("branch", sizes.embd)?,
            qkv: buffer("qkv", sizes.qkv)?,
            attn: buffer("attn", sizes.attn)?,
            gate_up: buffer("gate_up", sizes.gate_up)?,
            ffn: buffer("ffn", sizes.ffn)?,
            expert_out: buffer("expert_out", sizes.expert_out)?,
            router: buffer("router", sizes.router)?,
            expert_ids: buffer("expert_ids", sizes.experts)?,
            expert_weights: buffer("expert_weights", sizes.experts)?,
            wanted: buffer("wanted", sizes.wanted)?,
            wanted_normed: buffer("wanted_normed", sizes.wanted)?,
            logits: buffer("logits", sizes.logits)?,
            step: buffer("step", STEP_BYTES)?,
            mix: buffer("mix", u64::from(MAX_MIX) * 8)?,
            dummy: buffer("dummy", 256)?,
        })
    }

    /// Bytes that [`Scratch::new`] allocates, with the reductions over the logits.
    #[must_use]
    pub fn bytes(cfg: &Config) -> u64 {
        let s = Sizes::new(cfg);
        let activations = 3 * s.embd + s.qkv + s.attn + s.gate_up + s.ffn + s.expert_out + s.router + 2 * s.experts;
        let head = 2 * s.wanted + s.logits + row_stats_scratch_bytes(cfg.n_vocab, MAX_WANT as u32);
        activations + head + STEP_BYTES + u64::from(MAX_MIX) * 8
    }
}

struct Sizes {
    embd: u64,
    qkv: u64,
    attn: u64,
    gate_up: u64,
    ffn: u64,
    expert_out: u64,
    router: u64,
    experts: u64,
    wanted: u64,
    logits: u64,
}

impl Sizes {
    fn new(cfg: &Config) -> Self {
        let rows = MAX_ROWS as u64 * 4;
        let used = u64::from(cfg.n_expert_used);
        Self {
            embd: rows * u64::from(cfg.n_embd),
            qkv: rows * u64::from(cfg.n_qkv()),
            attn: rows * u64::from(cfg.n_head * cfg.head_dim),
            gate_up: if used > 0 { 16 } else { rows * 2 * u64::from(cfg.n_ff) },
            ffn: rows * used.max(1) * u64::from(cfg.n_ff),
            expert_out: rows * used * u64::from(cfg.n_embd),
            router: rows * u64::from(cfg.n_expert),
            experts: rows * used,
            wanted: MAX_WANT as u64 * 4 * u64::from(cfg.n_embd),
            logits: MAX_WANT as u64 * 4 * u64::from(cfg.n_vocab),
        }
    }
}
