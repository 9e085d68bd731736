//! The answer's sequence under speculation: a tree is verified in one pass, the accepted cells stay where they are.

use std::rc::Rc;

use goldcrest_engine::batch::{BEST, Batch, BatchRow, Place, Source, StepResult, Visible, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{EngineError, Finish};
use goldcrest_sample::{Chain, Choose, Needs, Purpose, SampleError, SamplerParams, TokenMask, uniform};

use super::dist::Dist;
use super::drafter::Limit;
use super::features::{Features, Reads};
use super::form::{Form, Next};
use super::lenient::Lenient;
use super::tree::{Input, Layout, Tree};
use super::walk::{Path, Siblings, Verdict, matching};
use crate::{DecodeError, Job, Lm, Row};

/// Streams of random numbers of speculation, apart from those of the sampler's chain.
pub(crate) const STREAM: u32 = 0x5bec_0000;

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
    /// By what the device draws behind each row, if it can: 16 bytes of it come back instead of the row's best.
    pub(super) draws: Option<SamplerParams>,
    /// Random numbers for guesses and their judgement.
    pub(crate) dice: Dice,
    /// The form that the answer has to have, behind the newest token.
    pub(crate) form: Option<Form>,
    /// What may follow each node of the tree that was fitted last.
    nexts: Vec<Next>,
    /// What is read of rows beside their logits.
    pub(super) reads: Reads,
    /// Which guesses come beside those that the model would have chosen.
    pub(crate) accept: Lenient,
}

/// Random numbers, each used once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    seed: u64,
    pub(super) thrown: u32,
}

impl Dice {
    /// The next number in `[0, 1)`.
    pub(crate) fn roll(&mut self) -> f32 {
        self.thrown += 1;
        uniform(self.seed, STREAM, self.thrown, Purpose::Policy)
    }
}

/// What the rows of a tree said, and the path with the log-probabilities of its tokens.
type Found = (Vec<Row>, Features, (Path, Vec<f32>));

/// A verified tree.
pub(crate) struct Round {
    /// Rows of the nodes, then of the extra rows.
    pub(crate) rows: Vec<Row>,
    /// What was read of them beside their logits, in the same order.
    pub(crate) features: Features,
    /// Accepted nodes and the tokens that came of them.
    pub(crate) path: Path,
    /// Whether the answer goes on.
    pub(crate) more: bool,
}

impl Line {
    /// Runs the prompt and writes the first token, which no tree has a part in. Gives what was read of the prompt's rows
    /// but the last, and the round that the last one was.
    pub(crate) async fn open<L: Lm>(
        job: &mut Job<'_, L>,
        reads: Reads,
        accept: Lenient,
    ) -> Result<(Self, Features, Round), DecodeError> {
        let chain = job.chain(0)?;
        let greedy = chain.spec() == SamplerParams::greedy().to_chain()?.spec();
        let whole = !greedy && chain.needs(BEST as usize) == Needs::Row;
        let Some((_, before)) = job.prompt.split_last() else { return Err(EngineError::EmptyPrompt.into()) };
        let before = before.to_vec();
        let (seq, features) = match reads.prompt {
            true => reads.prefilled(job, &before).await?,
            false => (job.model.prefilled(&before).await?, Features::default()),
        };
        let dice = Dice { seed: job.sampler.seed, thrown: 0 };
        let by_ratio = chain.end() == Choose::Draw;
        let refused = std::mem::take(&mut job.resources.refused);
        let form = job.resources.constraint.take().map(|constraint| Form::new(constraint, refused));
        let (tokens, nexts) = (job.prompt.clone(), Vec::new());
        let by_device = !greedy && form.is_none() && !accept.reads() && job.model.lm().draws(&job.sampler);
        let draws = by_device.then(|| job.sampler.clone());
        let mut line =
            Self { seq, tokens, chain, greedy, by_ratio, whole, draws, dice, form, nexts, reads, accept };
        let limit = Limit { rows: 1, depth: job.out.room().saturating_sub(1) };
        let tree = line.fit(job, Tree::new(line.root()), limit).await?;
        let round = line.verify(job, &tree, Some(0)).await?;
        Ok((line, features, round))
    }

    /// The newest token.
    pub(crate) fn root(&self) -> u32 {
        self.tokens.last().copied().unwrap_or(0)
    }

