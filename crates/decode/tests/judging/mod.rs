//! A table model whose trees a device's kernels follow, or the host alone.

use goldcrest_decode::speculate::SharedLearnt;
use goldcrest_decode::{Lm, Shape, TableLm};
use goldcrest_engine::batch::{Batch, Source, StepResult, Walk, Walked, Wants};
use goldcrest_engine::kv::{KvPool, SeqId};
use goldcrest_engine::{EngineError, Meanwhile};
use goldcrest_sample::SamplerParams;
use goldcrest_testkit::walk::{Cuts, Guesses, Kernels};

/// Who follows trees.
pub(crate) enum By {
    /// The host, by what the rows say.
    Host,
    /// The table, in double precision.
    Table,
    /// The kernels.
    Kernels(Box<Kernels>),
}

/// A table model with its follower.
pub(crate) struct Followed {
    pub(crate) table: TableLm,
    pub(crate) by: By,
    /// Trees that were followed by the table or the kernels.
    pub(crate) walks: usize,
}

impl Followed {
    pub(crate) fn new(table: TableLm, by: By) -> Self {
        Self { table, by, walks: 0 }
    }
}

/// The path of a batch, from the logits of its rows.
fn follow(kernels: &Kernels, batch: &Batch, walk: &Walk, logits: &[Vec<f32>]) -> Walked {
    let sampler = batch.sampler.as_ref().unwrap();
    let chain = sampler.gpu_plan();
    let cuts = Cuts {
        inv_temperature: chain.inv_temperature,
        top_k: chain.top_k,
        top_p: chain.top_p,
        min_p: chain.min_p,
        log_min_p: chain.min_p_log,
        greedy: chain.greedy,
    };
    let row = |row: &goldcrest_engine::batch::BatchRow| {
        let Source::Token(token) = row.source else { unreachable!("a walk's rows are tokens") };
        (token, row.pos, row.wants.drawn.unwrap())
    };
    let rows: Vec<(u32, u32, u32)> = batch.rows.iter().map(row).collect();
    let Walk { parents, lists, expected, stream, thrown } = walk.clone();
    let guesses = Guesses { seed: sampler.seed, rows, parents, lists, expected, stream, thrown };
    let (path, thrown) = pollster::block_on(kernels.follow(&cuts, &guesses, logits)).unwrap();
    Walked { path, thrown }
}

impl Lm for Followed {
    fn shape(&self) -> Shape {
        self.table.shape()
    }

    async fn forward(&mut self, batch: &Batch) -> Result<StepResult, EngineError> {
        self.walks += usize::from(batch.walk.is_some());
        let (By::Kernels(kernels), Some(walk)) = (&self.by, &batch.walk) else {
            return self.table.forward(batch).await;
        };
        let whole = Wants { row: true, ..Wants::default() };
        let rows = batch.rows.iter().map(|row| row.clone().wanting(whole.clone())).collect();
        let found = self.table.forward(&Batch { rows, ..Batch::default() }).await?;
        let logits: Vec<Vec<f32>> = found.rows.into_iter().map(|row| row.logits).collect();
        Ok(StepResult { walked: follow(kernels, batch, walk, &logits), ..StepResult::default() })
    }

    async fn forward_beside(
        &mut self,
        batch: &Batch,
        work: Meanwhile<'_>,
    ) -> Result<StepResult, EngineError> {
        self.table.forward_beside(batch, work).await
    }

    fn works_beside(&self, other: &Self) -> bool {
        self.table.works_beside(&other.table)
    }

    fn nested_ff(&self) -> &[u32] {
        self.table.nested_ff()
    }

    fn draws(&self, sampler: &SamplerParams) -> bool {
        !matches!(self.by, By::Host) && self.table.draws(sampler)
    }

    async fn prefill(
        &mut self,
        seq: SeqId,
        tokens: &[u32],
        keep_going: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(), EngineError> {
        self.table.prefill(seq, tokens, keep_going).await
    }

    async fn embeddings(&mut self, tokens: &[u32]) -> Result<Vec<f32>, EngineError> {
        self.table.embeddings(tokens).await
    }

    fn ties_embeddings(&self) -> bool {
        self.table.ties_embeddings()
    }

    fn pool(&self) -> &KvPool {
        self.table.pool()
    }

    fn pool_mut(&mut self) -> &mut KvPool {
        self.table.pool_mut()
    }

    async fn decode_greedily(
        &mut self,
        seq: SeqId,
        token: u32,
        n: usize,
    ) -> Result<Vec<(u32, f32)>, EngineError> {
        self.table.decode_greedily(seq, token, n).await
    }

    fn learnt(&mut self) -> SharedLearnt {
        self.table.learnt()
    }
}
