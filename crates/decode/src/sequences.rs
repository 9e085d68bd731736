//! The sequences of one model while a strategy runs; what it leaves behind is freed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use goldcrest_engine::batch::{Batch, BatchRow, Place, RowResult, Source, StepResult, Visible, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{EngineError, Event, Meanwhile};
use goldcrest_sample::SamplerParams;
use web_time::Instant;

use crate::form::{Forms, Masks};
use crate::writer::yield_once;
use crate::{DecodeError, Lm, Row, Shape};

/// What the caller and a running strategy share.
#[derive(Default)]
pub(crate) struct Wire {
    /// Events not taken yet.
    pub(crate) events: RefCell<VecDeque<Event>>,
    /// The caller wants no more.
    pub(crate) aborted: Rc<Cell<bool>>,
}

/// A model's sequences. Everything that was opened or forked is freed at the end, in whatever way the end comes.
pub struct Sequences<'a, L: Lm> {
    lm: &'a mut L,
    wire: Rc<Wire>,
    live: Vec<SeqId>,
    /// A sequence of the caller's with the tokens it holds, to begin from.
    cached: Option<(SeqId, Vec<u32>)>,
    forms: Option<Forms>,
    passes: u64,
    rows: u64,
    took: Duration,
}

impl<'a, L: Lm> Sequences<'a, L> {
    pub(crate) fn new(lm: &'a mut L, wire: Rc<Wire>, cached: Option<(SeqId, Vec<u32>)>) -> Self {
        Self { lm, wire, live: Vec::new(), cached, forms: None, passes: 0, rows: 0, took: Duration::ZERO }
    }

    /// Holds what follows the prompt, in every sequence, to a form.
    pub(crate) fn hold_to(&mut self, forms: Forms) {
        self.forms = Some(forms);
    }

