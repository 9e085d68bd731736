//! Beam search in groups: what plain, diverse and conditional beam search share.
//!
//! Selection, scoring of ended beams and the three ways to stop are those of the transformers library.

use goldcrest_engine::Finish;
use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;
use serde_json::{Value, json};

use crate::attribute::Attribute;
use crate::{Args, Candidate, DecodeError, Job, Lm, Row};

/// Least share that a broken rule or a scorer leaves to a beam.
const EPSILON: f32 = 1e-4;

/// How a search goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Beams, a multiple of `groups`.
    pub(crate) beams: usize,
    /// Groups that are chosen in order.
    pub(crate) groups: usize,
    /// What a token costs for every beam of an earlier group that took it at the same step.
    pub(crate) diversity: f32,
    /// Exponent of the length that divides the score of an ended beam.
    pub(crate) length_penalty: f32,
    /// When a group stops.
    pub(crate) stopping: Stopping,
    /// What an answer must be.
    pub(crate) attribute: Option<Attribute>,
}

/// When a group that has as many ended beams as it has beams stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopping {
    /// At once.
    First,
    /// When the best live beam, ended here, would not replace the worst ended one.
    Likely,
    /// When it could not even at its full length.
    Never,
}

impl Stopping {
    /// The parameter `early_stopping`.
    pub(crate) fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(match args.one_of("early_stopping", "false", &["true", "false", "never"])? {
            "true" => Self::First,
            "never" => Self::Never,
            _ => Self::Likely,
        })
    }
}

/// A beam that ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) tokens: Vec<u32>,
    pub(crate) logprobs: Vec<f32>,
    /// Sum of log-probabilities, with the penalty of diversity, over the length: what the search ranked by.
    pub(crate) score: f32,
    /// The same without that penalty: what the answer is chosen by.
    pub(crate) own_score: f32,
    /// Whether it keeps the rules.
    pub(crate) holds: bool,
}

struct Beam {
    seq: SeqId,
    row: Row,
    tokens: Vec<u32>,
    logprobs: Vec<f32>,
    penalty: f32,
    /// Logarithm of what the scorer and the rules leave to the beam as it stands.
    weight: f32,
}

impl Beam {
    fn sum(&self) -> f32 {
        self.logprobs.iter().sum()
    }

    fn ended(&self, plan: &Plan, holds: bool) -> Ended {
        let (length, sum) = (self.tokens.len().max(1) as f32, self.sum() + self.weight);
        let by_length = length.powf(plan.length_penalty);
        let (tokens, logprobs) = (self.tokens.clone(), self.logprobs.clone());
        let (score, own_score) = ((sum - self.penalty) / by_length, sum / by_length);
        Ended { tokens, logprobs, score, own_score, holds }
    }
}

/// A continuation of a beam by one token.
struct Step {
    parent: usize,
    grown: Beam,
    finish: Option<Finish>,
    holds: bool,
}

impl Step {
    fn score(&self) -> f32 {
        self.grown.sum() - self.grown.penalty + self.grown.weight
    }
}

#[derive(Default)]
struct Group {
    alive: Vec<Beam>,
    ended: Vec<Ended>,
}

/// Searches, and gives the ended beams of all groups: those that keep the rules first, the best of them first.
pub(crate) async fn search<L: Lm>(job: &mut Job<'_, L>, plan: &Plan) -> Result<Vec<Ended>, DecodeError> {
    let wants = Wants { stats: true, top: BEST, ..Wants::default() };
    let (width, limit) = (plan.beams / plan.groups, job.out.room());
    let (first, row) = job.open(&wants).await?;
    let mut groups = Vec::with_capacity(plan.groups);
    for g in 0..plan.groups {
        let seq = if g == 0 { first } else { job.model.fork(first)? };
        let (tokens, logprobs, row) = (Vec::new(), Vec::new(), row.clone());
        let alive = vec![Beam { seq, row, tokens, logprobs, penalty: 0.0, weight: 0.0 }];
        groups.push(Group { alive, ended: Vec::new() });
    }
    for length in 1..=limit {
        let mut taken = Vec::new();
        for group in &mut groups {
            let steps = group.steps(job, plan, &taken).await?;
            group.advance(job, plan, steps)?;
            taken.extend(group.alive.iter().filter_map(|beam| beam.tokens.last().copied()));
            if group.is_done(plan, width, length, limit) {
                group.alive.drain(..).try_for_each(|beam| job.model.free(beam.seq))?;
            }
        }
        let inputs: Vec<(SeqId, u32)> = groups
            .iter()
            .flat_map(|group| &group.alive)
            .map(|beam| (beam.seq, beam.tokens.last().copied().unwrap_or(0)))
            .collect();
        if length == limit || inputs.is_empty() {
            break;
        }
        let rows = job.model.step(&inputs, &wants).await?;
        let beams = groups.iter_mut().flat_map(|group| &mut group.alive);
        beams.zip(rows).for_each(|(beam, row)| beam.row = row);
    }
    let mut ended = Vec::new();
    for mut group in groups {
        for beam in std::mem::take(&mut group.alive) {
            job.model.free(beam.seq)?;
            let (text, _) = job.text(&beam.tokens);
            let holds = plan.attribute.as_ref().is_none_or(|rules| rules.holds(&beam.tokens, &text));
            group.end(beam.ended(plan, holds), width);
        }
        ended.append(&mut group.ended);
    }
    ended.sort_by(|a, b| b.holds.cmp(&a.holds).then(b.own_score.total_cmp(&a.own_score)));
    Ok(ended)
}

