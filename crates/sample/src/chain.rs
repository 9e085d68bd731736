//! An explicit list of stages with an end that chooses.

use crate::candidates::{Candidate, Candidates};
use crate::draw::{draw, greedy};
use crate::error::SampleError;
use crate::rng::Purpose;
use crate::spec;
use crate::stage::{Ctx, LogitStage};

/// How the chain's end picks a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choose {
    /// The largest logit, lowest id among equals.
    Greedy,
    /// One categorical draw, see [`crate::draw`].
    Draw,
}

/// The chosen token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Token id.
    pub id: u32,
    /// Its logit behind the last stage.
    pub logit: f32,
    /// Number of candidates that were left to choose from (of those known).
    pub n_candidates: usize,
}

/// What one stage left over.
#[derive(Debug, Clone, PartialEq)]
pub struct StageTrace {
    /// The stage as written in a chain description; `input` for the row before the first stage.
    pub stage: String,
    /// Number of candidates behind the stage.
    pub n_candidates: usize,
    /// The first candidates in the crate's order, with their probabilities; as many as were asked for.
    pub top: Vec<(Candidate, f32)>,
}

/// Stages, an end, and the tokens accepted so far.
#[derive(Debug)]
pub struct Chain {
    stages: Vec<Box<dyn LogitStage>>,
    choose: Choose,
    seed: u64,
    sequence: u32,
    history: Vec<u32>,
}

impl Chain {
    /// A chain of `stages`, applied in order, with sequence number 0 and an empty history.
    #[must_use]
    pub fn new(stages: Vec<Box<dyn LogitStage>>, choose: Choose, seed: u64) -> Self {
        Self { stages, choose, seed, sequence: 0, history: Vec::new() }
    }

    /// Reads a chain description such as `penalties(repeat=1.1) | top_k(40) | top_p(0.95) | temp(0.8) | draw`.
    ///
    /// Stages are parted by `|`; their settings are given by name, or by place for stages with one setting. The last
    /// word is `draw` (also when left out) or `greedy`.
    ///
    /// | stage | settings and their defaults |
    /// |---|---|
    /// | `bias` | `ID=ADDEND` pairs, `-inf` bans |
    /// | `penalties` | `last_n=64, repeat=1, freq=0, present=0` |
    /// | `dry` | `mult=0.8, base=1.75, allowed=2, last_n=64`, any number of `breaker=ID` or `breaker=ID-ID-…` |
    /// | `no_repeat_ngram`, `top_k`, `top_p`, `min_p`, `typical`, `top_n_sigma`, `temp` | the number |
    /// | `xtc` | `p, thr=0.1` |
    /// | `dynatemp` | `t, range, exp=1` |
    ///
    /// # Errors
    /// [`SampleError::BadSpec`] for text that is no description, [`SampleError::InvalidParameter`] for a value outside
    /// its range.
    pub fn parse(description: &str, seed: u64) -> Result<Self, SampleError> {
        let (stages, choose) = spec::parse(description)?;
        Ok(Self::new(stages, choose, seed))
    }

    /// The description that [`Chain::parse`] reads back to an equal chain.
    #[must_use]
    pub fn spec(&self) -> String {
        let mut parts: Vec<String> = self.stages.iter().map(|stage| stage.spec()).collect();
        parts.push(self.choose_name().to_owned());
        parts.join(" | ")
    }

    /// Applies all stages and picks a token for `position`, the absolute position the token will have.
    /// The history is not changed: see [`Chain::accept`].
    ///
    /// # Errors
    /// [`SampleError::NoCandidate`], [`SampleError::NeedsFullRow`].
    pub fn choose(&self, candidates: &mut Candidates, position: u32) -> Result<Choice, SampleError> {
        for stage in &self.stages {
            stage.apply(candidates, &self.ctx(position))?;
        }
        self.pick(candidates, position)
    }

    /// As [`Chain::choose`], with what each stage left over: first the input, then one entry per stage.
    ///
    /// `limit` bounds the candidates listed per entry.
    ///
    /// # Errors
    /// As [`Chain::choose`].
    pub fn choose_traced(
        &self,
        candidates: &mut Candidates,
        position: u32,
        limit: usize,
    ) -> Result<(Choice, Vec<StageTrace>), SampleError> {
        let mut traces = vec![trace("input".to_owned(), candidates, limit)];
        for stage in &self.stages {
            stage.apply(candidates, &self.ctx(position))?;
            traces.push(trace(stage.spec(), candidates, limit));
        }
        Ok((self.pick(candidates, position)?, traces))
    }

    /// Applies the stages without choosing, for callers that need the final distribution.
    ///
    /// # Errors
    /// As [`Chain::choose`].
    pub fn apply(&self, candidates: &mut Candidates, position: u32) -> Result<(), SampleError> {
        self.stages.iter().try_for_each(|stage| stage.apply(candidates, &self.ctx(position)))
    }

    /// Adds a token to the history that penalties look at. Prompt tokens may be added too.
    pub fn accept(&mut self, token: u32) {
        self.history.push(token);
        for stage in &mut self.stages {
            stage.accept(token);
        }
    }

    /// Forgets the last `n` accepted tokens. Exact for all stages of this crate, which keep no state of their own.
    pub fn rollback(&mut self, n: usize) {
        self.history.truncate(self.history.len().saturating_sub(n));
    }

    /// Forgets all accepted tokens.
    pub fn reset(&mut self) {
        self.history.clear();
        for stage in &mut self.stages {
            stage.reset();
        }
    }

    /// A copy that draws from the stream of `sequence`, a number that no other live copy of this request has.
    #[must_use]
    pub fn fork(&self, sequence: u32) -> Self {
        Self {
            stages: self.stages.iter().map(|stage| stage.fork()).collect(),
            choose: self.choose,
            seed: self.seed,
            sequence,
            history: self.history.clone(),
        }
    }

    /// Tokens accepted so far.
    #[must_use]
    pub fn history(&self) -> &[u32] {
        &self.history
    }

    /// How the chain ends.
    #[must_use]
    pub fn end(&self) -> Choose {
        self.choose
    }

    fn ctx(&self, position: u32) -> Ctx<'_> {
        Ctx { history: &self.history, seed: self.seed, sequence: self.sequence, position }
    }

    fn pick(&self, candidates: &mut Candidates, position: u32) -> Result<Choice, SampleError> {
        let picked = match self.choose {
            Choose::Greedy => greedy(candidates)?,
            Choose::Draw => draw(candidates, self.ctx(position).uniform(Purpose::Draw))?,
        };
        Ok(Choice { id: picked.id, logit: picked.logit, n_candidates: candidates.len() })
    }

    fn choose_name(&self) -> &'static str {
        match self.choose {
            Choose::Greedy => "greedy",
            Choose::Draw => "draw",
        }
    }
}

fn trace(stage: String, candidates: &mut Candidates, limit: usize) -> StageTrace {
    candidates.sort();
    let probabilities = candidates.probabilities();
    let top = candidates.as_slice().iter().copied().zip(probabilities).take(limit).collect();
    StageTrace { stage, n_candidates: candidates.len(), top }
}