    /// The model's sizes.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.lm.shape()
    }

    /// The model itself, for what is not here.
    pub fn lm(&mut self) -> &mut L {
        self.lm
    }

    /// Runs through the model so far, prefill not counted.
    #[must_use]
    pub const fn passes(&self) -> u64 {
        self.passes
    }

    /// How long the last batch took, without the caller's turn behind it.
    pub(crate) const fn took(&self) -> Duration {
        self.took
    }

    /// Rows run so far, prefill not counted.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// A sequence that holds `tokens`, and the row behind the last of them.
    ///
    /// # Errors
    /// [`EngineError::EmptyPrompt`], [`EngineError::PromptTooLong`] and what a forward pass may fail with.
    pub async fn open(&mut self, tokens: &[u32], wants: &Wants) -> Result<(SeqId, Row), DecodeError> {
        let Some((last, before)) = tokens.split_last() else { return Err(EngineError::EmptyPrompt.into()) };
        let seq = self.prefilled_from(before, tokens.len()).await?;
        let row = self.step(&[(seq, *last)], wants).await?.pop().unwrap_or_default();
        Ok((seq, row))
    }

    /// A sequence that holds `tokens`, with nothing asked for: the beginning of the prompt, or the prompt and what follows
    /// it.
    ///
    /// # Errors
    /// As [`Sequences::open`].
    pub async fn prefilled(&mut self, tokens: &[u32]) -> Result<SeqId, DecodeError> {
        let from = self.forms.as_ref().map_or(0, |forms| forms.n_prompt);
        self.prefilled_from(tokens, from).await
    }

    /// A sequence that holds `tokens`; the answer begins at entry `from`.
    async fn prefilled_from(&mut self, tokens: &[u32], from: usize) -> Result<SeqId, DecodeError> {
        let n_ctx = self.shape().n_ctx;
        if tokens.len() >= n_ctx as usize {
            return Err(EngineError::PromptTooLong { n_prompt: tokens.len() + 1, n_ctx }.into());
        }
        let (seq, reused) = match &self.cached {
            Some((cached, held)) => {
                let reused = held.iter().zip(tokens).take_while(|(a, b)| a == b).count();
                (self.lm.pool_mut().fork(*cached, reused)?, reused)
            }
            None => (self.lm.pool_mut().create(), 0),
        };
        self.live.push(seq);
        let mut done = reused;
        while done < tokens.len() {
            let mut chunks = 0;
            let wire = Rc::clone(&self.wire);
            let mut one = |_: usize| {
                chunks += 1;
                chunks == 1 && !wire.aborted.get()
            };
            match self.lm.prefill(seq, &tokens[done..], &mut one).await {
                Ok(()) | Err(EngineError::Aborted) => {}
                Err(error) => return Err(error.into()),
            }
            done = self.lm.pool().sequence(seq)?.len();
            let event = Event::Prefill { done: done - reused, total: tokens.len() - reused };
            self.wire.events.borrow_mut().push_back(event);
            self.turn().await?;
        }
        if let Some(forms) = &mut self.forms {
            forms.open(seq, tokens, from)?;
        }
        Ok(seq)
    }

    /// Appends one token to each of several sequences in one pass, and gives the row behind each, in order.
    ///
    /// # Errors
    /// What a forward pass may fail with; [`EngineError::Aborted`] on the caller's signal.
    pub async fn step(&mut self, inputs: &[(SeqId, u32)], wants: &Wants) -> Result<Vec<Row>, DecodeError> {
        let wanting: Vec<_> = inputs.iter().map(|(seq, token)| (*seq, *token, wants.clone())).collect();
        self.step_each(wanting, None).await
    }

    /// [`Sequences::step`] with the next token of each sequence drawn on the device from the random numbers of its stream, where
    /// [`Sequences::draws`]; the rows have little else to say.
    ///
    /// # Errors
    /// As [`Sequences::step`].
    pub(crate) async fn step_drawing(
        &mut self,
        inputs: &[(SeqId, u32, u32)],
        sampler: &SamplerParams,
    ) -> Result<Vec<Row>, DecodeError> {
        let wants = |stream| Wants { stats: true, drawn: Some(stream), ..Wants::default() };
        let wanting = inputs.iter().map(|(seq, token, stream)| (*seq, *token, wants(*stream))).collect();
        self.step_each(wanting, Some(sampler.clone())).await
    }

    /// Whether the device can draw the next tokens: not where a form says what they may be.
    pub(crate) fn draws(&self, sampler: &SamplerParams) -> bool {
        self.forms.is_none() && self.lm.draws(sampler)
    }

    async fn step_each(
        &mut self,
        inputs: Vec<(SeqId, u32, Wants)>,
        sampler: Option<SamplerParams>,
    ) -> Result<Vec<Row>, DecodeError> {
        let mut rows = Vec::with_capacity(inputs.len());
        for (seq, token, wants) in inputs {
            let pos = self.lm.pool().sequence(seq)?.next_pos();
            rows.push(BatchRow::token(token, pos, seq).wanting(wants));
        }
        self.read(&Batch { rows, sampler, ..Batch::default() }).await
    }

    /// Appends several tokens to one sequence in one pass, and gives the row behind each.
    ///
    /// # Errors
    /// As [`Sequences::step`].
    pub async fn extend(
        &mut self,
        seq: SeqId,
        tokens: &[u32],
        wants: &Wants,
    ) -> Result<Vec<Row>, DecodeError> {
        let pos = self.lm.pool().sequence(seq)?.next_pos();
        let row = |(token, pos): (&u32, u32)| BatchRow::token(*token, pos, seq).wanting(wants.clone());
        let batch = Batch { rows: tokens.iter().zip(pos..).map(row).collect(), ..Batch::default() };
        self.read(&batch).await
    }

    /// Appends one token and gives the rows that the model would end with before each of the layers `exits`, ascending, and
    /// the row behind the last layer. The early rows go through the final norm and the head; between them the residual
    /// stream stays on the device.
    ///
    /// # Errors
    /// As [`Sequences::step`].
    pub async fn step_through(
        &mut self,
        seq: SeqId,
        token: u32,
        exits: &[u32],
        wants: &Wants,
    ) -> Result<(Vec<Row>, Row), DecodeError> {
        let at = self.lm.pool().sequence(seq)?;
        let (pos, entry) = (at.next_pos(), at.len());
        let first = BatchRow::token(token, pos, seq).wanting(wants.clone());
        let kept = BatchRow { source: Source::Kept, place: Place::Entry(entry), ..first.clone() };
        let ends = exits.iter().copied().chain([self.shape().n_layer]);
        let mut rows = Vec::with_capacity(exits.len());
        let mut begin = 0;
        for end in ends {
            let row = if begin == 0 { first.clone() } else { kept.clone() };
            let batch = Batch { rows: vec![row], layers: Some(begin..end), ..Batch::default() };
            rows.extend(self.read(&batch).await?);
            begin = end;
        }
        let last = rows.pop().unwrap_or_default();
        Ok((rows, last))
    }

    /// Any batch.
    ///
    /// # Errors
    /// As [`Sequences::step`].
    pub async fn forward(&mut self, batch: &Batch) -> Result<StepResult, DecodeError> {
        Ok(self.run(batch, None).await?.0)
    }

    /// Any batch, and `work` while it runs; see [`Lm::forward_beside`].
    ///
    /// # Errors
    /// As [`Sequences::step`].
    pub(crate) async fn forward_beside(
        &mut self,
        batch: &Batch,
        work: Meanwhile<'_>,
    ) -> Result<StepResult, DecodeError> {
        Ok(self.run(batch, Some(work)).await?.0)
    }

    /// The rows that a batch asks for.
    async fn read(&mut self, batch: &Batch) -> Result<Vec<Row>, DecodeError> {
        let (result, mut masks) = self.run(batch, None).await?;
        let row = |found: RowResult| {
            let mask = masks.get_mut(found.row).and_then(Option::take);
            Row::new(found).masked(mask)
        };
        Ok(result.rows.into_iter().map(row).collect())
    }

    /// Runs a batch, masked by the form if there is one.
    async fn run(
        &mut self,
        batch: &Batch,
        beside: Option<Meanwhile<'_>>,
    ) -> Result<(StepResult, Masks), DecodeError> {
        let n_vocab = self.lm.shape().n_vocab;
        let (masked, masks) = match &mut self.forms {
            None => (None, Masks::new()),
            Some(forms) => {
                let (batch, masks) = forms.masked(self.lm.pool(), batch, n_vocab).await?;
                (Some(batch), masks)
            }
        };
        let begun = Instant::now();
        let asked = masked.as_ref().unwrap_or(batch);
        let result = match beside {
            Some(work) => self.lm.forward_beside(asked, work).await?,
            None => self.lm.forward(asked).await?,
        };
        self.took = begun.elapsed();
        self.passes += 1;
        self.rows += batch.rows.len() as u64;
        self.wire.events.borrow_mut().push_back(Event::Working { passes: self.passes });
        self.turn().await?;
        Ok((result, masks))
    }

    /// [`Lm::decode_greedily`].
    ///
    /// # Errors
    /// As there; [`EngineError::Aborted`] on the caller's signal.
    pub(crate) async fn decode_greedily(
        &mut self,
        seq: SeqId,
        token: u32,
        n: usize,
    ) -> Result<Vec<(u32, f32)>, DecodeError> {
        let begun = Instant::now();
        let made = self.lm.decode_greedily(seq, token, n).await?;
        self.took = begun.elapsed();
        self.passes += made.len() as u64;
        self.rows += made.len() as u64;
        Ok(made)
    }

    /// Appends each of several tokens at the same next position, none seeing another, and gives the row behind each;
    /// then [`Sequences::keep_sibling`] chooses one.
    ///
    /// # Errors
    /// As [`Sequences::step`].
    pub async fn siblings(
        &mut self,
        seq: SeqId,
        tokens: &[u32],
        wants: &Wants,
    ) -> Result<Vec<Row>, DecodeError> {
        let pos = self.lm.pool().sequence(seq)?.next_pos();
        let row = |(i, token): (usize, &u32)| BatchRow {
            visible: Visible::Tree { ancestors: 1 << i },
            ..BatchRow::token(*token, pos, seq).wanting(wants.clone())
        };
        let rows = tokens.iter().enumerate().map(row).collect();
        self.read(&Batch { rows, ..Batch::default() }).await
    }

    /// Of the `n` siblings at the end of a sequence, keeps number `i`.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`], [`EngineError::BadKeepList`].
    pub fn keep_sibling(&mut self, seq: SeqId, n: usize, i: usize) -> Result<(), DecodeError> {
        let before = self.len(seq)?.saturating_sub(n);
        let keep: Vec<usize> = (0..before).chain([before + i]).collect();
        self.lm.pool_mut().compact(seq, &keep)?;
        if let Some(forms) = &mut self.forms {
            forms.keep_sibling(seq, i);
        }
        Ok(())
    }

    /// Number of entries of a sequence.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn len(&self, seq: SeqId) -> Result<usize, DecodeError> {
        Ok(self.lm.pool().sequence(seq)?.len())
    }

    /// The position that the next entry of a sequence has.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn next_pos(&self, seq: SeqId) -> Result<u32, DecodeError> {
        Ok(self.lm.pool().sequence(seq)?.next_pos())
    }

    /// Entries that a sequence may still be given before the context is full.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn room(&self, seq: SeqId) -> Result<usize, DecodeError> {
        Ok((self.shape().n_ctx as usize).saturating_sub(self.len(seq)?))
    }

    /// A sequence that shares everything with `seq` so far.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn fork(&mut self, seq: SeqId) -> Result<SeqId, DecodeError> {
        let len = self.len(seq)?;
        let copy = self.lm.pool_mut().fork(seq, len)?;
        self.live.push(copy);
        if let Some(forms) = &mut self.forms {
            forms.fork(seq, copy);
        }
        Ok(copy)
    }

    /// Keeps the first `n` entries.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn truncate(&mut self, seq: SeqId, n: usize) -> Result<(), DecodeError> {
        let len = self.len(seq)?;
        self.lm.pool_mut().truncate(seq, n)?;
        match &mut self.forms {
            Some(forms) => forms.truncate(seq, len, n),
            None => Ok(()),
        }
    }

    /// Keeps the entries at ascending indices, without moving any.
    ///
    /// # Errors
    /// [`EngineError::BadKeepList`].
    pub fn compact(&mut self, seq: SeqId, keep: &[usize]) -> Result<(), DecodeError> {
        Ok(self.lm.pool_mut().compact(seq, keep)?)
    }

    /// Drops a sequence.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn free(&mut self, seq: SeqId) -> Result<(), DecodeError> {
        if let Some(forms) = &mut self.forms {
            forms.free(seq);
        }
        self.live.retain(|live| *live != seq);
        Ok(self.lm.pool_mut().free(seq)?)
    }

    /// Takes a sequence out of what is freed at the end.
    pub(crate) fn release(&mut self, seq: SeqId) {
        self.live.retain(|live| *live != seq);
    }

    /// Lets the caller take events, and stops where it wants no more.
    async fn turn(&self) -> Result<(), DecodeError> {
        yield_once().await;
        if self.wire.aborted.get() { Err(EngineError::Aborted.into()) } else { Ok(()) }
    }
}

impl<L: Lm> Drop for Sequences<'_, L> {
    fn drop(&mut self) {
        for seq in self.live.drain(..) {
            // It may be gone with the pool of a lost device.
            let _gone = self.lm.pool_mut().free(seq);
        }
    }
}
