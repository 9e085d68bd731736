//! A model given as a function, for trying methods: exact, instant, with the real bookkeeping of sequences.

use goldcrest_engine::batch::{BEST, Batch, BatchRow, Place, RowResult, Source, StepResult, Tap, Visible};
use goldcrest_engine::kv::{KvPool, SeqId};
use goldcrest_engine::{EngineError, Meanwhile};
use goldcrest_sample::{Candidates, SamplerParams};

use crate::speculate::{SharedLearnt, follow};
use crate::{Lm, Row, Shape};

/// Logit of a token that a mask forbids, as on a device.
const BANNED: f32 = -1e30;

/// From the tokens a row sees to its logits.
type Logits = Box<dyn Fn(&[u32]) -> Vec<f32>>;

/// From the tokens a row sees to its hidden row.
type Hidden = Box<dyn Fn(&[u32]) -> Vec<f32>>;

/// From the tokens a row sees, and the last layer that ran or the width of its feed-forward blocks, to the logits of that.
type Exit = Box<dyn Fn(&[u32], u32) -> Vec<f32>>;

/// What a cell holds: the token, or the mixture, that was written there.
type Contents = Vec<(u32, f32)>;

/// A language model whose logits are a function of the tokens that a row sees.
///
/// Its cells hold what was written to them, so that a strategy which keeps, forks or drops the wrong ones gets wrong
/// logits here as it would on a device. A
/// range of layers writes the same cells as all of them, and ends in other logits. The residual stream is the hidden row at
/// every layer; the embedding of a token is its one-hot vector, and a row given as an embedding stands for the mixture of
/// tokens that its values weigh.
pub struct TableLm {
    n_vocab: u32,
    n_embd: u32,
    logits: Logits,
    hidden: Hidden,
    n_layer: u32,
    exit: Option<Exit>,
    device: u32,
    nested_ff: Vec<u32>,
    slice: Option<Exit>,
    pool: KvPool,
    cells: Vec<Contents>,
    passes: u64,
    rows: u64,
    learnt: SharedLearnt,
}

impl TableLm {
    /// A model of `n_vocab` tokens. `logits` gets the visible tokens in order, the row's own last, and gives `n_vocab`
    /// finite values. Its hidden row is the one-hot vector of the last token.
    #[must_use]
    pub fn new(n_vocab: u32, logits: impl Fn(&[u32]) -> Vec<f32> + 'static) -> Self {
        let one_hot = move |context: &[u32]| {
            (0..n_vocab).map(|id| f32::from(u8::from(context.last() == Some(&id)))).collect()
        };
        Self {
            n_vocab,
            n_embd: n_vocab,
            logits: Box::new(logits),
            hidden: Box::new(one_hot),
            n_layer: 1,
            exit: None,
            device: 0,
            nested_ff: Vec::new(),
            slice: None,
            pool: KvPool::new(64),
            cells: vec![Contents::new(); 64],
            passes: 0,
            rows: 0,
            learnt: SharedLearnt::default(),
        }
    }

    /// The same model with other hidden rows, of `n_embd` values.
    #[must_use]
    pub fn with_hidden(mut self, n_embd: u32, hidden: impl Fn(&[u32]) -> Vec<f32> + 'static) -> Self {
        (self.n_embd, self.hidden) = (n_embd, Box::new(hidden));
        self
    }

    /// The same model in `n_layer` layers. `exit` gives the logits where a pass ends before the last of them.
    #[must_use]
    pub fn with_exits(mut self, n_layer: u32, exit: impl Fn(&[u32], u32) -> Vec<f32> + 'static) -> Self {
        self.n_layer = n_layer;
        self.exit = Some(Box::new(exit));
        self
    }

    /// The same model with nested feed-forward blocks. `slice` gives the logits where a pass takes one of those widths.
    #[must_use]
    pub fn with_slices(mut self, widths: &[u32], slice: impl Fn(&[u32], u32) -> Vec<f32> + 'static) -> Self {
        self.nested_ff = widths.to_vec();
        self.slice = Some(Box::new(slice));
        self
    }

    /// The same model on a device of another number than 0, beside which tables on others can compute.
    #[must_use]
    pub const fn on_device(mut self, device: u32) -> Self {
        self.device = device;
        self
    }

    /// Batches run so far.
    #[must_use]
    pub const fn passes(&self) -> u64 {
        self.passes
    }

