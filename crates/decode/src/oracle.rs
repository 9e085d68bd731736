//! Rows and greedy completions of any prefix, none of them run twice: the two caches of a tree search.

use std::collections::HashMap;

use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;

use crate::{DecodeError, Job, Lm};

/// Tokens behind the prompt with their log-probabilities.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) tokens: Vec<u32>,
    pub(crate) logprobs: Vec<f32>,
}

/// What the model says behind prefixes, from one sequence that is cut and extended to where it is asked.
pub(crate) struct Oracle {
    seq: SeqId,
    /// Tokens behind the prompt that the sequence holds.
    held: Vec<u32>,
    width: usize,
    tops: HashMap<Vec<u32>, Vec<(u32, f32)>>,
    completed: Vec<Answer>,
    reused_rows: u64,
    reused_answers: u64,
}

impl Oracle {
    /// An oracle of the best `width` tokens behind the prompt and whatever follows it.
    pub(crate) async fn new<L: Lm>(job: &mut Job<'_, L>, width: usize) -> Result<Self, DecodeError> {
        let (seq, row) = job.open(&wants()).await?;
        let tops = HashMap::from([(Vec::new(), row.top(width))]);
        let (held, completed) = (Vec::new(), Vec::new());
        Ok(Self { seq, held, width, tops, completed, reused_rows: 0, reused_answers: 0 })
    }

    /// The best tokens behind a prefix, with their log-probabilities.
    pub(crate) async fn top<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        prefix: &[u32],
    ) -> Result<Vec<(u32, f32)>, DecodeError> {
        if let Some(top) = self.tops.get(prefix) {
            self.reused_rows += 1;
            return Ok(top.clone());
        }
        let Some((last, before)) = prefix.split_last() else { return Ok(Vec::new()) };
        let common = self.held.iter().zip(before).take_while(|(a, b)| a == b).count();
        job.model.truncate(self.seq, job.prompt.len() + common)?;
        if common < before.len() {
            job.model.extend(self.seq, &before[common..], &Wants::default()).await?;
        }
        let row = job.model.step(&[(self.seq, *last)], &wants()).await?.pop().unwrap_or_default();
        self.held = prefix.to_vec();
        let top = row.top(self.width);
        self.tops.insert(prefix.to_vec(), top.clone());
        Ok(top)
    }

    /// The prefix with what greedy decoding makes of it.
    pub(crate) async fn complete<L: Lm>(
        &mut self,
        job: &mut Job<'_, L>,
        mut answer: Answer,
    ) -> Result<Answer, DecodeError> {
        // An answer was completed from a shorter prefix, greedily: if it goes through this one, so does its rest.
        if let Some(whole) = self.completed.iter().find(|whole| whole.tokens.starts_with(&answer.tokens)) {
            self.reused_answers += 1;
            return Ok(whole.clone());
        }
        while job.text(&answer.tokens).1.is_none() {
            let Some((token, logprob)) = self.top(job, &answer.tokens).await?.first().copied() else { break };
            answer.tokens.push(token);
            answer.logprobs.push(logprob);
        }
        self.completed.push(answer.clone());
        Ok(answer)
    }

    /// How often a row was known already.
    pub(crate) const fn reused_rows(&self) -> u64 {
        self.reused_rows
    }

    /// How often a completion was known already.
    pub(crate) const fn reused_answers(&self) -> u64 {
        self.reused_answers
    }
}

fn wants() -> Wants {
    Wants { stats: true, top: BEST, ..Wants::default() }
}
