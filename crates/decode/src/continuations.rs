//! Log-probabilities of given continuations of one prefix, in one pass.

use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::kv::SeqId;

use crate::{DecodeError, Lm, Row, Sequences};

/// For each continuation of what `seq` holds, the log-probability of each of its tokens; `row` is the row behind `seq`.
pub(crate) async fn logprobs<L: Lm>(
    model: &mut Sequences<'_, L>,
    seq: SeqId,
    row: &Row,
    continuations: &[&[u32]],
) -> Result<Vec<Vec<f32>>, DecodeError> {
    let (mut forks, mut rows) = (Vec::with_capacity(continuations.len()), Vec::new());
    for tokens in continuations {
        let fork = model.fork(seq)?;
        let pos = model.lm().pool().sequence(fork)?.next_pos();
        for (pair, pos) in tokens.windows(2).zip(pos..) {
            let wants = Wants { stats: true, logits_at: vec![pair[1]], ..Wants::default() };
            rows.push(BatchRow::token(pair[0], pos, fork).wanting(wants));
        }
        forks.push(fork);
    }
    let mut behind = match rows.is_empty() {
        true => Vec::new(),
        false => model.forward(&Batch { rows, ..Batch::default() }).await?.rows,
    }
    .into_iter()
    .map(Row::new);
    let mut found = Vec::with_capacity(continuations.len());
    for (tokens, fork) in continuations.iter().zip(forks) {
        let first = tokens.first().map(|token| row.logprob(*token));
        let listed = |row: Row| row.logits_at().first().map(|logit| logit - row.stats().log_sum_exp);
        let rest = behind.by_ref().take(tokens.len().saturating_sub(1)).filter_map(listed);
        found.push(first.into_iter().chain(rest).collect());
        model.free(fork)?;
    }
    Ok(found)
}
