//! The form that an answer has to have, along a tree of guesses: masks for drafts and target alike, and tokens without
//! alternative as guesses that need no judgement.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;

use goldcrest_sample::{Constraint, TokenMask};

use super::drafter::Limit;
use super::tree::{MAX_ROWS, Tree};
use crate::DecodeError;

/// Class of tokens without alternative.
const FORCED: usize = 31;

/// A constraint at one place of the text.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    constraint: Box<dyn Constraint>,
    /// Ends of generation that are not to be chosen.
    refused: Rc<Vec<u32>>,
    /// Tokens without alternative that come next, as far as they are known.
    forced: VecDeque<u32>,
}

/// What may follow a node.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// These tokens.
    Any(Rc<TokenMask>),
    /// This token, whatever the model says.
    Only(u32, Rc<TokenMask>),
    /// Nothing: the text is complete.
    Over,
    /// It cannot be reached: its token may not come.
    Refused,
}

impl Next {
    /// The mask of its row.
    pub(crate) fn mask(&self) -> Option<Rc<TokenMask>> {
        match self {
            Self::Any(mask) | Self::Only(_, mask) => Some(Rc::clone(mask)),
            Self::Over | Self::Refused => None,
        }
    }
}

impl Form {
    pub(crate) fn new(constraint: Box<dyn Constraint>, refused: Vec<u32>) -> Self {
        Self { constraint, refused: Rc::new(refused), forced: VecDeque::new() }
    }

    /// What may come next.
    pub(crate) async fn next(&mut self, n_vocab: u32) -> Result<Next, DecodeError> {
        self.look_ahead()?;
        if let Some(token) = self.forced.front() {
            let mut mask = TokenMask::none(n_vocab);
            mask.allow(*token);
            return Ok(Next::Only(*token, Rc::new(mask)));
        }
        if self.constraint.is_over() {
            return Ok(Next::Over);
        }
        poll_fn(|context| self.constraint.poll_ready(context)).await?;
        let mut mask = self.constraint.mask()?;
        self.refused.iter().for_each(|token| mask.refuse(*token));
        // Nothing may follow but the end that the caller wants to go beyond.
        Ok(if mask.is_empty() { Next::Over } else { Next::Any(Rc::new(mask)) })
    }

    /// Goes on by a token.
    pub(crate) fn take(&mut self, token: u32) -> Result<(), DecodeError> {
        self.look_ahead()?;
        if self.forced.front() == Some(&token) {
            self.forced.pop_front();
        }
        Ok(self.constraint.commit(token)?)
    }

    /// Whether the text is complete.
    pub(crate) fn is_over(&self) -> bool {
        self.forced.is_empty() && self.constraint.is_over()
    }

    /// The guesses of a tree that may come, with tokens without alternative added, and what may follow each. Tokens without
    /// alternative behind the root have to run in any case, so that `limit.rows` does not count for them. Guesses that were
    /// drawn stay, as what is drawn among depends on them.
    pub(crate) async fn fit(
        &self,
        tree: &Tree,
        limit: Limit,
        n_vocab: u32,
    ) -> Result<(Tree, Vec<Next>), DecodeError> {
        let mut fitted = Tree::new(tree.nodes()[0].token);
        let mut nexts: Vec<Next> = Vec::new();
        // Nodes to come: the node here, the one it was, its form, and whether it had to come.
        let mut open = VecDeque::from([(0, Some(0), Some(self.clone()), true)]);
        let mut here = vec![None; tree.nodes().len()];
        while let Some((node, was, form, bound)) = open.pop_front() {
            was.into_iter().for_each(|was| here[was] = Some(node));
            let Some(mut form) = form else {
                nexts.push(Next::Refused);
                continue;
            };
            let next = form.next(n_vocab).await?;
            let drawn = was.and_then(|was| tree.drawn(was));
            if let Some(dist) = drawn {
                fitted.draw_from(node, dist.clone());
            }
            let may = |token: u32| next.mask().is_some_and(|mask| mask.contains(token));
            let mut wanted: Vec<(u32, usize, f32, Option<usize>)> = Vec::new();
            for child in was.into_iter().flat_map(|was| tree.children(was)) {
                let (guess, above) = (tree.nodes()[child], was.map_or(1.0, |was| tree.nodes()[was].value));
                if may(guess.token) || drawn.is_some() {
                    let rate = if above > 0.0 { guess.value / above } else { 0.0 };
                    wanted.push((guess.token, guess.class, rate, Some(child)));
                }
            }
            if let (Next::Only(token, _), None) = (&next, drawn) {
                let was = wanted.iter().find(|guess| guess.0 == *token).and_then(|guess| guess.3);
                wanted = vec![(*token, FORCED, 1.0, was)];
            }
            let depth = fitted.nodes()[node].depth;
            for (token, class, rate, was) in wanted {
                let bound = bound && class == FORCED;
                let most = if bound { MAX_ROWS } else { limit.rows };
                let full = fitted.rows() + tree.extras().len() >= most || depth >= limit.depth;
                if full && drawn.is_none() {
                    continue;
                }
                let child = fitted.add(node, token, class, rate);
                let mut form = may(token).then(|| form.clone());
                if let Some(form) = &mut form {
                    form.take(token)?;
                }
                open.push_back((child, was, form, bound));
            }
            nexts.push(next);
        }
        fitted.take_extras(tree, &here);
        Ok((fitted, nexts))
    }

    /// Asks for tokens without alternative where none are known, as decoding without guesses does.
    fn look_ahead(&mut self) -> Result<(), DecodeError> {
        if self.forced.is_empty() {
            self.forced.extend(self.constraint.forced()?);
        }
        Ok(())
    }
}
