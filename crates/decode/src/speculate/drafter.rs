//! What a drafter is, and the loop that all of them share.

use web_time::Instant;

use super::features::{Features, Reads};
use super::learnt::Learning;
use super::lenient::{Lenience, Lenient};
use super::line::{Line, Round};
use super::planner::Planner;
use super::rates::Rates;
use super::tally::Tally;
use super::tree::{MAX_ROWS, Tree};
use crate::{DecodeError, Job, Lm, Sequences};

/// How much may be guessed in one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Rows, the root included.
    pub rows: usize,
    /// Tokens behind the root.
    pub depth: usize,
}

/// What a drafter works with.
pub(crate) struct Turn<'t, 'a, L: Lm> {
    pub(crate) job: &'t mut Job<'a, L>,
    pub(crate) line: &'t mut Line,
    pub(crate) rates: &'t Rates,
    pub(crate) planner: &'t Planner,
    pub(crate) limit: Limit,
    /// Whether times decide how much is guessed.
    pub(crate) plan: bool,
}

/// Guesses tokens.
pub(crate) trait Drafter<L: Lm> {
    /// What it reads of every row that was verified, if anything: its figures, and so many of its best tokens.
    fn reads_rows(&self) -> Option<u32> {
        None
    }

    /// What it reads of rows beside their logits.
    fn reads(&self) -> Reads {
        Reads::default()
    }

    /// What was read of the prompt's rows but the last, and the round that the last one was.
    fn begin(&mut self, _line: &mut Line, _prompt: Features, _first: &Round) {}

    /// Guesses behind the newest token.
    async fn propose(&mut self, turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError>;

    /// Whether it is one of those that write on while a pass runs, where a device allows it.
    fn may_write_on(&self) -> bool {
        false
    }

    /// Whether it writes on while the pass of what it proposed runs.
    fn writes_on(&self) -> bool {
        false
    }

    /// Writes on with the first further model; `tree` is what the pass verifies, and may be told what comes behind it.
    async fn write_on(
        &mut self,
        _draft: &mut Sequences<'_, L>,
        _line: &mut Line,
        _tree: &mut Tree,
        _ends: &dyn Fn(u32) -> bool,
    ) -> Result<(), DecodeError> {
        Ok(())
    }

    /// What came of them; the tree may be smaller than what was proposed.
    fn observe(&mut self, line: &mut Line, tree: &Tree, round: &Round);
}

/// A drafter that needs nothing but the tokens so far and the rows that were verified.
pub(crate) trait Lookup {
    /// See [`Drafter::reads_rows`].
    fn reads_rows(&self) -> Option<u32> {
        None
    }

    /// Guesses behind the last of `tokens`.
    fn propose(&mut self, tokens: &[u32], rates: &Rates, limit: Limit) -> Tree;

    /// What came of them.
    fn observe(&mut self, _line: &mut Line, _tree: &Tree, _round: &Round) {}
}

impl<L: Lm, T: Lookup> Drafter<L> for T {
    fn reads_rows(&self) -> Option<u32> {
        Lookup::reads_rows(self)
    }

    async fn propose(&mut self, turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError> {
        Ok(Lookup::propose(self, &turn.line.tokens, turn.rates, turn.limit))
    }

    fn observe(&mut self, line: &mut Line, tree: &Tree, round: &Round) {
        Lookup::observe(self, line, tree, round);
    }
}

/// How many rows a pass may have, and whether their times decide how many it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Most rows of a pass, the root included.
    pub rows: usize,
    /// Whether guesses that do not pay for their row are left out.
    pub plan: bool,
}

/// Most tokens that the device makes by itself before guesses are thought of again, and the answer's end is looked at.
const AT_REST: usize = 16;

/// Writes the answer with a drafter's help.
pub(crate) async fn assist<L: Lm, D: Drafter<L>>(
    job: &mut Job<'_, L>,
    name: &str,
    (pace, accept): (Pace, Lenience),
    drafter: &mut D,
) -> Result<(), DecodeError> {
    let accept = Lenient::new(job, accept)?;
    let (mut line, prompt, first) = Line::open(job, drafter.reads(), accept).await?;
    drafter.begin(&mut line, prompt, &first);
    let mut more = first.more;
    let mut learning = Learning::new(job.learnt(), job.resources.pass_times.clone());
    let mut tally = Tally::default();
    if drafter.may_write_on() {
        tally.may_overlap();
    }
    while more {
        let room = job.model.room(line.seq)?;
        let rest = if pace.plan { learning.planner.rest() } else { 0 };
        let (made, goes_on) = line.plainly(job, rest.min(AT_REST).min(job.out.room()).min(room)).await?;
        if made > 0 {
            let took = job.model.took();
            learning.planner.rested(made, took.as_secs_f32());
            (0..made).for_each(|_| tally.pass((1, 1.0), 0));
            tally.verify_ms += took.as_secs_f64() * 1e3;
            more = goes_on;
            continue;
        }
        let begun = Instant::now();
        let most = if pace.plan { learning.planner.most_rows() } else { MAX_ROWS };
        let rows = pace.rows.min(MAX_ROWS).min(room).min(most);
        let limit = Limit { rows, depth: job.out.room().saturating_sub(1) };
        let tree = if limit.rows < 2 || limit.depth == 0 {
            Tree::new(line.root())
        } else {
            let (rates, planner) = (&learning.rates, &learning.planner);
            let turn = Turn { job, line: &mut line, rates, planner, limit, plan: pace.plan };
            let tree = drafter.propose(turn).await?;
            let most = limit.rows.saturating_sub(1 + tree.extras().len());
            match (tree.is_drawn(), pace.plan) {
                (true, _) => tree,
                (false, true) => tree.pruned(learning.planner.guesses(&tree.values()).min(most), limit.depth),
                (false, false) => tree.pruned(most, limit.depth),
            }
        };
        let mut tree = line.fit(job, tree, limit).await?;
        let drafted = begun.elapsed();
        let round = match drafter.writes_on() {
            true => {
                let (round, beside) = line.verify_beside(job, &mut tree, drafter).await?;
                tally.beside(&beside);
                round
            }
            false => line.verify(job, &tree, drafter.reads_rows()).await?,
        };
        let (verified, observed) = (job.model.took(), Instant::now());
        more = round.more;
        for node in &round.path.nodes {
            let judged = tree.children(*node).map(|child| (tree.nodes()[child].class, child));
            judged.for_each(|(class, child)| learning.rates.learn(class, round.path.nodes.contains(&child)));
        }
        drafter.observe(&mut line, &tree, &round);
        let drafted = drafted + observed.elapsed();
        let (draft, verify) = (drafted.as_secs_f32(), verified.as_secs_f32());
        learning.planner.learn(tree.rows(), round.path.tokens.len(), draft, verify);
        tally.pass((tree.rows(), learning.planner.cost(tree.rows())), round.path.nodes.len() - 1);
        tally.draft_ms += drafted.as_secs_f64() * 1e3;
        tally.verify_ms += verified.as_secs_f64() * 1e3;
    }
    job.report.insert("speculation".into(), tally.report(name, line.accept.report()));
    line.close(job)
}
