//! Lossy acceptance, asked for by name: guesses come that the model would not have chosen, so that the answer is another one.
//!
//! - `typical`: a guess that is not improbable for a row of that entropy, `p > min(epsilon, delta · exp(-H))` (Medusa; Cai et
//!   al., arXiv 2401.10774);
//! - `judge`: a guess of which a linear head on the model's own hidden row says that it is no mistake (Judge Decoding; Bachmann
//!   et al., arXiv 2501.19309; its labels found without people: AutoJudge, arXiv 2504.20039).
//!
//! Whatever the exact rule takes is taken too. Of several runs of such guesses the longest comes, of equal ones the likeliest.

use goldcrest_sample::Chain;
use serde_json::{Value, json};

use super::dist::Dist;
use super::heads::Judge;
use super::tree::Tree;
use crate::{Args, DecodeError, Job, Lm, Row};

/// Which guesses come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lenience {
    /// Those that the model would have chosen.
    Exact,
    /// Those that are typical of the model's row.
    Typical {
        /// Above this probability always.
        epsilon: f32,
        /// How much less is enough where the row is flat.
        delta: f32,
    },
    /// Those that a judge takes for correct with more than this probability.
    Judge {
        /// The probability; with 1 none.
        above: f32,
    },
}

impl Lenience {
    /// Reads `accept` and what belongs to it.
    pub(super) fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(match args.one_of("accept", "exact", &["exact", "typical", "judge"])? {
            "typical" => Self::Typical {
                epsilon: args.number("epsilon", 0.3, 0.0..=1.0)?,
                delta: args.number("delta", 0.09, 0.0..=1.0)?,
            },
            "judge" => Self::Judge { above: args.number("above", 0.9, 0.0..=1.0)? },
            _ => Self::Exact,
        })
    }

    /// Its name, unless it is exact.
    #[must_use]
    pub const fn lossy(self) -> Option<&'static str> {
        match self {
            Self::Exact => None,
            Self::Typical { .. } => Some("typical"),
            Self::Judge { .. } => Some("judge"),
        }
    }
}

/// The probability above which typical acceptance takes a token of a row with this entropy in nats.
#[must_use]
pub fn typical(epsilon: f32, delta: f32, entropy: f32) -> f32 {
    epsilon.min(delta * (-entropy).exp())
}

/// A rule at work.
#[derive(Debug)]
pub(crate) struct Lenient {
    rule: Lenience,
    judge: Option<Judge>,
    /// Guesses that came although the exact rule was not asked, or would have said another token.
    pub(crate) taken: usize,
}

impl Lenient {
    /// The rule for a job; a judge is read from the file that the job was given.
    pub(crate) fn new<L: Lm>(job: &Job<'_, L>, rule: Lenience) -> Result<Self, DecodeError> {
        let judge = match rule {
            Lenience::Judge { .. } => Some(given_judge(job)?),
            _ => None,
        };
        Ok(Self { rule, judge, taken: 0 })
    }

    /// What the report says of it; nothing where the answer is the exact one.
    pub(crate) fn report(&self) -> Option<Value> {
        self.rule.lossy().map(|rule| json!({ "rule": rule, "taken": self.taken }))
    }

    /// Whether it reads anything of rows that the exact rules do not.
    pub(crate) fn reads(&self) -> bool {
        self.rule != Lenience::Exact
    }

    /// Whether it reads hidden rows.
    pub(crate) const fn reads_hidden(&self) -> bool {
        self.judge.is_some()
    }

    /// The guess behind a node with which the longest acceptable run begins.
    pub(crate) fn child(
        &self,
        (tree, node): (&Tree, usize),
        rows: &[Row],
        chain: &Chain,
        by_argmax: bool,
    ) -> Result<Option<usize>, DecodeError> {
        if self.rule == Lenience::Exact {
            return Ok(None);
        }
        Ok(self.run(tree, node, rows, (!by_argmax).then(|| chain.fork(0)))?.first)
    }

