//! What would follow each of several next tokens: forks that go on greedily as one batch.

use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;

use crate::{DecodeError, Lm, Row, Sequences};

/// A next token and what the model says behind it.
pub(crate) struct Path {
    /// The fork that holds the path but for its last token; none for a token that ends the answer.
    pub(crate) seq: Option<SeqId>,
    /// The row behind the first token.
    pub(crate) row: Row,
    /// The next token, then the greedy ones.
    pub(crate) tokens: Vec<u32>,
    /// Their log-probabilities.
    pub(crate) logprobs: Vec<f32>,
}

impl Path {
    /// Mean of the log-probabilities.
    pub(crate) fn mean(&self) -> f32 {
        self.logprobs.iter().sum::<f32>() / self.logprobs.len() as f32
    }
}

/// Follows each of `heads` (token, log-probability) behind `seq` by up to `depth` greedy tokens.
pub(crate) async fn ahead<L: Lm>(
    model: &mut Sequences<'_, L>,
    seq: SeqId,
    heads: &[(u32, f32)],
    depth: usize,
    ends: impl Fn(u32) -> bool,
) -> Result<Vec<Path>, DecodeError> {
    let wants = Wants { stats: true, top: BEST, ..Wants::default() };
    let mut paths = Vec::with_capacity(heads.len());
    for (token, logprob) in heads {
        let fork = if ends(*token) { None } else { Some(model.fork(seq)?) };
        paths.push(Path { seq: fork, row: Row::default(), tokens: vec![*token], logprobs: vec![*logprob] });
    }
    for step in 0..depth.max(1) {
        let last = |path: &Path| path.tokens.last().copied().unwrap_or(0);
        let going: Vec<&mut Path> =
            paths.iter_mut().filter(|path| path.seq.is_some() && (step == 0 || !ends(last(path)))).collect();
        let inputs: Vec<(SeqId, u32)> =
            going.iter().filter_map(|path| path.seq.map(|seq| (seq, last(path)))).collect();
        if inputs.is_empty() {
            break;
        }
        let rows = model.step(&inputs, &wants).await?;
        for (path, row) in going.into_iter().zip(rows) {
            if let Some((token, logprob)) = row.top(1).first().filter(|_| depth > 0) {
                path.tokens.push(*token);
                path.logprobs.push(*logprob);
            }
            if step == 0 {
                path.row = row;
            }
        }
    }
    Ok(paths)
}

/// Keeps the fork of the path at `winner`, cut behind its first token, in the place of `seq`, and drops the others.
pub(crate) fn settle<L: Lm>(
    model: &mut Sequences<'_, L>,
    seq: SeqId,
    paths: &[Path],
    winner: usize,
) -> Result<SeqId, DecodeError> {
    let n = model.len(seq)? + 1;
    let mut kept = seq;
    for (i, path) in paths.iter().enumerate() {
        match path.seq {
            Some(fork) if i == winner => {
                model.truncate(fork, n)?;
                model.free(seq)?;
                kept = fork;
            }
            Some(fork) => model.free(fork)?,
            None => {}
        }
    }
    Ok(kept)
}
