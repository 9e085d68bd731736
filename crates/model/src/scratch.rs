//! Activation buffers: allocated once for the largest chunk, shared by all plans.

use goldcrest_gpu::{Buffer, Device, Slice};
use goldcrest_kernels::ops::attention::split_scratch_bytes;
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
    /// Parts of one row's heads, for long contexts; see `attention_split`.
    pub attn_parts: Slice<Buffer>,
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
        let buffer = |(label, bytes)| device.create_buffer(label, bytes).map(|b| b.whole());
        let [
            x,
            normed,
            branch,
            wanted,
            wanted_normed,
            qkv,
            attn,
            attn_parts,
            gate_up,
            ffn,
            expert_out,
            router,
            ids,
            weights,
            rest @ ..,
        ] = sizes(cfg).map(buffer);
        let [logits, step, mix, dummy] = rest;
        Ok(Self {
            x: x?,
            normed: normed?,
            branch: branch?,
            qkv: qkv?,
            attn: attn?,
            attn_parts: attn_parts?,
            gate_up: gate_up?,
            ffn: ffn?,
            expert_out: expert_out?,
            router: router?,
            expert_ids: ids?,
            expert_weights: weights?,
            wanted: wanted?,
            wanted_normed: wanted_normed?,
            logits: logits?,
            step: step?,
            mix: mix?,
            dummy: dummy?,
        })
    }

    /// The logits of the first `n_want` rows.
    ///
    /// wgpu clears what a dispatch binds for the first time, so that rows which no dispatch binds take up no memory where
    /// that is main memory: 3 MB for the 15 rows of a 49k vocabulary that plain decoding does not use.
    #[must_use]
    pub fn logits_of(&self, n_want: u32) -> Slice<Buffer> {
        let row = self.logits.size / MAX_WANT as u64;
        self.logits.buffer.slice(0, row * u64::from(n_want))
    }

    /// Bytes that [`Scratch::new`] allocates.
    #[must_use]
    pub fn bytes(cfg: &Config) -> u64 {
        sizes(cfg).iter().map(|(_, bytes)| goldcrest_gpu::buffer_bytes(*bytes)).sum()
    }
}

/// Name and size of every buffer.
fn sizes(cfg: &Config) -> [(&'static str, u64); 18] {
    let (rows, want) = (MAX_ROWS as u64 * 4, MAX_WANT as u64 * 4);
    let (n_embd, n_ff, used) = (u64::from(cfg.n_embd), u64::from(cfg.n_ff), u64::from(cfg.n_expert_used));
    [
        ("x", rows * n_embd),
        ("normed", rows * n_embd),
        ("branch", rows * n_embd),
        ("wanted", want * n_embd),
        ("wanted_normed", want * n_embd),
        ("qkv", rows * u64::from(cfg.n_qkv())),
        ("attn", rows * u64::from(cfg.n_head * cfg.head_dim)),
        ("attn_parts", split_scratch_bytes(cfg.n_head, cfg.head_dim)),
        // Gate and up rows of experts are joined by the kernel that computes them.
        ("gate_up", if used > 0 { 0 } else { rows * 2 * n_ff }),
        ("ffn", rows * used.max(1) * n_ff),
        ("expert_out", rows * used * n_embd),
        ("router", rows * u64::from(cfg.n_expert)),
        ("expert_ids", rows * used),
        ("expert_weights", rows * used),
        ("logits", want * u64::from(cfg.n_vocab)),
        ("step", STEP_BYTES),
        ("mix", u64::from(MAX_MIX) * 8),
        ("dummy", 256),
    ]
}
