//! Writing guesses one after another, whoever writes them.

use super::drafter::{Drafter, Turn};
use super::features::{Features, Reads};
use super::follower::wants_whole;
use super::heads::Acceptance;
use super::line::{Line, Round};
use super::tree::Tree;
use crate::{DecodeError, Lm, Row};

/// How often a guess is supposed to come true.
const SUPPOSED: f32 = 0.7;

/// Writes tokens of its own: a second model, or some layers of the first.
pub(crate) trait Scribe<L: Lm> {
    /// Class of its guesses.
    fn class(&self) -> usize;

    /// What it reads of rows beside their logits.
    fn reads(&self) -> Reads {
        Reads::default()
    }

    /// What was read of the prompt's rows but the last, and the round that the last one was.
    fn open(&mut self, _prompt: Features, _first: &Round) {}

    /// How many guesses it is to make, at most `most`.
    fn length(&self, turn: &Turn<'_, '_, L>, most: usize) -> usize;

    /// Takes up the answer, and says what comes behind it.
    async fn begin(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<Row, DecodeError>;

    /// Takes its own guess, and says what comes behind that.
    async fn next(&mut self, turn: &mut Turn<'_, '_, L>, token: u32) -> Result<Row, DecodeError>;

    /// Puts the pen down.
    fn end(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<(), DecodeError>;

    /// What came of the guesses.
    fn learn(&mut self, accepted: usize, made: usize, round: &Round);
}

/// When a chain of guesses ends before its length is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// Not.
    Never,
    /// When the probability that some guess is rejected passes a threshold (SpecDec++, with a trained head or the writer's
    /// own confidence; Huang, Guo and Wang, arXiv 2405.19715).
    Doubt {
        /// The threshold.
        threshold: f32,
        /// Guesses that are always made.
        least: usize,
    },
    /// Behind a guess of less confidence than this (Kangaroo; Liu et al., arXiv 2404.18911).
    Unsure(f32),
}

impl Stop {
    /// Whether drafting ends behind guesses with these probabilities of being accepted.
    #[must_use]
    pub fn behind(self, accepted: &[f32]) -> bool {
        match self {
            Self::Never => false,
            Self::Doubt { threshold, least } => {
                accepted.len() >= least && 1.0 - accepted.iter().product::<f32>() > threshold
            }
            Self::Unsure(eta) => accepted.last().is_some_and(|last| *last < eta),
        }
    }
}

/// A drafter of one chain.
#[derive(Debug)]
pub(crate) struct Chained<S> {
    pub(crate) scribe: S,
    pub(crate) tokens: usize,
    pub(crate) stop: Stop,
    /// Says how likely a guess is to be accepted when the writer has read it; without it the writer's confidence counts.
    pub(crate) head: Option<Acceptance>,
}

impl<L: Lm, S: Scribe<L>> Drafter<L> for Chained<S> {
    fn reads(&self) -> Reads {
        self.scribe.reads()
    }

    fn begin(&mut self, _: &mut Line, prompt: Features, first: &Round) {
        self.scribe.open(prompt, first);
    }

