//! Several drafts that go on greedily as one batch, each behind its own prompt.

use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;

use crate::suffix::ends_in_repeat;
use crate::{DecodeError, Job, Lm, Row};

/// A draft on its way: its sequence holds everything but its last token, or everything where it has none yet.
pub(crate) struct Draft {
    pub(crate) seq: SeqId,
    /// The row behind it.
    pub(crate) row: Row,
    pub(crate) tokens: Vec<u32>,
    pub(crate) logprobs: Vec<f32>,
}

impl Draft {
    /// A draft of nothing yet.
    pub(crate) const fn new(seq: SeqId, row: Row) -> Self {
        Self { seq, row, tokens: Vec::new(), logprobs: Vec::new() }
    }

    /// The likeliest token whose n-gram of length `no_repeat` is new; the likeliest of all where none is.
    fn next(&self, no_repeat: usize) -> (u32, f32) {
        let top = self.row.top(256);
        let is_new = |(token, _): &&(u32, f32)| {
            let tokens: Vec<u32> = self.tokens.iter().copied().chain([*token]).collect();
            !ends_in_repeat(&tokens, no_repeat)
        };
        top.iter().find(is_new).or(top.first()).copied().unwrap_or_default()
    }
}

/// Finishes all drafts and frees their sequences. `no_repeat` is the length of n-grams that may not come twice; 0 allows all.
pub(crate) async fn finish<L: Lm>(
    job: &mut Job<'_, L>,
    drafts: &mut [Draft],
    no_repeat: usize,
) -> Result<(), DecodeError> {
    let wants = Wants { stats: true, top: BEST, ..Wants::default() };
    let mut alive: Vec<usize> =
        (0..drafts.len()).filter(|i| job.text(&drafts[*i].tokens).1.is_none()).collect();
    while !alive.is_empty() {
        for i in &alive {
            let (token, logprob) = drafts[*i].next(no_repeat);
            drafts[*i].tokens.push(token);
            drafts[*i].logprobs.push(logprob);
        }
        alive.retain(|i| job.text(&drafts[*i].tokens).1.is_none());
        let input = |i: &usize| (drafts[*i].seq, drafts[*i].tokens.last().copied().unwrap_or(0));
        let inputs: Vec<(SeqId, u32)> = alive.iter().map(input).collect();
        if !inputs.is_empty() {
            let rows = job.model.step(&inputs, &wants).await?;
            alive.iter().zip(rows).for_each(|(i, row)| drafts[*i].row = row);
        }
    }
    drafts.iter().try_for_each(|draft| job.model.free(draft.seq))
}
