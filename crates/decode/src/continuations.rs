//! Log-probabilities of given continuations of one prefix. What they share runs once: a pass for every depth at which they part.

use goldcrest_engine::batch::{Batch, BatchRow, Wants};
use goldcrest_engine::kv::SeqId;

use crate::{DecodeError, Lm, Row, Sequences};

/// Continuations that are alike up to `at`, and the sequence that holds what they share so far.
struct Group {
    seq: SeqId,
    members: Vec<usize>,
    at: usize,
}

/// For each continuation of what `seq` holds, the log-probability of each of its tokens; `row` is the row behind `seq`.
pub(crate) async fn logprobs<L: Lm>(
    model: &mut Sequences<'_, L>,
    seq: SeqId,
    row: &Row,
    continuations: &[&[u32]],
) -> Result<Vec<Vec<f32>>, DecodeError> {
    let first = |tokens: &&[u32]| tokens.first().map(|token| row.logprob(*token)).into_iter().collect();
    let mut found: Vec<Vec<f32>> = continuations.iter().map(first).collect();
    let root = model.fork(seq)?;
    let mut forks = vec![root];
    let all = Group { seq: root, members: (0..continuations.len()).collect(), at: 0 };
    let mut groups = branches(model, all, continuations, &mut forks)?;
    while !groups.is_empty() {
        let (mut rows, mut asked) = (Vec::new(), Vec::new());
        for group in &mut groups {
            let (begin, end) = (group.at, shared(group, continuations));
            let tokens = group.members.first().map_or(&[][..], |m| &continuations[*m][begin..end]);
            let pos = model.next_pos(group.seq)?;
            for ((i, token), pos) in (begin..end).zip(tokens).zip(pos..) {
                let next: Vec<(usize, u32)> =
                    group.members.iter().map(|m| (*m, continuations[*m][i + 1])).collect();
                let logits_at = next.iter().map(|(_, token)| *token).collect();
                let wants = Wants { stats: true, logits_at, ..Wants::default() };
                rows.push(BatchRow::token(*token, pos, group.seq).wanting(wants));
                asked.push(next);
            }
            group.at = end;
        }
        let behind = model.forward(&Batch { rows, ..Batch::default() }).await?.rows;
        for (row, next) in behind.into_iter().map(Row::new).zip(asked) {
            let total = row.stats().log_sum_exp;
            next.iter().zip(row.logits_at()).for_each(|((m, _), logit)| found[*m].push(logit - total));
        }
        let mut parted = Vec::new();
        for group in groups {
            parted.extend(branches(model, group, continuations, &mut forks)?);
        }
        groups = parted;
    }
    forks.into_iter().try_for_each(|fork| model.free(fork))?;
    Ok(found)
}

/// The members that go on behind the token at `at`, parted by that token.
fn branches<L: Lm>(
    model: &mut Sequences<'_, L>,
    group: Group,
    continuations: &[&[u32]],
    forks: &mut Vec<SeqId>,
) -> Result<Vec<Group>, DecodeError> {
    let at = group.at;
    let mut parts: Vec<(u32, Vec<usize>)> = Vec::new();
    for m in group.members.into_iter().filter(|m| continuations[*m].len() > at + 1) {
        let token = continuations[m][at];
        match parts.iter_mut().find(|(known, _)| *known == token) {
            Some((_, members)) => members.push(m),
            None => parts.push((token, vec![m])),
        }
    }
    let mut branches = Vec::with_capacity(parts.len());
    for (i, (_, members)) in parts.into_iter().enumerate() {
        let seq = if i == 0 { group.seq } else { model.fork(group.seq)? };
        if i > 0 {
            forks.push(seq);
        }
        branches.push(Group { seq, members, at });
    }
    Ok(branches)
}

/// Where the members of a group part, or the first of them ends.
fn shared(group: &Group, continuations: &[&[u32]]) -> usize {
    let mut end = group.at + 1;
    let alike = |end: usize| {
        let mut next =
            group.members.iter().map(|m| continuations[*m].get(end + 1).map(|_| continuations[*m][end]));
        let first = next.next().flatten();
        first.is_some() && next.all(|token| token == first)
    };
    while alike(end) {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use std::rc::Rc;

    use super::*;
    use crate::TableLm;
    use crate::sequences::Wire;

    /// Logits that depend on every token before.
    fn row_of(context: &[u32]) -> Vec<f32> {
        let state =
            context.iter().fold(7_u32, |state, token| state.wrapping_mul(31).wrapping_add(*token + 1));
        (0..6).map(|id| (state.wrapping_mul(2 * id + 3) % 101) as f32 / 20.0).collect()
    }

    #[test]
    fn what_continuations_share_runs_once() {
        let mut lm = TableLm::new(6, row_of);
        let texts: [&[u32]; 6] = [&[1, 2, 3, 4], &[1, 2, 3, 5, 0], &[1, 2, 0], &[4], &[1, 2, 3, 4], &[]];
        let (found, rows) = pollster::block_on(async {
            let mut model = Sequences::new(&mut lm, Rc::new(Wire::default()), None);
            let wants = Wants { stats: true, row: true, ..Wants::default() };
            let (seq, row) = model.open(&[3, 5], &wants).await.unwrap();
            let before = model.rows();
            let found = logprobs(&mut model, seq, &row, &texts).await.unwrap();
            (found, model.rows() - before)
        });
        // 1, 2; then 3 for all but the third; then the 5 of the second: the last tokens need no row.
        assert_eq!(rows, 4);
        for (tokens, found) in texts.iter().zip(found) {
            assert_eq!(found.len(), tokens.len());
            let mut context = vec![3, 5];
            for (token, got) in tokens.iter().zip(found) {
                let logits = row_of(&context);
                let want = logits[*token as usize] - Row::stats_of(&logits).log_sum_exp;
                assert!((got - want).abs() < 1e-5, "{tokens:?}");
                context.push(*token);
            }
        }
    }
}
