//! A*-decoding: a search over steps of an answer, led by what a scorer expects of each partial one.
//!
//! Chatziveroglou, "A*-Decoding: Token-Efficient Inference Scaling", 2025. The paper's cost of a path is not public; here it is
//! a constant per step, 0 by default, which makes the search best-first. A step ends at a blank line.

use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_sample::Chain;

use super::Strategy;
use crate::frontier::{Frontier, State};
use crate::job::choose;
use crate::{Args, DecodeError, Job, Lm, Row};

/// Sequences that open states may hold: a device has tables for 64, of which a step takes at most 16.
const HELD: usize = 40;

/// Best-first search over steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AStar {
    /// Continuations of a state that is expanded.
    pub width: usize,
    /// Most tokens of a step.
    pub step_tokens: usize,
    /// What a step costs.
    pub step_cost: f32,
    /// Most states that the scorer judges.
    pub budget: usize,
}

impl Strategy for AStar {
    const NAME: &'static str = "a_star";
    const SUMMARY: &'static str = "a search over steps of the answer that a scorer leads";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            width: args.count("width", 3, 1..=16)?,
            step_tokens: args.count("step_tokens", 48, 1..=4096)?,
            step_cost: args.number("step_cost", 0.0, 0.0..=1.0)?,
            budget: args.count("budget", 48, 1..=65536)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, row: true, ..Wants::default() };
        let (mut judged, mut expanded, mut lineages) = (0, 0, 1);
        let mut frontier = Frontier::new(HELD);
        let before_last = job.prompt[..job.prompt.len().saturating_sub(1)].to_vec();
        let root = State { seq: Some(job.model.prefilled(&before_last).await?), ..State::default() };
        frontier.push(&mut job.model, root)?;
        let mut closed = Vec::new();
        let found = loop {
            let Some(state) = frontier.pop() else { break None };
            if state.finished {
                break Some(state);
            }
            if judged >= self.budget {
                closed.push(state);
                break None;
            }
            expanded += 1;
            for mut child in self.expand(job, &state, &mut lineages, &wants).await? {
                child.reward = job.score(Self::NAME, &child.tokens).await?.clamp(0.0, 1.0);
                child.cost = self.step_cost * child.depth as f32 + 1.0 - child.reward;
                judged += 1;
                frontier.push(&mut job.model, child)?;
            }
        };
        // Out of budget: the most promising of what is there, a whole answer before a partial one.
        let rank = |state: &State| (state.finished, state.reward);
        let left = closed.into_iter().chain(frontier.into_open());
        let best = found
            .or_else(|| left.reduce(|best, state| if rank(&state) > rank(&best) { state } else { best }));
        job.report.insert("expanded".into(), expanded.into());
        job.report.insert("judged".into(), judged.into());
        if let Some(best) = best {
            job.report.insert("reward".into(), best.reward.into());
            job.write(&best.tokens, &best.logprobs).await;
        }
        Ok(())
    }
}

impl AStar {
    /// Draws steps behind a state, all in one batch; equal ones once.
    async fn expand<L: Lm>(
        &self,
        job: &mut Job<'_, L>,
        state: &State,
        lineages: &mut u32,
        wants: &Wants,
    ) -> Result<Vec<State>, DecodeError> {
        let held: Vec<u32> = job.prompt.iter().chain(&state.tokens).copied().collect();
        let Some((last, before)) = held.split_last() else { return Ok(Vec::new()) };
        let seq = match state.seq {
            Some(seq) => seq,
            None => job.model.prefilled(before).await?,
        };
        let row = job.model.step(&[(seq, *last)], wants).await?.pop().unwrap_or_default();
        let mut walkers = Vec::with_capacity(self.width);
        for i in 0..self.width {
            let fork = if i == 0 { seq } else { job.model.fork(seq)? };
            // The first child goes on drawing from its parent's stream, so that a search of width 1 is plain sampling.
            let lineage = if i == 0 { state.lineage } else { *lineages };
            *lineages += u32::from(i > 0);
            let mut chain = job.chain(lineage)?;
            state.tokens.iter().for_each(|token| chain.accept(*token));
            let child = State {
                tokens: state.tokens.clone(),
                logprobs: state.logprobs.clone(),
                seq: Some(fork),
                depth: state.depth + 1,
                lineage,
                ..*state
            };
            walkers.push(Walker { child, chain, row: row.clone(), done: false });
        }
        let from = state.tokens.len();
        loop {
            for walker in walkers.iter_mut().filter(|walker| !walker.done) {
                let position = (job.prompt.len() + walker.child.tokens.len()) as u32;
                let (choice, logprob) = choose(&walker.chain, &walker.row, position)?;
                walker.chain.commit(&choice);
                walker.child.tokens.push(choice.id);
                walker.child.logprobs.push(logprob);
                walker.child.finished = job.text(&walker.child.tokens).1.is_some();
                let step = &walker.child.tokens[from..];
                walker.done =
                    walker.child.finished || step.len() >= self.step_tokens || ends_step(&job.text(step).0);
            }
            let going: Vec<&mut Walker> = walkers.iter_mut().filter(|walker| !walker.done).collect();
            let input = |walker: &&mut Walker| {
                walker.child.seq.map(|seq| (seq, walker.child.tokens.last().copied().unwrap_or(0)))
            };
            let inputs: Vec<(SeqId, u32)> = going.iter().filter_map(input).collect();
            if inputs.is_empty() {
                break;
            }
            let rows = job.model.step(&inputs, wants).await?;
            going.into_iter().zip(rows).for_each(|(walker, row)| walker.row = row);
        }
        let mut children: Vec<State> = Vec::with_capacity(self.width);
        for mut walker in walkers {
            let known = children.iter().any(|child| child.tokens == walker.child.tokens);
            if known || walker.child.finished {
                walker.child.seq.take().map_or(Ok(()), |seq| job.model.free(seq))?;
            }
            if !known {
                children.push(walker.child);
            }
        }
        Ok(children)
    }
}

/// A continuation under way.
struct Walker {
    child: State,
    chain: Chain,
    row: Row,
    done: bool,
}

/// Whether a step is over: something was said, and a blank line behind it.
fn ends_step(text: &str) -> bool {
    text.trim_start().contains("\n\n")
}