    /// What the form leaves of a tree, with the tokens that have no alternative.
    pub(crate) async fn fit<L: Lm>(
        &mut self,
        job: &Job<'_, L>,
        tree: Tree,
        limit: Limit,
    ) -> Result<Tree, DecodeError> {
        let Some(form) = &self.form else { return Ok(tree) };
        let room = job.model.room(self.seq)?;
        let limit = Limit { depth: limit.depth.min(room.saturating_sub(1)), ..limit };
        let (tree, nexts) = form.fit(&tree, limit, job.model.shape().n_vocab).await?;
        self.nexts = nexts;
        Ok(tree)
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
            let p =
                row.top(BEST as usize).into_iter().map(|(token, logprob)| (token, f64::from(logprob).exp()));
            return Dist::of_weights(p).ok_or_else(|| SampleError::NoCandidate.into());
        }
        Dist::behind(chain, row, chain.history().len() as u32)
    }

    /// What rows have to say; with the best 256 where `top`.
    pub(crate) fn wants(&self, top: bool) -> Wants {
        // A form leaves a part of the best.
        let top = top || !(self.greedy || self.whole) || self.form.is_some() || self.accept.reads();
        let hidden = self.reads.hidden || self.accept.reads_hidden();
        let top = if top { BEST } else { 0 };
        Wants { stats: true, top, row: self.whole, hidden, ..Wants::default() }
    }

    /// What the rows of a tree have to say, so that it can be followed and `best` of each be read; `drawn` says whether its guesses are
    /// draws.
    pub(super) fn verifying(&self, drawn: bool, best: u32) -> Wants {
        // Guesses that were drawn by chance are judged by the whole distribution.
        match self.draws.is_some() && !drawn {
            true => Wants { top: best, drawn: Some(0), row: false, ..self.wants(false) },
            false => {
                let wants = self.wants(false);
                Wants { top: wants.top.max(best), ..wants }
            }
        }
    }

    /// Runs the tree, follows it, keeps the accepted cells, frees the others and writes what came. `reads` is what the drafter reads
    /// of the rows; see [`Drafter::reads_rows`](super::drafter::Drafter::reads_rows).
    pub(crate) async fn verify<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        tree: &Tree,
        reads: Option<u32>,
    ) -> Result<Round, DecodeError> {
        let layout = tree.layout();
        let before = job.model.len(self.seq)?;
        let found = match self.walks(tree, reads) {
            true => (Vec::new(), Features::new(), self.walk(job, tree, &layout).await?),
            false => self.judge(job, tree, &layout, reads.unwrap_or(0)).await?,
        };
        self.take(job, &layout, before, found).await
    }

    /// Keeps the accepted cells, frees the others and writes what came.
    pub(super) async fn take<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        layout: &Layout,
        before: usize,
        (rows, features, (path, logprobs)): Found,
    ) -> Result<Round, DecodeError> {
        self.settle(job, layout, &path, before)?;
        let mut more = true;
        let accepted = path.nodes.len() - 1;
        for (index, (token, logprob)) in path.tokens.iter().zip(&logprobs).enumerate() {
            if !more {
                break;
            }
            if let Some(form) = &mut self.form {
                form.take(*token)?;
            }
            more = job.out.push_as(*token, *logprob, index < accepted).await;
            self.tokens.push(*token);
        }
        // Without a token of its own, or with the last one that may come, the text is complete.
        let over = self.form.as_ref().is_some_and(Form::is_over) || path.tokens.len() == accepted;
        if more && over {
            job.out.end(Finish::GrammarEnd);
            more = false;
        }
        if job.out.finish().is_some_and(|finish| finish == Finish::Aborted) {
            more = false;
        }
        job.model.truncate(self.seq, self.tokens.len())?;
        Ok(Round { rows, features, path, more })
    }

    /// Runs the tree and follows it by what its rows say, of which `best` are read for the drafter.
    async fn judge<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        tree: &Tree,
        layout: &Layout,
        best: u32,
    ) -> Result<Found, DecodeError> {
        let before = job.model.len(self.seq)?;
        let wants = self.verifying(tree.is_drawn(), best);
        let said = self.run(job, tree, layout, &wants).await?;
        self.follow_by(job, tree, (layout, wants, before), said).await
    }

    /// Follows the tree by what the rows of its pass said; runs it again where that was too little.
    pub(super) async fn follow_by<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        tree: &Tree,
        (layout, mut wants, before): (&Layout, Wants, usize),
        (mut rows, mut features): (Vec<Row>, Features),
    ) -> Result<Found, DecodeError> {
        loop {
            let (dice, written, taken) = (self.dice, self.chain.history().len(), self.accept.taken);
            match self.follow(tree, &rows) {
                Err(DecodeError::Engine(EngineError::Sample(SampleError::NeedsFullRow { .. })))
                    if !wants.row =>
                {
                    (self.dice, self.accept.taken) = (dice, taken);
                    self.chain.rollback(self.chain.history().len() - written);
                    // Trees that are judged by their distribution will ask for it again.
                    self.whole |= tree.is_drawn();
                    wants.row = true;
                    job.model.truncate(self.seq, before)?;
                    (rows, features) = self.run(job, tree, layout, &wants).await?;
                }
                other => return Ok((rows, features, other?)),
            }
        }
    }

    /// Writes up to `n` tokens without guesses, as many at a time as the device makes by itself; gives how many came, none
    /// where it cannot or rows are read, and whether more may follow.
    pub(crate) async fn plainly<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        n: usize,
    ) -> Result<(usize, bool), DecodeError> {
        if !self.greedy || self.form.is_some() || self.reads.rows() || n == 0 {
            return Ok((0, true));
        }
        let made = job.model.decode_greedily(self.seq, self.root(), n).await?;
        let mut more = true;
        for (token, logprob) in &made {
            if !more {
                break;
            }
            more = job.out.push(*token, *logprob).await;
            self.tokens.push(*token);
        }
        job.model.truncate(self.seq, self.tokens.len())?;
        Ok((made.len(), more))
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
    ) -> Result<(Vec<Row>, Features), DecodeError> {
        let batch = self.batch(job, tree, layout, wants)?;
        let found = self.reads.run(job, batch, tree, layout).await?;
        Ok(self.read(layout, found))
    }

    /// What a pass said, by item of the tree.
    pub(super) fn read(&self, layout: &Layout, found: StepResult) -> (Vec<Row>, Features) {
        let features = self.reads.features(&found, &layout.order);
        let mut rows = vec![Row::default(); layout.order.len()];
        for (item, result) in layout.order.iter().zip(found.rows) {
            rows[*item] = Row::new(result).masked(self.mask(*item));
        }
        (rows, features)
    }

    /// The tree as a batch whose rows want `wants`.
    pub(super) fn batch<L: Lm>(
        &self,
        job: &Job<'_, L>,
        tree: &Tree,
        layout: &Layout,
        wants: &Wants,
    ) -> Result<Batch, DecodeError> {
        let first = job.model.next_pos(self.seq)?;
        let sampler = self.draws.clone().filter(|_| wants.drawn.is_some());
        let mut batch = Batch { taps: self.reads.taps(), sampler, ..Batch::default() };
        for (row, item) in layout.order.iter().enumerate() {
            // A causal batch may be cut into chunks of no fewer than eight rows.
            let visible = match layout.chain && layout.order.len() <= 8 {
                true => Visible::Causal,
                false => Visible::Tree { ancestors: layout.sees[row] },
            };
            let source = match tree.input(*item) {
                Input::Token(token) => Source::Token(token),
                Input::Row(values) => Source::Embedding(values.to_vec()),
                // Below the layer where it joins nobody sees it; any token stands there.
                Input::Transferred(_) => Source::Token(self.root()),
            };
            let pos = first + layout.depths[row] as u32;
            let wants = Wants { allowed: self.mask(*item), ..wants.clone() };
            batch.rows.push(BatchRow { source, pos, seq: self.seq, place: Place::Append, visible, wants });
        }
        Ok(batch)
    }

    /// The tokens that may follow a row.
    fn mask(&self, item: usize) -> Option<Rc<TokenMask>> {
        self.form.as_ref().and_then(|_| self.nexts.get(item)).and_then(Next::mask)
    }

    /// The path, with the log-probabilities of its tokens.
    fn follow(&mut self, tree: &Tree, rows: &[Row]) -> Result<(Path, Vec<f32>), DecodeError> {
        let mut logprobs = Vec::new();
        let path = matching(tree, |node| {
            let row = &rows[node];
            let token = match self.form.as_ref().and_then(|_| self.nexts.get(node)) {
                Some(Next::Over | Next::Refused) => return Ok(None),
                Some(Next::Only(token, _)) => {
                    let token = *token;
                    if !self.greedy {
                        self.chain.accept(token);
                    }
                    logprobs.push(0.0);
                    return Ok(Some(token));
                }
                Some(Next::Any(_)) | None => match self.leniently(tree, node, rows)? {
                    Some(token) => token,
                    None => self.behind(tree, node, row)?,
                },
            };
            logprobs.push(if self.greedy && row.argmax() == token {
                row.best_logprob()
            } else {
                row.logprob(token)
            });
            Ok::<_, DecodeError>(Some(token))
        })?;
        Ok((path, logprobs))
    }

    /// The guess that a lossy rule takes behind a node.
    fn leniently(&mut self, tree: &Tree, node: usize, rows: &[Row]) -> Result<Option<u32>, DecodeError> {
        // At temperature 0 a chain may have further stages, and its one choice says nothing of how likely a guess is.
        let by_argmax = self.chain.end() == Choose::Greedy;
        let child = self.accept.child((tree, node), rows, &self.chain, by_argmax)?;
        let Some(token) = child.map(|child| tree.nodes()[child].token) else { return Ok(None) };
        if !self.greedy {
            self.chain.accept(token);
        }
        self.accept.taken += usize::from(!by_argmax || rows[node].argmax() != token);
        Ok(Some(token))
    }

    /// What comes behind a node.
    fn behind(&mut self, tree: &Tree, node: usize, row: &Row) -> Result<u32, DecodeError> {
        if self.greedy {
            return Ok(row.argmax());
        }
        let position = self.chain.history().len() as u32;
        if let Some(token) = row.drawn() {
            self.chain.accept(token);
            return Ok(token);
        }
        let Some(q) = tree.drawn(node) else {
            let choice = self.chain.choose(&mut row.candidates()?, position)?;
            self.chain.commit(&choice);
            return Ok(choice.id);
        };
        let p = Dist::behind(&self.chain, row, position)?;
        let tokens = tree.judged(node);
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