/// Writes the best of the ended beams and reports all of them.
pub(crate) async fn answer<L: Lm>(job: &mut Job<'_, L>, ended: &[Ended]) {
    let told = |beam: &Ended| {
        let text = job.text(&beam.tokens).0;
        json!({ "tokens": beam.tokens, "text": text, "score": beam.own_score, "search_score": beam.score,
                "holds": beam.holds })
    };
    let beams: Vec<Value> = ended.iter().map(told).collect();
    job.report.insert("beams".into(), beams.into());
    if let Some(best) = ended.first() {
        job.write(&best.tokens, &best.logprobs).await;
    }
}

impl Group {
    /// The best continuations of all beams, best first: twice as many as beams, as long as that many end nothing.
    async fn steps<L: Lm>(
        &self,
        job: &mut Job<'_, L>,
        plan: &Plan,
        taken: &[u32],
    ) -> Result<Vec<Step>, DecodeError> {
        let width = plan.beams / plan.groups;
        // A judged search looks at twice as many, since judgement may turn their order round.
        let wide = if plan.attribute.is_some() { 4 * width } else { 2 * width };
        let mut listed: Vec<(f32, usize, u32, f32, f32)> = Vec::new();
        for (parent, beam) in self.alive.iter().enumerate() {
            // Only taken tokens can fall behind others, so this many more are enough.
            for (token, logprob) in beam.row.top(wide + taken.len()) {
                let penalty = beam.penalty
                    + plan.diversity * taken.iter().filter(|other| **other == token).count() as f32;
                listed.push((beam.sum() + logprob - penalty, parent, token, logprob, penalty));
            }
        }
        listed.sort_by(|a, b| b.0.total_cmp(&a.0));
        listed.truncate(wide);
        let mut steps = Vec::with_capacity(listed.len());
        for (_, parent, token, logprob, penalty) in listed {
            let beam = &self.alive[parent];
            let tokens: Vec<u32> = beam.tokens.iter().copied().chain([token]).collect();
            let logprobs = beam.logprobs.iter().copied().chain([logprob]).collect();
            let (text, finish) = job.text(&tokens);
            let finish = finish.filter(|finish| *finish != Finish::Length);
            let (weight, holds) = match &plan.attribute {
                None => (0.0, true),
                Some(rules) => judged(job, rules, &tokens, &text, finish.is_some()).await?,
            };
            if finish.is_none() || holds {
                let grown = Beam { seq: beam.seq, row: Row::default(), tokens, logprobs, penalty, weight };
                steps.push(Step { parent, grown, finish, holds });
            }
        }
        steps.sort_by(|a, b| b.score().total_cmp(&a.score()));
        steps.truncate(2 * width);
        Ok(steps)
    }

    /// Ends beams and chooses the next live ones.
    fn advance<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        plan: &Plan,
        steps: Vec<Step>,
    ) -> Result<(), DecodeError> {
        let width = plan.beams / plan.groups;
        let (mut next, mut used) = (Vec::with_capacity(width), vec![false; self.alive.len()]);
        for (rank, step) in steps.into_iter().enumerate() {
            if next.len() == width {
                break;
            }
            match step.finish {
                Some(_) if rank < width => self.end(step.grown.ended(plan, step.holds), width),
                Some(_) => {}
                None => {
                    let first_child = !std::mem::replace(&mut used[step.parent], true);
                    let seq = match first_child {
                        true => step.grown.seq,
                        false => job.model.fork(step.grown.seq)?,
                    };
                    next.push(Beam { seq, ..step.grown });
                }
            }
        }
        let childless = self.alive.iter().zip(used).filter(|(_, used)| !used);
        childless.into_iter().try_for_each(|(beam, _)| job.model.free(beam.seq))?;
        self.alive = next;
        Ok(())
    }

    /// Takes an ended beam in; no more are kept than there are beams.
    fn end(&mut self, ended: Ended, width: usize) {
        self.ended.push(ended);
        self.ended.sort_by(|a, b| b.holds.cmp(&a.holds).then(b.score.total_cmp(&a.score)));
        self.ended.truncate(width);
    }

    fn is_done(&self, plan: &Plan, width: usize, length: usize, limit: usize) -> bool {
        let Some(worst) = self.ended.get(width - 1) else { return false };
        let counted = match plan.stopping {
            Stopping::First => return true,
            Stopping::Never if plan.length_penalty > 0.0 => limit,
            Stopping::Likely | Stopping::Never => length,
        };
        let sums = self.alive.iter().map(|beam| beam.sum() - beam.penalty + beam.weight);
        let best = sums.fold(f32::NEG_INFINITY, f32::max);
        worst.score >= best / (counted as f32).powf(plan.length_penalty)
    }
}

/// The logarithm of what rules and scorer leave to a beam, and whether it keeps the rules so far, or wholly at its end.
async fn judged<L: Lm>(
    job: &mut Job<'_, L>,
    rules: &Attribute,
    tokens: &[u32],
    text: &str,
    finished: bool,
) -> Result<(f32, bool), DecodeError> {
    let without_end = match tokens.split_last() {
        Some((last, before)) if job.ends(*last) => before,
        _ => tokens,
    };
    let holds = if finished { rules.holds(without_end, text) } else { !rules.broken_by_last(without_end) };
    let mut share = if holds { 1.0 } else { EPSILON };
    if let Some(scorer) = &mut job.resources.scorer {
        share *= scorer.score(Candidate { tokens, text, finished }).await?.clamp(EPSILON, 1.0);
    }
    Ok((share.ln(), holds))
}
