//! The answer's sequence under speculation: a tree is verified in one pass, the accepted cells stay where they are.

use goldcrest_engine::batch::{Batch, BatchRow, Place, Source, Visible, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{EngineError, Finish};
use goldcrest_sample::{Chain, Choose, Needs, Purpose, SampleError, SamplerParams, uniform};

use super::dist::Dist;
use super::tree::{Layout, Tree};
use super::walk::{Path, Siblings, Verdict, matching};
use crate::{DecodeError, Job, Lm, Row};

/// Best logits that come back of a row.
const BEST: usize = 256;
/// Streams of random numbers of speculation, apart from those of the sampler's chain.
const STREAM: u32 = 0x5bec_0000;

/// The sequence and what is written to it. The last token has no cell yet: it is the root of the next tree.
pub(crate) struct Line {
    /// Holds all tokens but the last.
    pub(crate) seq: SeqId,
    /// The prompt and the answer so far.
    pub(crate) tokens: Vec<u32>,
    /// Decides what comes behind a row.
    pub(crate) chain: Chain,
    /// Whether that is simply the argmax.
    pub(crate) greedy: bool,
    /// Whether guesses that were drawn by chance are judged by their ratio: not where the argmax decides anyway, nor where
    /// the chain's end is no draw from a distribution.
    pub(crate) by_ratio: bool,
    /// Whether rows have to come whole.
    pub(crate) whole: bool,
    /// Random numbers for guesses and their judgement.
    pub(crate) dice: Dice,
}

/// Random numbers, each used once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    seed: u64,
    thrown: u32,
}

impl Dice {
    /// The next number in `[0, 1)`.
    pub(crate) fn roll(&mut self) -> f32 {
        self.thrown += 1;
        uniform(self.seed, STREAM, self.thrown, Purpose::Policy)
    }
}

/// A verified tree.
pub(crate) struct Round {
    /// Rows of the nodes, then of the extra rows.
    pub(crate) rows: Vec<Row>,
    /// Accepted nodes and the tokens that came of them.
    pub(crate) path: Path,
    /// Whether the answer goes on.
    pub(crate) more: bool,
}

impl Line {
    /// Runs the prompt and writes the first token, which no tree has a part in. Gives none if the answer ends with it.
    pub(crate) async fn open<L: Lm>(job: &mut Job<'_, L>) -> Result<(Self, bool), DecodeError> {
        let chain = job.chain(0)?;
        let greedy = chain.spec() == SamplerParams::greedy().to_chain()?.spec();
        let whole = !greedy && chain.needs(BEST) == Needs::Row;
        let Some((_, before)) = job.prompt.split_last() else { return Err(EngineError::EmptyPrompt.into()) };
        let before = before.to_vec();
        let seq = job.model.prefilled(&before).await?;
        let dice = Dice { seed: job.sampler.seed, thrown: 0 };
        let by_ratio = chain.end() == Choose::Draw;
        let mut line = Self { seq, tokens: job.prompt.clone(), chain, greedy, by_ratio, whole, dice };
        let round = line.verify(job, &Tree::new(line.root()), false).await?;
        Ok((line, round.more))
    }

    /// The newest token.
    pub(crate) fn root(&self) -> u32 {
        self.tokens.last().copied().unwrap_or(0)
    }

    /// Says what the children of a node are drawn from, where that matters for judging them.
    pub(crate) fn drawn_from(&self, tree: &mut Tree, node: usize, dist: Dist) {
        if self.by_ratio {
            tree.draw_from(node, dist);
        }
    }

    /// What guesses behind a row are drawn from: what the chain leaves of it, or at temperature 0 the row itself.
    pub(crate) fn guessing(&self, chain: &Chain, row: &Row) -> Result<Dist, DecodeError> {
        if chain.end() == Choose::Greedy {
            let p = row.top(BEST).into_iter().map(|(token, logprob)| (token, f64::from(logprob).exp()));
            return Dist::of_weights(p).ok_or_else(|| SampleError::NoCandidate.into());
        }
        Dist::behind(chain, row, chain.history().len() as u32)
    }

    /// What rows have to say; with the best 256 where `top`.
    pub(crate) fn wants(&self, top: bool) -> Wants {
        let top = top || !(self.greedy || self.whole);
        Wants { stats: true, top, row: self.whole, ..Wants::default() }
    }