    async fn propose(&mut self, mut turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError> {
        loop {
            let written = self.write(&mut turn).await;
            self.scribe.end(&mut turn)?;
            match written {
                Err(error) if wants_whole(turn.line, &error) => {}
                other => return other,
            }
        }
    }

    fn observe(&mut self, _: &mut Line, tree: &Tree, round: &Round) {
        self.scribe.learn(round.path.nodes.len() - 1, tree.nodes().len() - 1, round);
    }
}

impl<S> Chained<S> {
    async fn write<L: Lm>(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<Tree, DecodeError>
    where
        S: Scribe<L>,
    {
        let mut tree = Tree::new(turn.line.root());
        let most = self.tokens.min(turn.limit.depth).min(turn.limit.rows - 1);
        let n = self.scribe.length(turn, most);
        if n == 0 {
            return Ok(tree);
        }
        let mut row = self.scribe.begin(turn).await?;
        let (mut chain, mut form) = (turn.line.chain.fork(0), turn.line.form.clone());
        let n_vocab = turn.job.model.shape().n_vocab;
        let (class, mut at, mut sure) = (self.scribe.class(), 0, Vec::new());
        loop {
            if let Some(form) = &mut form {
                let next = form.next(n_vocab).await?;
                let Some(mask) = next.mask() else { return Ok(tree) };
                row = row.masked(Some(mask));
            }
            let token = match turn.line.by_ratio {
                true => {
                    let dist = turn.line.guessing(&chain, &row)?;
                    let token = dist.draw(turn.line.dice.roll());
                    tree.draw_from(at, dist);
                    token
                }
                false if form.is_none() => row.argmax(),
                // The draft thinks of none of the tokens that may come.
                false => match row.top(1).first() {
                    Some((token, _)) => *token,
                    None => return Ok(tree),
                },
            };
            sure.push(match &self.head {
                // The row is that of the guess before; nothing is known of the newest one.
                Some(_) if sure.is_empty() => 1.0,
                Some(head) => head.accepts(row.hidden()),
                None => row.best_logprob().exp(),
            });
            at = tree.add(at, token, class, turn.rates.rate(class, SUPPOSED));
            chain.accept(token);
            if let Some(form) = &mut form {
                form.take(token)?;
            }
            if sure.len() == n || self.stop.behind(&sure) || turn.job.ends(token) {
                return Ok(tree);
            }
            row = self.scribe.next(turn, token).await?;
        }
    }
}

/// The number of guesses, up to `most`, with the most tokens a second, where each is accepted with `rate`, costs `c` of a
/// plain pass to make, and a pass of `rows` rows takes `cost(rows)` plain passes.
#[must_use]
pub fn best_length(most: usize, rate: f32, c: f32, cost: impl Fn(usize) -> f32) -> usize {
    let speed = |k: &usize| expected(rate, *k) / (*k as f32 * c + cost(k + 1));
    (0..=most).max_by(|a, b| speed(a).total_cmp(&speed(b)).then(b.cmp(a))).unwrap_or(0)
}

/// Tokens that a pass over `k` guesses gives, each accepted with `rate`: `(1 - a^(k+1)) / (1 - a)`.
#[must_use]
pub fn expected(rate: f32, k: usize) -> f32 {
    (0..=k).map(|i| rate.powi(i as i32)).sum()
}

/// The number of guesses for a writer whose class came true as it did, and whose passes take `pass` seconds.
pub(crate) fn planned<L: Lm>(turn: &Turn<'_, '_, L>, class: usize, most: usize, pass: f32) -> usize {
    match turn.planner.pass() {
        Some(one) if turn.plan && one > 0.0 && pass > 0.0 => {
            best_length(most, turn.rates.rate(class, SUPPOSED), pass / one, |rows| turn.planner.cost(rows))
        }
        _ => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafting_stops_when_a_rejection_is_likely() {
        let accepted = [0.95, 0.90, 0.80, 0.60, 0.50];
        let made = |stop: Stop| (1..=5).find(|n| stop.behind(&accepted[..*n])).unwrap_or(6);
        let doubt = |threshold| made(Stop::Doubt { threshold, least: 2 });
        assert_eq!((doubt(0.3), doubt(0.7), doubt(0.0), doubt(1.0)), (3, 5, 2, 6));
        assert_eq!((made(Stop::Unsure(0.6)), made(Stop::Unsure(1.0)), made(Stop::Never)), (5, 1, 6));
    }

    #[test]
    fn the_expected_run_is_as_tabulated() {
        let table = [
            (0.5, [1.75, 1.94, 2.0]),
            (0.7, [2.19, 2.77, 3.20]),
            (0.8, [2.44, 3.36, 4.33]),
            (0.9, [2.71, 4.10, 6.13]),
        ];
        for (rate, row) in table {
            for (k, want) in [2, 4, 8].into_iter().zip(row) {
                assert!((expected(rate, k) - want).abs() < 0.006, "{rate} {k}");
            }
        }
        assert_eq!(best_length(8, 0.7, 2.0, |_| 1.0), 0);
        assert!(best_length(8, 0.9, 0.05, |_| 1.0) > 6);
    }
}
