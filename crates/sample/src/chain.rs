//! An explicit list of stages with an end that chooses.

use crate::candidates::{Candidate, Candidates};
use crate::end::{Choose, Memory};
use crate::error::SampleError;
use crate::known::{Known, Needs};
use crate::rng::Purpose;
use crate::spec;
use crate::stage::{Ctx, LogitStage};

/// The chosen token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Token id.
    pub id: u32,
    /// Its logit behind the last stage.
    pub logit: f32,
    /// Number of candidates that were left to choose from (of those known).
    pub n_candidates: usize,
    /// What the chain's end learns if the token is taken: see [`Chain::commit`].
    told: f64,
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
    memory: Memory,
    /// The memory before each token of the history, so that a rollback is exact.
    before: Vec<Memory>,
}

impl Chain {
    /// Names of the stages in descriptions.
    pub const STAGES: &[&str] = spec::STAGES;
    /// Names of the ends in descriptions.
    pub const ENDS: &[&str] = spec::ENDS;

    /// A chain of `stages`, applied in order, with sequence number 0 and an empty history.
    #[must_use]
    pub fn new(stages: Vec<Box<dyn LogitStage>>, choose: Choose, seed: u64) -> Self {
        let (history, before) = (Vec::new(), Vec::new());
        Self { stages, choose, seed, sequence: 0, history, memory: choose.memory(), before }
    }

    /// Reads a chain description such as `penalties(repeat=1.1) | top_k(40) | top_p(0.95) | temp(0.8) | draw`.
    ///
    /// Stages are parted by `|`; their settings are given by name, or by place for stages with one setting, and for
    /// the first setting of `top_h`. The last word is the end, `draw` when left out.
    ///
    /// | stage | settings and their defaults |
    /// |---|---|
    /// | `bias` | `ID=ADDEND` pairs, `-inf` bans |
    /// | `penalties` | `last_n=64, repeat=1, freq=0, present=0` |
    /// | `dry` | `mult=0.8, base=1.75, allowed=2, last_n=64`, any number of `breaker=ID` or `breaker=ID-ID-…` |
    /// | `no_cite` | `n=8`, any number of `text=ID-ID-…` |
    /// | `no_repeat_ngram`, `top_k`, `top_p`, `min_p`, `typical`, `top_n_sigma`, `epsilon`, `eta`, `temp` | the number |
    /// | `top_h` | `h=0.4, variant=hf`, or `authors` or `paper` |
    /// | `xtc` | `p, thr=0.1` |
    /// | `dynatemp` | `t, range, exp=1` |
    ///
    /// | end | settings and their defaults |
    /// |---|---|
    /// | `draw`, `greedy` | |
    /// | `mirostat`, `mirostat_v2` | `tau=5, eta=0.1, surprise=original`, or `truncated` |
    /// | `adaptive_p` | `target, decay=0.9` |
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
        parts.push(self.choose.spec());
        parts.join(" | ")
    }

    /// Whether the `best` largest logits of a row with its figures may settle a step, or none ever do.
    #[must_use]
    pub fn needs(&self, best: usize) -> Needs {
        let given = Known::Best { n: best, figures: true };
        let known = self.stages.iter().try_fold(given, |known, stage| stage.after(known));
        if known.is_some_and(|known| self.choose.can_do_with(known)) { Needs::Best } else { Needs::Row }
    }

    /// Applies all stages and picks a token for `position`, the absolute position the token will have.
    /// Nothing is remembered: see [`Chain::commit`].
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

    /// Takes a token that the chain chose: it joins the history, and an end that steers by what it chose (Mirostat,
    /// adaptive-p) learns from it.
    pub fn commit(&mut self, choice: &Choice) {
        self.push(choice.id, self.choose.learn(self.memory, choice.told));
    }

    /// Adds a token that the chain did not choose to the history that penalties look at: a token of the prompt, say.
    pub fn accept(&mut self, token: u32) {
        self.push(token, self.memory);
    }

    /// Forgets the last `n` tokens of the history, and what was learnt from them.
    pub fn rollback(&mut self, n: usize) {
        let left = self.history.len().saturating_sub(n);
        self.memory = self.before.get(left).copied().unwrap_or(self.memory);
        self.history.truncate(left);
        self.before.truncate(left);
    }

    /// Forgets all tokens.
    pub fn reset(&mut self) {
        self.history.clear();
        self.before.clear();
        self.memory = self.choose.memory();
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
            memory: self.memory,
            before: self.before.clone(),
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

    fn push(&mut self, token: u32, memory: Memory) {
        self.before.push(self.memory);
        self.memory = memory;
        self.history.push(token);
        for stage in &mut self.stages {
            stage.accept(token);
        }
    }

    fn pick(&self, candidates: &mut Candidates, position: u32) -> Result<Choice, SampleError> {
        let u = self.ctx(position).uniform(Purpose::Draw);
        let (picked, told) = self.choose.pick(candidates, self.memory, u)?;
        Ok(Choice { id: picked.id, logit: picked.logit, n_candidates: candidates.len(), told })
    }
}

fn trace(stage: String, candidates: &mut Candidates, limit: usize) -> StageTrace {
    candidates.sort();
    let probabilities = candidates.probabilities();
    let top = candidates.as_slice().iter().copied().zip(probabilities).take(limit).collect();
    StageTrace { stage, n_candidates: candidates.len(), top }
}
