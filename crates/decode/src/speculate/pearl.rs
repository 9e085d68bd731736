//! PEARL: the draft model writes on while its last guesses are being verified.
//!
//! Liu et al., arXiv 2408.11850. A pass verifies what was guessed before it; meanwhile the draft model writes `tokens` more
//! behind those. If all of them come true, the last row of the pass judges the first of the new ones (pre-verify), and the
//! next pass verifies the others (post-verify). A guess that fails drops all behind it.
//!
//! Here the two run in turns, as they would on any device with one queue: what is left of the gain is that no guess is lost when
//! a pass accepts everything.

use goldcrest_engine::batch::Wants;
use goldcrest_sample::Chain;

use super::dist::Dist;
use super::drafter::{Drafter, Turn};
use super::follower::{Follower, wants_whole};
use super::form::Form;
use super::line::{Line, Round};
use super::tree::Tree;
use crate::{DecodeError, Lm, Row};

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

    /// Writes up to `n` tokens behind those that are ahead.
    async fn write<L: Lm>(&mut self, turn: &mut Turn<'_, '_, L>, n: usize) -> Result<(), DecodeError> {
        let (mut chain, mut form) = (turn.line.chain.fork(0), turn.line.form.clone());
        let n_vocab = turn.job.model.shape().n_vocab;
        for (token, _) in &self.ahead {
            chain.accept(*token);
            if let Some(form) = &mut form {
                form.take(*token)?;
            }
        }
        let wants = turn.line.wants(false);
        let mut text = turn.line.tokens.clone();
        text.extend(self.ahead.iter().map(|(token, _)| *token));
        for _ in 0..n {
            if text.len() > turn.line.tokens.len() && text.last().is_some_and(|last| turn.job.ends(*last)) {
                break;
            }
            let row = self.row(turn, &text, &wants).await?;
            let Some(row) = allowed(row, form.as_mut(), n_vocab).await? else { break };
            let Some((token, dist)) = guess(turn.line, &chain, &row)? else { break };
            chain.accept(token);
            if let Some(form) = &mut form {
                form.take(token)?;
            }
            text.push(token);
            self.ahead.push((token, dist));
        }
        Ok(())
    }

    async fn row<L: Lm>(
        &mut self,
        turn: &mut Turn<'_, '_, L>,
        text: &[u32],
        wants: &Wants,
    ) -> Result<Row, DecodeError> {
        Ok(self.follower.follow(&mut turn.job.others[0], text, wants).await?.1)
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
    async fn propose(&mut self, mut turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError> {
        self.keep_up(&turn.line.tokens);
        let most = turn.limit.depth.min(turn.limit.rows - 1);
        let sent = self.ahead.len().min(most);
        if sent == self.ahead.len() {
            let n = self.tokens.min(turn.limit.depth - sent);
            loop {
                let made = self.write(&mut turn, n).await;
                match made {
                    Err(error) if wants_whole(turn.line, &error) => self.ahead.truncate(sent),
                    other => break other?,
                }
            }
        }
        let mut tree = Tree::new(turn.line.root());
        let rate = turn.rates.rate(CLASS, SUPPOSED);
        for (at, (token, dist)) in self.ahead.iter().enumerate().take(sent + 1) {
            if let Some(dist) = dist {
                tree.draw_from(at, dist.clone());
            }
            if at < sent {
                tree.add(at, *token, CLASS, rate);
            } else {
                tree.expect(*token);
            }
        }
        Ok(tree)
    }

    fn observe(&mut self, _: &mut Line, _: &Tree, _: &Round) {}
}