    /// Rows run so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Tokens that the cells of a sequence hold, in order; a mixture counts as its likeliest token.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn tokens(&self, seq: SeqId) -> Result<Vec<u32>, EngineError> {
        let heaviest =
            |cell: &Contents| cell.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(token, _)| *token);
        let entries = self.pool.sequence(seq)?.entries();
        Ok(entries.iter().map(|entry| heaviest(&self.cells[entry.cell.0 as usize])).collect())
    }

    fn place(&mut self, row: &BatchRow) -> Result<usize, EngineError> {
        if self.pool.n_free() == 0 {
            let n = self.pool.n_cells() * 2;
            self.pool.grow(n);
            self.cells.resize(n as usize, Contents::new());
        }
        let contents = match &row.source {
            Source::Token(token) if *token < self.n_vocab => vec![(*token, 1.0)],
            Source::Mixture(mixture) => mixture.clone(),
            Source::Token(token) => {
                return Err(EngineError::BadToken { token: *token, n_vocab: self.n_vocab });
            }
            Source::Kept => match row.place {
                Place::Entry(entry) => return Ok(entry),
                Place::Append => Contents::new(),
            },
            Source::Embedding(values) => {
                (0..self.n_vocab).zip(values.iter().copied()).filter(|(_, weight)| *weight != 0.0).collect()
            }
        };
        let entry = match row.place {
            Place::Append => {
                self.pool.append(row.seq, &[row.pos])?;
                self.pool.sequence(row.seq)?.len() - 1
            }
            Place::Entry(entry) => entry,
        };
        let entries = self.pool.sequence(row.seq)?.entries();
        let cell =
            entries.get(entry).ok_or(EngineError::BadBatch { reason: "an entry that is not there" })?.cell;
        self.cells[cell.0 as usize] = contents;
        Ok(entry)
    }

    /// Contents of the cells that a row sees, in order of their entries.
    fn visible(
        &self,
        row: &BatchRow,
        entry: usize,
        before: usize,
        placed: &[usize],
    ) -> Result<Vec<&Contents>, EngineError> {
        let entries = self.pool.sequence(row.seq)?.entries();
        let seen = |i: usize| match row.visible {
            Visible::Causal => i <= entry,
            Visible::Range { lo, hi } => (lo as usize..hi as usize).contains(&i),
            Visible::Tree { ancestors } => {
                let own = placed.iter().position(|p| *p == i);
                own.map_or(i < before, |bit| ancestors >> bit & 1 == 1)
            }
        };
        let cells = entries.iter().enumerate().filter(|(i, _)| seen(*i));
        Ok(cells.map(|(_, entry)| &self.cells[entry.cell.0 as usize]).collect())
    }

    fn result(
        &self,
        row: usize,
        asked: &BatchRow,
        batch: &Batch,
        contexts: &[(Vec<u32>, f32)],
    ) -> Result<RowResult, EngineError> {
        let mut logits = self.mixed(contexts, batch);
        if let Some(mask) = &asked.wants.allowed {
            let banned = (0..).zip(&mut logits).filter(|(id, _)| !mask.contains(*id));
            banned.for_each(|(_, logit)| *logit = BANNED);
        }
        let stats = Row::stats_of(&logits);
        let mut order: Vec<(u32, f32)> = (0..).zip(logits.iter().copied()).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        order.truncate(asked.wants.top as usize);
        let wants = &asked.wants;
        let hidden = || contexts.first().map(|(context, _)| (self.hidden)(context)).unwrap_or_default();
        let drawn = match (wants.drawn, &batch.sampler) {
            (Some(stream), Some(sampler)) => {
                let chain = sampler.to_chain()?.fork(stream);
                let token = chain.choose(&mut Candidates::from_row(&logits)?, asked.pos + 1)?.id;
                Some((token, logits[token as usize] - stats.log_sum_exp))
            }
            _ => None,
        };
        Ok(RowResult {
            row,
            stats: Some(stats),
            top: order,
            drawn,
            logits_at: wants.logits_at.iter().map(|id| logits[*id as usize]).collect(),
            hidden: if wants.hidden { hidden() } else { Vec::new() },
            logits: if wants.row || batch.walk.is_some() { logits } else { Vec::new() },
        })
    }

    /// Logits of a context by the layers, or the width of them, that a batch takes.
    fn logits(&self, context: &[u32], batch: &Batch) -> Vec<f32> {
        let end = batch.layers.as_ref().map_or(self.n_layer, |layers| layers.end);
        match (&self.exit, &self.slice, batch.ff_width) {
            (Some(exit), ..) if end < self.n_layer => exit(context, end),
            (_, Some(slice), Some(width)) => slice(context, width),
            _ => (self.logits)(context),
        }
    }

    /// Logits of one context; of several, the logarithm of their weighted mean distribution.
    fn mixed(&self, contexts: &[(Vec<u32>, f32)], batch: &Batch) -> Vec<f32> {
        if let [(context, _)] = contexts {
            return self.logits(context, batch);
        }
        let mut mean = vec![0.0; self.n_vocab as usize];
        for (context, weight) in contexts {
            let logits = self.logits(context, batch);
            let lse = Row::stats_of(&logits).log_sum_exp;
            mean.iter_mut().zip(&logits).for_each(|(sum, l)| *sum += weight * (l - lse).exp());
        }
        mean.iter().map(|p| p.max(f32::MIN_POSITIVE).ln()).collect()
    }
}

