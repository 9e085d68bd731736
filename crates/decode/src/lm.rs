//! What a strategy may ask of a model.

use goldcrest_engine::batch::{Batch, StepResult};
use goldcrest_engine::kv::KvPool;
use goldcrest_engine::{DecodeRun, EngineError, Meanwhile, Runtime};
use goldcrest_sample::SamplerParams;

use crate::speculate::SharedLearnt;

/// Sizes of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Tokens of the vocabulary.
    pub n_vocab: u32,
    /// Width of the residual stream.
    pub n_embd: u32,
    /// Layers.
    pub n_layer: u32,
    /// Positions of the context.
    pub n_ctx: u32,
}

/// A language model with a pool of sequences: a [`Runtime`], or a [`crate::TableLm`] in tests.
#[allow(async_fn_in_trait, reason = "a model stays on its thread")]
pub trait Lm {
    /// Its sizes.
    fn shape(&self) -> Shape;

    /// Runs a batch; see [`Runtime::forward`].
    ///
    /// # Errors
    /// As [`Runtime::forward`].
    async fn forward(&mut self, batch: &Batch) -> Result<StepResult, EngineError>;

    /// Runs a batch, and `work` while the device does; see [`Runtime::forward_beside`].
    ///
    /// # Errors
    /// As [`Runtime::forward`].
    async fn forward_beside(&mut self, batch: &Batch, work: Meanwhile<'_>)
    -> Result<StepResult, EngineError>;

    /// Whether `other` can compute while a batch of this model runs; see [`Runtime::works_beside`].
    fn works_beside(&self, other: &Self) -> bool;

    /// Whether a batch can draw tokens by these parameters; see [`Runtime::draws_on_device`].
    fn draws(&self, sampler: &SamplerParams) -> bool;

    /// Appends tokens to a sequence in chunks of bounded time; see [`Runtime::prefill`].
    ///
    /// # Errors
    /// As [`Runtime::prefill`].
    async fn prefill(
        &mut self,
        seq: goldcrest_engine::kv::SeqId,
        tokens: &[u32],
        keep_going: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(), EngineError>;

    /// The embeddings of tokens, `[tokens][n_embd]`; see [`Runtime::embeddings`].
    ///
    /// # Errors
    /// As [`Runtime::embeddings`].
    async fn embeddings(&mut self, tokens: &[u32]) -> Result<Vec<f32>, EngineError>;

    /// Widths of feed-forward blocks that [`Batch::ff_width`] may name, ascending; empty in most models.
    fn nested_ff(&self) -> &[u32];

    /// Whether the embedding table is also what turns the last hidden row into logits.
    fn ties_embeddings(&self) -> bool;

    /// The sequences and their cells.
    fn pool(&self) -> &KvPool;

    /// The sequences, for fork, truncate, compact and free.
    fn pool_mut(&mut self) -> &mut KvPool;

    /// Up to `n` greedy tokens behind `token`, chosen on the device, with their log-probabilities; none where it cannot. The
    /// sequence then keeps `token` and all of them but the last.
    ///
    /// # Errors
    /// As [`Runtime::submit_decode`] and [`Runtime::take_decoded`].
    async fn decode_greedily(
        &mut self,
        seq: goldcrest_engine::kv::SeqId,
        token: u32,
        n: usize,
    ) -> Result<Vec<(u32, f32)>, EngineError>;

    /// What speculation has learnt of the model, kept as long as the model is.
    fn learnt(&mut self) -> SharedLearnt;
}

impl Lm for Runtime {
    fn shape(&self) -> Shape {
        let cfg = self.config();
        Shape { n_vocab: cfg.n_vocab, n_embd: cfg.n_embd, n_layer: cfg.n_layer, n_ctx: self.n_ctx() }
    }

    async fn forward(&mut self, batch: &Batch) -> Result<StepResult, EngineError> {
        Self::forward(self, batch).await
    }

    async fn forward_beside(
        &mut self,
        batch: &Batch,
        work: Meanwhile<'_>,
    ) -> Result<StepResult, EngineError> {
        Self::forward_beside(self, batch, work).await
    }

    fn works_beside(&self, other: &Self) -> bool {
        Self::works_beside(self, other)
    }

    fn draws(&self, sampler: &SamplerParams) -> bool {
        self.draws_on_device(sampler)
    }

    async fn prefill(
        &mut self,
        seq: goldcrest_engine::kv::SeqId,
        tokens: &[u32],
        keep_going: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(), EngineError> {
        Self::prefill(self, seq, tokens, keep_going).await
    }

    async fn embeddings(&mut self, tokens: &[u32]) -> Result<Vec<f32>, EngineError> {
        Self::embeddings(self, tokens).await
    }

    fn nested_ff(&self) -> &[u32] {
        &self.config().nested_ff
    }

    fn ties_embeddings(&self) -> bool {
        Self::ties_embeddings(self)
    }

    fn pool(&self) -> &KvPool {
        Self::pool(self)
    }

    fn pool_mut(&mut self) -> &mut KvPool {
        Self::pool_mut(self)
    }

    async fn decode_greedily(
        &mut self,
        seq: goldcrest_engine::kv::SeqId,
        token: u32,
        n: usize,
    ) -> Result<Vec<(u32, f32)>, EngineError> {
        let greedy = SamplerParams::greedy();
        if !self.pool().sequence(seq)?.is_contiguous() || !self.decodes_on_device(&greedy) {
            return Ok(Vec::new());
        }
        let mut run = self.start_decode(seq, token, &greedy, &[])?;
        let mut made = Vec::new();
        let mut failed = None;
        while made.len() < n && failed.is_none() {
            match steps(self, &mut run, n).await {
                Ok(tokens) => made.extend(tokens),
                Err(error) => failed = Some(error),
            }
        }
        self.end_decode(run, made.len())?;
        failed.map_or(Ok(made), Err)
    }

    fn learnt(&mut self) -> SharedLearnt {
        self.beside()
    }
}

/// The tokens of the oldest submit of a run of `n` steps, with further ones under way.
async fn steps(runtime: &mut Runtime, run: &mut DecodeRun, n: usize) -> Result<Vec<(u32, f32)>, EngineError> {
    let (k, ahead) = runtime.decode_pace();
    while run.submitted() < n && run.in_flight() < ahead * k {
        runtime.submit_decode(run, k.min(n - run.submitted()))?;
    }
    Ok(runtime.take_decoded(run).await?.iter().map(|made| (made.token, made.logprob)).collect())
}
