//! From batch rows to the words of the step buffer.

use bytemuck::Zeroable;
use goldcrest_kernels::step::{Header, IDENTITY, MAX_ROWS, MAX_WANT, NO_TREE, Row};
use goldcrest_model::Scratch;

use super::Runtime;
use crate::EngineError;
use crate::batch::{Batch, BatchRow, Place, Source, Visible};
use crate::kv::SeqId;

impl Runtime {
    /// Refuses batches that could not run, before anything changes.
    pub(super) fn check_batch(&self, batch: &Batch) -> Result<(), EngineError> {
        let cfg = &self.model.config;
        let bad = |reason| Err(EngineError::BadBatch { reason });
        if batch.rows.is_empty() {
            return bad("it has no rows");
        }
        let one_chunk =
            batch.rows.iter().any(|r| r.visible != Visible::Causal || matches!(r.source, Source::Kept));
        let partial = batch.layers.as_ref().is_some_and(|l| *l != (0..cfg.n_layer));
        if (one_chunk || partial) && batch.rows.len() > MAX_ROWS {
            return bad("it does not fit one chunk, which trees, ranges, kept rows and layer ranges must");
        }
        if batch.layers.as_ref().is_some_and(|l| l.start > l.end || l.end > cfg.n_layer) {
            return bad("its layer range leaves the model");
        }
        if batch.ff_width.is_some_and(|width| !cfg.nested_ff.contains(&width)) {
            return bad("its feed-forward width is none that the model's file names");
        }
        let drawn = batch.rows.iter().any(|row| row.wants.drawn.is_some());
        if drawn && !batch.sampler.as_ref().is_some_and(|sampler| self.draws_on_device(sampler)) {
            return bad("it wants tokens drawn by a sampler that needs the host, or by none");
        }
        if let Some(walk) = &batch.walk {
            self.check_walk(batch, walk)?;
        }
        for row in &batch.rows {
            if row.pos >= self.n_ctx {
                return Err(EngineError::PromptTooLong { n_prompt: row.pos as usize + 1, n_ctx: self.n_ctx });
            }
            self.check_row(row)?;
        }
        Ok(())
    }

    fn check_row(&self, row: &BatchRow) -> Result<(), EngineError> {
        let n_vocab = self.model.config.n_vocab;
        let bad = |reason| Err(EngineError::BadBatch { reason });
        let listed = row.wants.logits_at.iter().copied();
        let tokens = match &row.source {
            Source::Token(token) => vec![*token],
            Source::Mixture(mixture) if mixture.is_empty() => return bad("a mixture has no tokens"),
            Source::Mixture(mixture) => mixture.iter().map(|(token, _)| *token).collect(),
            Source::Embedding(values) if values.len() != self.model.config.n_embd as usize => {
                return bad("an embedding row has another width than the model");
            }
            Source::Embedding(_) | Source::Kept => Vec::new(),
        };
        match tokens.into_iter().chain(listed).find(|token| *token >= n_vocab) {
            Some(token) => Err(EngineError::BadToken { token, n_vocab }),
            None => Ok(()),
        }
    }

    /// Takes cells for all rows that append, and works out what each row sees. Rolls back on failure.
    pub(super) fn place_rows(&mut self, batch: &Batch) -> Result<Vec<Row>, EngineError> {
        let appended = batch.rows.iter().filter(|r| r.place == Place::Append).count();
        self.reserve(appended as u32)?;
        let mut before: Vec<(SeqId, usize)> = Vec::new();
        for row in &batch.rows {
            if !before.iter().any(|(seq, _)| *seq == row.seq) {
                before.push((row.seq, self.pool.sequence(row.seq)?.len()));
            }
        }
        let placed = self.try_place(batch, &before);
        if placed.is_err() {
            self.restore(&before)?;
        }
        placed
    }

    /// Shortens sequences to earlier lengths.
    pub(super) fn restore(&mut self, before: &[(SeqId, usize)]) -> Result<(), EngineError> {
        before.iter().try_for_each(|(seq, len)| self.pool.truncate(*seq, *len))
    }

