//! How likely given continuations are: one run of the prefix, then all continuations side by side.

use super::Runtime;
use super::logits::MAX_LISTED;
use crate::EngineError;
use crate::batch::{Batch, BatchRow, Wants};
use crate::kv::SeqId;

/// Continuations that run together: half of the sequences that can have scattered cells at a time.
const MOST_FORKS: usize = 32;
/// Rows that run together, unless one continuation is longer: what they take of the cache is given back before the next.
const MOST_ROWS: usize = 512;

impl Runtime {
    /// Log-probabilities of the tokens of each continuation behind `prefix`. The prefix runs once, and the continuations
    /// share its keys and values; the cache is afterwards as it was.
    ///
    /// # Errors
    /// [`EngineError::EmptyPrompt`] for an empty prefix, [`EngineError::PromptTooLong`], [`EngineError::BadToken`],
    /// [`EngineError::KvFull`], [`EngineError::Gpu`].
    pub async fn score(
        &mut self,
        prefix: &[u32],
        continuations: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let seq = self.pool.create();
        let scored = self.score_behind(seq, prefix, continuations).await;
        self.pool.free(seq)?;
        scored
    }

    async fn score_behind(
        &mut self,
        seq: SeqId,
        prefix: &[u32],
        continuations: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let Some((last, before)) = prefix.split_last() else { return Err(EngineError::EmptyPrompt) };
        let n_vocab = self.model.config.n_vocab;
        let mut all = prefix.iter().chain(continuations.iter().flatten());
        if let Some(token) = all.find(|token| **token >= n_vocab) {
            return Err(EngineError::BadToken { token: *token, n_vocab });
        }
        // The last token of a continuation is only looked up.
        let longest = prefix.len() + continuations.iter().map(Vec::len).max().unwrap_or(0);
        if longest > self.n_ctx as usize + 1 {
            return Err(EngineError::PromptTooLong { n_prompt: longest, n_ctx: self.n_ctx });
        }
        self.prefill(seq, before, &mut |_| true).await?;
        let mut scored = self.first_tokens(seq, *last, continuations).await?;
        let mut rest: &[Vec<u32>] = continuations;
        let mut done = 0;
        while !rest.is_empty() {
            let n = group(rest);
            let (now, later) = rest.split_at(n);
            self.further_tokens(seq, now, &mut scored[done..done + n]).await?;
            (rest, done) = (later, done + n);
        }
        Ok(scored)
    }

    /// The first token of every continuation, from the one row that they share.
    async fn first_tokens(
        &mut self,
        seq: SeqId,
        last: u32,
        continuations: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut firsts: Vec<u32> = continuations.iter().filter_map(|c| c.first().copied()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        let pos = self.pool.sequence(seq)?.next_pos();
        // More labels than one step can list: the whole row is the smaller evil.
        let listed = firsts.len() <= MAX_LISTED as usize;
        let wants = Wants {
            stats: true,
            row: !listed,
            logits_at: if listed { firsts.clone() } else { Vec::new() },
            ..Wants::default()
        };
        let row = BatchRow::token(last, pos, seq).wanting(wants);
        let result = self.forward(&Batch { rows: vec![row], ..Batch::default() }).await?;
        let row = result.rows.first().ok_or(EngineError::BadResult)?;
        let lse = row.stats.ok_or(EngineError::BadResult)?.log_sum_exp;
        let logprob = |token: &u32| {
            let at = firsts.binary_search(token).ok();
            let logit = at.and_then(|at| row.logits_at.get(at)).or_else(|| row.logits.get(*token as usize));
            logit.map(|logit| logit - lse).ok_or(EngineError::BadResult)
        };
        continuations.iter().map(|c| c.first().map(logprob).into_iter().collect()).collect()
    }

    /// The tokens behind the first, of several continuations in one batch.
    async fn further_tokens(
        &mut self,
        seq: SeqId,
        continuations: &[Vec<u32>],
        scored: &mut [Vec<f32>],
    ) -> Result<(), EngineError> {
        let len = self.pool.sequence(seq)?.len();
        let mut forks = Vec::new();
        let result = self.run_forks(seq, len, continuations, &mut forks).await;
        forks.iter().try_for_each(|fork| self.pool.free(*fork))?;
        let mut rows = result?.into_iter();
        for (continuation, scored) in continuations.iter().zip(scored) {
            scored.extend(rows.by_ref().take(continuation.len().saturating_sub(1)));
        }
        Ok(())
    }

    async fn run_forks(
        &mut self,
        seq: SeqId,
        len: usize,
        continuations: &[Vec<u32>],
        forks: &mut Vec<SeqId>,
    ) -> Result<Vec<f32>, EngineError> {
        let mut rows = Vec::new();
        for continuation in continuations.iter().filter(|c| c.len() > 1) {
            let fork = self.pool.fork(seq, len)?;
            forks.push(fork);
            let pos = self.pool.sequence(fork)?.next_pos();
            let pairs = continuation.windows(2).zip(pos..);
            rows.extend(pairs.filter_map(|(pair, pos)| match pair {
                [token, next] => {
                    let wants = Wants { stats: true, logits_at: vec![*next], ..Wants::default() };
                    Some(BatchRow::token(*token, pos, fork).wanting(wants))
                }
                _ => None,
            }));
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let result = self.forward(&Batch { rows, ..Batch::default() }).await?;
        let logprob = |row: &crate::batch::RowResult| {
            let (logit, stats) = row.logits_at.first().zip(row.stats).ok_or(EngineError::BadResult)?;
            Ok(logit - stats.log_sum_exp)
        };
        result.rows.iter().map(logprob).collect()
    }
}

/// How many of the continuations run together; at least one.
fn group(continuations: &[Vec<u32>]) -> usize {
    let mut rows = 0;
    let fit = continuations.iter().take(MOST_FORKS).take_while(|continuation| {
        rows += continuation.len();
        rows <= MOST_ROWS
    });
    fit.count().max(1)
}
