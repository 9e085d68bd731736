//! PEARL: the draft model writes on while its last guesses are being verified.
//!
//! Liu et al., arXiv 2408.11850. A pass verifies what was guessed before it; meanwhile the draft model writes `tokens` more
//! behind those. If all of them come true, the last row of the pass judges the first of the new ones (pre-verify), and the
//! next pass verifies the others (post-verify). A guess that fails drops all behind it.
//!
//! Where the models are on two devices, and that of the first goes on by itself, the draft's steps run between the submit of a pass and
//! the reading of its result. Elsewhere the two run in turns, and what is left of the gain is that no guess is lost when a pass accepts
//! everything. The same random numbers are used in the same order, so that the answer is the same.

use goldcrest_sample::Chain;

use super::dist::Dist;
use super::drafter::{Drafter, Turn};
use super::follower::{Follower, wants_whole};
use super::form::Form;
use super::line::{Line, Round};
use super::tree::Tree;
use crate::{DecodeError, Job, Lm, Row, Sequences};

/// Class of its guesses.
const CLASS: usize = 18;
/// How often a guess is supposed to come true.
const SUPPOSED: f32 = 0.7;

/// The drafter. It drafts with the first of the job's further models.
#[derive(Debug, Default)]
pub(crate) struct Pearl {
    /// Guesses made during a pass.
    pub(crate) tokens: usize,
    follower: Follower,
    /// Guesses that were not judged yet, with what they were drawn from.
    ahead: Vec<(u32, Option<Dist>)>,
    /// Tokens of the answer and the prompt that stood before them.
    base: usize,
    /// Tokens that are to be written next.
    due: usize,
}

impl Pearl {
    pub(crate) fn new(tokens: usize) -> Self {
        Self { tokens, ..Self::default() }
    }

    /// Drops the guesses that came, or all if other tokens did.
    fn keep_up(&mut self, tokens: &[u32]) {
        let came = tokens.get(self.base..).unwrap_or_default();
        let agrees = came.len() <= self.ahead.len() && came.iter().zip(&self.ahead).all(|(a, (b, _))| a == b);
        self.ahead.drain(..if agrees { came.len() } else { self.ahead.len() });
        self.base = tokens.len();
    }

    /// Writes the tokens that are due behind those that are ahead.
    async fn write<L: Lm>(
        &mut self,
        draft: &mut Sequences<'_, L>,
        line: &mut Line,
        ends: &dyn Fn(u32) -> bool,
    ) -> Result<(), DecodeError> {
        let (due, sent) = (std::mem::take(&mut self.due), self.ahead.len());
        loop {
            match self.write_some(draft, line, ends, due).await {
                Err(error) if wants_whole(line, &error) => self.ahead.truncate(sent),
                other => return other,
            }
        }
    }

    async fn write_some<L: Lm>(
        &mut self,
        draft: &mut Sequences<'_, L>,
        line: &mut Line,
        ends: &dyn Fn(u32) -> bool,
        n: usize,
    ) -> Result<(), DecodeError> {
        let (mut chain, mut form) = (line.chain.fork(0), line.form.clone());
        let n_vocab = draft.shape().n_vocab;
        for (token, _) in &self.ahead {
            chain.accept(*token);
            if let Some(form) = &mut form {
                form.take(*token)?;
            }
        }
        let wants = line.wants(false);
        let mut text = line.tokens.clone();
        text.extend(self.ahead.iter().map(|(token, _)| *token));
        for _ in 0..n {
            if text.len() > line.tokens.len() && text.last().is_some_and(|last| ends(*last)) {
                break;
            }
            let row = self.follower.follow(draft, &text, &wants).await?.1;
            let Some(row) = allowed(row, form.as_mut(), n_vocab).await? else { break };
            let Some((token, dist)) = guess(line, &chain, &row)? else { break };
            chain.accept(token);
            if let Some(form) = &mut form {
                form.take(token)?;
            }
            text.push(token);
            self.ahead.push((token, dist));
        }
        Ok(())
    }

    /// Tells the tree of the first `sent` guesses which one comes behind them, for the last row of the pass to judge.
    fn expect(&self, tree: &mut Tree, sent: usize) {
        if let Some((token, dist)) = self.ahead.get(sent) {
            if let Some(dist) = dist {
                tree.draw_from(sent, dist.clone());
            }
            tree.expect(*token);
        }
    }
}

/// What the form leaves of a row; nothing where the text is complete.
async fn allowed(row: Row, form: Option<&mut Form>, n_vocab: u32) -> Result<Option<Row>, DecodeError> {
    let Some(form) = form else { return Ok(Some(row)) };
    Ok(form.next(n_vocab).await?.mask().map(|mask| row.masked(Some(mask))))
}

/// A guess behind a row of the draft model, with what it was drawn from if it was drawn.
fn guess(line: &mut Line, chain: &Chain, row: &Row) -> Result<Option<(u32, Option<Dist>)>, DecodeError> {
    if line.by_ratio {
        let dist = line.guessing(chain, row)?;
        return Ok(Some((dist.draw(line.dice.roll()), Some(dist))));
    }
    let token = if line.form.is_none() { Some(row.argmax()) } else { row.top(1).first().map(|best| best.0) };
    Ok(token.map(|token| (token, None)))
}

impl<L: Lm> Drafter<L> for Pearl {
    async fn propose(&mut self, turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError> {
        self.keep_up(&turn.line.tokens);
        let most = turn.limit.depth.min(turn.limit.rows - 1);
        let sent = self.ahead.len().min(most);
        let all = sent == self.ahead.len();
        self.due = if all { self.tokens.min(turn.limit.depth - sent) } else { 0 };
        let ends = turn.job.ender();
        let Job { model, others, .. } = turn.job;
        let Some(draft) = others.first_mut() else { return Ok(Tree::new(turn.line.root())) };
        // A form is asked of the tree before the pass, which then has to know all of it.
        let beside = turn.line.form.is_none() && model.lm().works_beside(draft.lm());
        if !beside {
            self.write(draft, turn.line, &ends).await?;
        }
        let mut tree = Tree::new(turn.line.root());
        let rate = turn.rates.rate(CLASS, SUPPOSED);
        for (at, (token, dist)) in self.ahead.iter().enumerate().take(sent) {
            if let Some(dist) = dist {
                tree.draw_from(at, dist.clone());
            }
            tree.add(at, *token, CLASS, rate);
        }
        self.expect(&mut tree, sent);
        Ok(tree)
    }

    fn may_write_on(&self) -> bool {
        true
    }

    fn writes_on(&self) -> bool {
        self.due > 0
    }

    async fn write_on(
        &mut self,
        draft: &mut Sequences<'_, L>,
        line: &mut Line,
        tree: &mut Tree,
        ends: &dyn Fn(u32) -> bool,
    ) -> Result<(), DecodeError> {
        let sent = self.ahead.len();
        self.write(draft, line, ends).await?;
        // A tree that was pruned ends before what was written.
        if tree.nodes().len() == sent + 1 {
            self.expect(tree, sent);
        }
        Ok(())
    }

    fn observe(&mut self, _: &mut Line, _: &Tree, _: &Round) {}
}