impl Lm for TableLm {
    fn shape(&self) -> Shape {
        Shape { n_vocab: self.n_vocab, n_embd: self.n_embd, n_layer: self.n_layer, n_ctx: 4096 }
    }

    async fn forward(&mut self, batch: &Batch) -> Result<StepResult, EngineError> {
        if batch.taps.iter().any(|tap| matches!(tap, Tap::Add { .. })) {
            return Err(EngineError::BadBatch { reason: "a table's residual stream can only be read" });
        }
        self.passes += 1;
        self.rows += batch.rows.len() as u64;
        let mut before: Vec<(SeqId, usize, Vec<usize>)> = Vec::new();
        let mut entries = Vec::new();
        for row in &batch.rows {
            if !before.iter().any(|(seq, ..)| *seq == row.seq) {
                before.push((row.seq, self.pool.sequence(row.seq)?.len(), Vec::new()));
            }
            let entry = self.place(row)?;
            entries.push(entry);
            before.iter_mut().filter(|(seq, ..)| *seq == row.seq).for_each(|(.., placed)| placed.push(entry));
        }
        let taps = vec![Vec::new(); batch.taps.len()];
        let mut result = StepResult { taps, ..StepResult::default() };
        for (i, (row, entry)) in batch.rows.iter().zip(entries).enumerate() {
            if row.wants.is_none() && batch.taps.is_empty() {
                continue;
            }
            let Some((_, before, placed)) = before.iter().find(|(seq, ..)| *seq == row.seq) else { continue };
            let contexts = contexts(&self.visible(row, entry, *before, placed)?);
            let hidden = contexts.first().map(|(context, _)| (self.hidden)(context)).unwrap_or_default();
            result.taps.iter_mut().for_each(|tap| tap.extend(&hidden));
            if !row.wants.is_none() {
                result.rows.push(self.result(i, row, batch, &contexts)?);
            }
        }
        if let Some(walk) = &batch.walk {
            result.walked = follow(batch, walk, std::mem::take(&mut result.rows))?;
        }
        Ok(result)
    }

    async fn forward_beside(
        &mut self,
        batch: &Batch,
        work: Meanwhile<'_>,
    ) -> Result<StepResult, EngineError> {
        let result = self.forward(batch).await;
        work.await;
        result
    }

    fn works_beside(&self, other: &Self) -> bool {
        self.device != other.device
    }

    fn draws(&self, sampler: &SamplerParams) -> bool {
        let chain = sampler.gpu_plan();
        chain.exact_with(BEST as usize) && !chain.looks_back() && chain.n_bias == 0
    }

    async fn prefill(
        &mut self,
        seq: SeqId,
        tokens: &[u32],
        keep_going: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(), EngineError> {
        if !keep_going(0) {
            return Err(EngineError::Aborted);
        }
        let pos = self.pool.sequence(seq)?.next_pos();
        let rows = tokens.iter().zip(pos..).map(|(token, pos)| BatchRow::token(*token, pos, seq)).collect();
        self.forward(&Batch { rows, ..Batch::default() }).await.map(drop)
    }

    async fn embeddings(&mut self, tokens: &[u32]) -> Result<Vec<f32>, EngineError> {
        let one_hot = |token: &u32| (0..self.n_embd).map(|i| f32::from(u8::from(i == *token))).collect();
        Ok(tokens.iter().flat_map(|token| -> Vec<f32> { one_hot(token) }).collect())
    }

    fn nested_ff(&self) -> &[u32] {
        &self.nested_ff
    }

    fn ties_embeddings(&self) -> bool {
        true
    }

    fn pool(&self) -> &KvPool {
        &self.pool
    }

    fn pool_mut(&mut self) -> &mut KvPool {
        &mut self.pool
    }

    async fn decode_greedily(&mut self, _: SeqId, _: u32, _: usize) -> Result<Vec<(u32, f32)>, EngineError> {
        Ok(Vec::new())
    }

    fn learnt(&mut self) -> SharedLearnt {
        SharedLearnt::clone(&self.learnt)
    }
}

/// Every way to read a list of cells as tokens, with its weight.
fn contexts(cells: &[&Contents]) -> Vec<(Vec<u32>, f32)> {
    let mut all = vec![(Vec::new(), 1.0)];
    for cell in cells {
        all = all
            .into_iter()
            .flat_map(|(context, weight)| {
                cell.iter().map(move |(token, share)| {
                    (context.iter().copied().chain([*token]).collect(), weight * share)
                })
            })
            .collect();
    }
    all
}