    /// The longest run behind a node. `chain` draws, if anything is drawn.
    fn run(&self, tree: &Tree, node: usize, rows: &[Row], chain: Option<Chain>) -> Result<Run, DecodeError> {
        let mut best = Run { guesses: 0, logprob: 0.0, first: None };
        if tree.children(node).next().is_none() {
            return Ok(best);
        }
        let said = Said::of(&rows[node], chain.as_ref())?;
        for child in tree.children(node) {
            let token = tree.nodes()[child].token;
            if !self.takes(&said, token, &rows[child]) {
                continue;
            }
            let chain = chain.as_ref().map(|chain| {
                let mut chain = chain.fork(0);
                chain.accept(token);
                chain
            });
            let behind = self.run(tree, child, rows, chain)?;
            let (guesses, logprob) = (behind.guesses + 1, behind.logprob + said.p(token).ln());
            if guesses > best.guesses || guesses == best.guesses && logprob > best.logprob {
                best = Run { guesses, logprob, first: Some(child) };
            }
        }
        Ok(best)
    }

    /// Whether a guess comes: `said` is the row that it follows, `own` the one that it made.
    fn takes(&self, said: &Said<'_>, token: u32, own: &Row) -> bool {
        let lenient = match (self.rule, &self.judge) {
            (Lenience::Typical { epsilon, delta }, _) => {
                said.p(token) > f64::from(typical(epsilon, delta, said.entropy))
            }
            (Lenience::Judge { above }, Some(judge)) => judge.correct(own.hidden()) > above,
            _ => false,
        };
        lenient || matches!(said.from, From::Row(row) if row.argmax() == token)
    }
}

/// The judge that a job was given.
fn given_judge<L: Lm>(job: &Job<'_, L>) -> Result<Judge, DecodeError> {
    let missing = || DecodeError::MissingResource { method: "speculate", what: "the file of a judge" };
    // The border to JavaScript takes no file of a head.
    let file = job.resources.judge.as_deref().filter(|_| cfg!(not(target_family = "wasm")));
    Ok(Judge::read(file.ok_or_else(missing)?, job.model.shape())?)
}

struct Run {
    guesses: usize,
    logprob: f64,
    first: Option<usize>,
}

/// What the model says behind a node.
struct Said<'r> {
    from: From<'r>,
    entropy: f32,
}

enum From<'r> {
    /// The argmax comes; chances are those of the row.
    Row(&'r Row),
    /// A token is drawn from this.
    Drawn(Dist),
}

impl<'r> Said<'r> {
    fn of(row: &'r Row, chain: Option<&Chain>) -> Result<Self, DecodeError> {
        let Some(chain) = chain else {
            return Ok(Self { from: From::Row(row), entropy: row.stats().entropy });
        };
        let dist = Dist::behind(chain, row, chain.history().len() as u32)?;
        let entropy: f64 = dist.pairs().iter().map(|(_, p)| -p * p.ln()).sum();
        Ok(Self { from: From::Drawn(dist), entropy: entropy as f32 })
    }

    fn p(&self, token: u32) -> f64 {
        match &self.from {
            From::Row(row) => f64::from(row.logprob(token)).exp(),
            From::Drawn(dist) => dist.p(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(p: &[f32]) -> Vec<bool> {
        let row = Row::mixed(p.iter().map(|p| p.ln()).collect(), &Row::default());
        let rule = Lenience::Typical { epsilon: 0.3, delta: 0.09 };
        let rule = Lenient { rule, judge: None, taken: 0 };
        let said = Said { entropy: row.stats().entropy, from: From::Row(&row) };
        (0..p.len() as u32).map(|token| rule.takes(&said, token, &Row::default())).collect()
    }

    #[test]
    fn typical_acceptance_is_as_computed() {
        let entropy = |p: &[f32]| p.iter().map(|p| -p * p.ln()).sum::<f32>();
        let (sure, flat) = ([0.9, 0.05, 0.03, 0.02], [0.4, 0.3, 0.2, 0.1]);
        assert!((entropy(&sure) - 0.428).abs() < 1e-3);
        assert!((typical(0.3, 0.09, entropy(&sure)) - 0.0587).abs() < 1e-4);
        assert!((typical(0.3, 0.09, entropy(&flat)) - 0.025).abs() < 1e-4);
        assert_eq!(takes(&sure), [true, false, false, false]);
        assert_eq!(takes(&flat), [true; 4]);
    }
}