    fn try_place(&mut self, batch: &Batch, before: &[(SeqId, usize)]) -> Result<Vec<Row>, EngineError> {
        let mut entries = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            entries.push(match row.place {
                Place::Append => {
                    self.pool.append(row.seq, &[row.pos])?;
                    self.pool.sequence(row.seq)?.len() - 1
                }
                Place::Entry(entry) => entry,
            });
        }
        for (seq, _) in before {
            if let Some(update) = self.pool.table_update(*seq)? {
                let table = &self.kv.table.buffer;
                self.device.write(table, u64::from(update.at) * 4, bytemuck::cast_slice(&update.words))?;
            }
        }
        // The first of the batch's own rows: appended ones stand behind all others, but a row may replace an entry.
        let start = |seq| {
            let own = batch.rows.iter().zip(&entries).filter(|(row, _)| row.seq == seq);
            own.map(|(_, entry)| *entry as u32).min().unwrap_or(0)
        };
        let rows = batch.rows.iter().zip(&entries);
        rows.map(|(row, entry)| self.row_words(row, *entry, start(row.seq))).collect()
    }

    fn row_words(&self, row: &BatchRow, entry: usize, start: u32) -> Result<Row, EngineError> {
        let sequence = self.pool.sequence(row.seq)?;
        let cell = sequence
            .entries()
            .get(entry)
            .ok_or(EngineError::BadBatch { reason: "an entry does not exist" })?;
        let (table, base) = self.pool.table_words(row.seq)?;
        let len = sequence.len() as u32;
        let window = sequence.window_start(row.pos, self.model.config.sliding_window);
        let mut words = Row {
            token: if let Source::Token(token) = row.source { token } else { 0 },
            pos: row.pos,
            cell: cell.cell.0,
            table,
            base,
            lo: 0,
            hi: entry as u32 + 1,
            lo_swa: window,
            tree: NO_TREE,
            seq: row.wants.drawn.unwrap_or_default(),
            ..Row::zeroed()
        };
        match row.visible {
            Visible::Causal => {}
            Visible::Range { lo, hi } if lo <= hi && hi <= len => {
                (words.lo, words.hi, words.lo_swa) = (lo, hi, lo.max(window));
            }
            Visible::Range { .. } => {
                return Err(EngineError::BadBatch { reason: "a visible range leaves the sequence" });
            }
            Visible::Tree { ancestors } => {
                (words.tree, words.hi) = (start, len.min(start + 64));
                (words.ancestors_lo, words.ancestors_hi) = (ancestors as u32, (ancestors >> 32) as u32);
            }
        }
        if matches!(row.source, Source::Embedding(_) | Source::Kept) {
            words.mix_len = IDENTITY;
        }
        Ok(words)
    }

    /// Writes the mixtures and hidden rows of a chunk where the kernels look for them.
    pub(super) fn write_sources(&self, rows: &[BatchRow], words: &mut [Row]) -> Result<(), EngineError> {
        let s: &Scratch = &self.scratch;
        let mut mix: Vec<u32> = Vec::new();
        for (index, (row, words)) in rows.iter().zip(words).enumerate() {
            match &row.source {
                Source::Mixture(pairs) => {
                    (words.mix_start, words.mix_len) = (mix.len() as u32 / 2, pairs.len() as u32);
                    mix.extend(pairs.iter().flat_map(|(token, weight)| [*token, weight.to_bits()]));
                }
                Source::Embedding(values) => {
                    let offset = index as u64 * values.len() as u64 * 4;
                    self.device.write(&s.x.buffer, s.x.offset + offset, bytemuck::cast_slice(values))?;
                }
                Source::Token(_) | Source::Kept => {}
            }
        }
        if mix.len() as u64 * 4 > s.mix.size {
            return Err(EngineError::BadBatch { reason: "its mixtures name too many tokens" });
        }
        if !mix.is_empty() {
            self.device.write(&s.mix.buffer, s.mix.offset, bytemuck::cast_slice(&mix))?;
        }
        Ok(())
    }

    /// Writes header, wanted rows and rows in one go.
    pub(super) fn write_step(&self, header: Header, want: &[u32], rows: &[Row]) -> Result<(), EngineError> {
        let mut bytes = Vec::with_capacity(64 + MAX_WANT * 4 + rows.len() * 64);
        bytes.extend_from_slice(bytemuck::bytes_of(&header));
        let mut wanted = [0u32; MAX_WANT];
        wanted.iter_mut().zip(want).for_each(|(slot, row)| *slot = *row);
        bytes.extend_from_slice(bytemuck::cast_slice(&wanted));
        bytes.extend_from_slice(bytemuck::cast_slice(rows));
        self.device.write(&self.scratch.step.buffer, 0, &bytes)?;
        Ok(())
    }
}
