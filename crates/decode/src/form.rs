//! The form that an answer must have, beside the sequences of one model: where each of them stands in it.
//!
//! What a strategy reads of a row is masked before it sees it, so that strategies need not know of a form at all.

use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use goldcrest_engine::EngineError;
use goldcrest_engine::batch::{Batch, Place, Source, Visible};
use goldcrest_engine::kv::{KvPool, SeqId};
use goldcrest_sample::{Constraint, ConstraintError, TokenMask};

use crate::DecodeError;

/// The masks of a batch's rows.
pub(crate) type Masks = Vec<Option<Rc<TokenMask>>>;

/// A form, and where the sequences of a model stand in it.
pub(crate) struct Forms {
    start: Box<dyn Constraint>,
    /// Entries of the prompt behind which an answer begins.
    pub(crate) n_prompt: usize,
    ends: Box<dyn Fn(u32) -> bool>,
    at: HashMap<SeqId, Standing>,
}

struct Standing {
    state: Box<dyn Constraint>,
    /// Entries before the answer.
    from: usize,
    /// Whether an end of generation stands behind what the state knows.
    ended: bool,
    /// States behind each of the siblings at the end, none for one that ends the answer.
    siblings: Vec<Option<Box<dyn Constraint>>>,
}

impl Forms {
    pub(crate) fn new(
        start: Box<dyn Constraint>,
        n_prompt: usize,
        ends: impl Fn(u32) -> bool + 'static,
    ) -> Self {
        Self { start, n_prompt, ends: Box::new(ends), at: HashMap::new() }
    }

    /// Takes in a sequence that holds `tokens`, of which the answer's begin at `from`.
    pub(crate) fn open(&mut self, seq: SeqId, tokens: &[u32], from: usize) -> Result<(), DecodeError> {
        let mut state = self.start.fork();
        let said = tokens.get(from..).unwrap_or_default();
        said.iter().try_for_each(|token| state.commit(*token)).map_err(EngineError::from)?;
        self.at.insert(seq, Standing { state, from, ended: false, siblings: Vec::new() });
        Ok(())
    }

    pub(crate) fn fork(&mut self, seq: SeqId, copy: SeqId) {
        let Some(standing) = self.at.get(&seq) else { return };
        let (state, siblings) = (standing.state.fork(), standing.siblings.clone());
        self.at.insert(copy, Standing { state, siblings, ..*standing });
    }

    /// Follows a sequence of `len` entries that keeps the first `n`.
    pub(crate) fn truncate(&mut self, seq: SeqId, len: usize, n: usize) -> Result<(), DecodeError> {
        let Some(standing) = self.at.get_mut(&seq) else { return Ok(()) };
        let removed = len.saturating_sub(n.max(standing.from));
        let ended = usize::from(std::mem::take(&mut standing.ended) && removed > 0);
        Ok(standing.state.rollback(removed - ended).map_err(EngineError::from)?)
    }

    pub(crate) fn keep_sibling(&mut self, seq: SeqId, i: usize) {
        let Some(standing) = self.at.get_mut(&seq) else { return };
        match std::mem::take(&mut standing.siblings).into_iter().nth(i).flatten() {
            Some(state) => standing.state = state,
            None => standing.ended = true,
        }
    }

    pub(crate) fn free(&mut self, seq: SeqId) {
        self.at.remove(&seq);
    }

    /// Follows the tokens of a batch, and gives it again with the masks of what may come behind its rows.
    pub(crate) async fn masked(
        &mut self,
        pool: &KvPool,
        batch: &Batch,
        n_vocab: u32,
    ) -> Result<(Batch, Masks), DecodeError> {
        let (mut batch, mut masks) = (batch.clone(), Masks::with_capacity(batch.rows.len()));
        let mut appended: HashMap<SeqId, usize> = HashMap::new();
        for row in &mut batch.rows {
            let Some(standing) = self.at.get_mut(&row.seq) else {
                masks.push(None);
                continue;
            };
            let len = pool.sequence(row.seq)?.len();
            let state = match (&row.source, row.place, row.visible) {
                (Source::Token(token), Place::Append, Visible::Causal) => {
                    let before = appended.entry(row.seq).or_default();
                    let entry = len + *before;
                    *before += 1;
                    standing.append(*token, entry, (self.ends)(*token))?
                }
                (Source::Token(token), Place::Append, Visible::Tree { .. }) => {
                    standing.sibling(*token, (self.ends)(*token))?
                }
                // A later layer of a row that was followed with its first.
                (Source::Kept, Place::Entry(_), _) => Some(&mut standing.state),
                _ => {
                    let reason = "a form follows tokens alone";
                    return Err(EngineError::BadBatch { reason }.into());
                }
            };
            let mask = match state {
                Some(state) if !row.wants.is_none() => Some(Rc::new(mask_of(state, n_vocab).await?)),
                _ => None,
            };
            row.wants.allowed.clone_from(&mask);
            masks.push(mask);
        }
        Ok((batch, masks))
    }
}

impl Standing {
    /// Follows a token; gives the state behind it where the answer has begun and goes on.
    fn append(
        &mut self,
        token: u32,
        entry: usize,
        ends: bool,
    ) -> Result<Option<&mut Box<dyn Constraint>>, EngineError> {
        if entry >= self.from {
            if ends {
                self.ended = true;
                return Ok(None);
            }
            self.state.commit(token)?;
        }
        Ok((entry + 1 >= self.from).then_some(&mut self.state))
    }

    fn sibling(&mut self, token: u32, ends: bool) -> Result<Option<&mut Box<dyn Constraint>>, EngineError> {
        let mut state = None;
        if !ends {
            let mut grown = self.state.fork();
            grown.commit(token)?;
            state = Some(grown);
        }
        self.siblings.push(state);
        Ok(self.siblings.last_mut().and_then(Option::as_mut))
    }
}

/// What may come: what must come as the tokenizer writes it, where there is no choice, so that a text is written with the
/// same tokens as without a strategy.
async fn mask_of(state: &mut Box<dyn Constraint>, n_vocab: u32) -> Result<TokenMask, EngineError> {
    poll_fn(|context| state.poll_ready(context)).await?;
    if let Some(forced) = state.forced()?.first() {
        let mut mask = TokenMask::none(n_vocab);
        mask.allow(*forced);
        return Ok(mask);
    }
    Ok(state.mask()?)
}

/// A form that ends the text only where nothing else may follow.
#[derive(Debug)]
pub(crate) struct Lasting {
    pub(crate) inner: Box<dyn Constraint>,
    pub(crate) ends: Rc<[u32]>,
}

impl Constraint for Lasting {
    fn mask(&mut self) -> Result<TokenMask, ConstraintError> {
        let whole = self.inner.mask()?;
        let mut mask = whole.clone();
        self.ends.iter().for_each(|token| mask.refuse(*token));
        Ok(if mask.is_empty() { whole } else { mask })
    }

    fn commit(&mut self, token: u32) -> Result<(), ConstraintError> {
        self.inner.commit(token)
    }

    fn rollback(&mut self, n: usize) -> Result<(), ConstraintError> {
        self.inner.rollback(n)
    }

    fn forced(&mut self) -> Result<Vec<u32>, ConstraintError> {
        self.inner.forced()
    }

    fn is_accepting(&mut self) -> Result<bool, ConstraintError> {
        self.inner.is_accepting()
    }

    fn is_over(&self) -> bool {
        self.inner.is_over()
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(Self { inner: self.inner.fork(), ends: Rc::clone(&self.ends) })
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConstraintError>> {
        self.inner.poll_ready(context)
    }
}