    /// Runs the tree, follows it, keeps the accepted cells, frees the others and writes what came.
    pub(crate) async fn verify<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        tree: &Tree,
        top: bool,
    ) -> Result<Round, DecodeError> {
        let layout = tree.layout();
        let before = job.model.len(self.seq)?;
        let mut wants = self.wants(top);
        let mut rows = self.run(job, tree, &layout, &wants).await?;
        let (path, logprobs) = loop {
            let (dice, written) = (self.dice, self.chain.history().len());
            match self.follow(tree, &rows) {
                Err(DecodeError::Engine(EngineError::Sample(SampleError::NeedsFullRow { .. })))
                    if !wants.row =>
                {
                    self.dice = dice;
                    self.chain.rollback(self.chain.history().len() - written);
                    // Trees that are judged by their distribution will ask for it again.
                    self.whole |= tree.is_drawn();
                    wants.row = true;
                    job.model.truncate(self.seq, before)?;
                    rows = self.run(job, tree, &layout, &wants).await?;
                }
                other => break other?,
            }
        };
        self.settle(job, &layout, &path, before)?;
        let mut more = true;
        for (token, logprob) in path.tokens.iter().zip(&logprobs) {
            if !more {
                break;
            }
            more = job.out.push(*token, *logprob).await;
            self.tokens.push(*token);
        }
        if job.out.finish().is_some_and(|finish| finish == Finish::Aborted) {
            more = false;
        }
        job.model.truncate(self.seq, self.tokens.len())?;
        Ok(Round { rows, path, more })
    }

    /// Leaves the sequence to the caller.
    pub(crate) fn close<L: Lm>(self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let held = job.model.len(self.seq)?;
        let tokens = self.tokens.into_iter().take(held).collect();
        job.keep(self.seq, tokens);
        Ok(())
    }

    async fn run<L: Lm>(
        &self,
        job: &mut Job<'_, L>,
        tree: &Tree,
        layout: &Layout,
        wants: &Wants,
    ) -> Result<Vec<Row>, DecodeError> {
        let first = job.model.next_pos(self.seq)?;
        let mut batch = Batch::default();
        for (row, item) in layout.order.iter().enumerate() {
            let visible = match layout.chain {
                true => Visible::Causal,
                false => Visible::Tree { ancestors: layout.sees[row] },
            };
            let source = Source::Token(tree.token(*item));
            let pos = first + layout.depths[row] as u32;
            batch.rows.push(BatchRow {
                source,
                pos,
                seq: self.seq,
                place: Place::Append,
                visible,
                wants: wants.clone(),
            });
        }
        let found = job.model.forward(&batch).await?.rows;
        let mut rows = vec![Row::default(); layout.order.len()];
        for (item, result) in layout.order.iter().zip(found) {
            rows[*item] = Row::new(result);
        }
        Ok(rows)
    }

    /// The path, with the log-probabilities of its tokens.
    fn follow(&mut self, tree: &Tree, rows: &[Row]) -> Result<(Path, Vec<f32>), DecodeError> {
        let mut logprobs = Vec::new();
        let path = matching(tree, |node| {
            let row = &rows[node];
            let token = self.behind(tree, node, row)?;
            logprobs.push(if self.greedy { row.best_logprob() } else { row.logprob(token) });
            Ok::<u32, DecodeError>(token)
        })?;
        Ok((path, logprobs))
    }

    /// What comes behind a node.
    fn behind(&mut self, tree: &Tree, node: usize, row: &Row) -> Result<u32, DecodeError> {
        if self.greedy {
            return Ok(row.argmax());
        }
        let position = self.chain.history().len() as u32;
        let Some(q) = tree.drawn(node) else {
            let choice = self.chain.choose(&mut row.candidates()?, position)?;
            self.chain.commit(&choice);
            return Ok(choice.id);
        };
        let p = Dist::behind(&self.chain, row, position)?;
        let tokens: Vec<u32> = tree.children(node).map(|child| tree.nodes()[child].token).collect();
        let token = match (Siblings { p: &p, q, tokens: &tokens }).judge(|| self.dice.roll()) {
            Verdict::Accepted(index) => tokens[index],
            Verdict::Instead(token) => token,
        };
        self.chain.accept(token);
        Ok(token)
    }

    /// Keeps the cells of the path, without moving any.
    fn settle<L: Lm>(
        &self,
        job: &mut Job<'_, L>,
        layout: &Layout,
        path: &Path,
        before: usize,
    ) -> Result<(), DecodeError> {
        let kept = (0..layout.order.len()).filter(|row| path.nodes.contains(&layout.order[*row]));
        let kept: Vec<usize> = kept.collect();
        if kept.last().is_none_or(|last| *last + 1 == kept.len()) {
            return job.model.truncate(self.seq, before + kept.len());
        }
        let keep: Vec<usize> = (0..before).chain(kept.into_iter().map(|row| before + row)).collect();
        job.model.compact(self.seq, &keep)
    }
}
