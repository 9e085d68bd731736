//! A walk of a batch on the host, in double precision: what a device does of which rows are known as a whole.

use goldcrest_engine::EngineError;
use goldcrest_engine::batch::{Batch, RowResult, Source, Walk, Walked};
use goldcrest_sample::{Purpose, SamplerParams, uniform};

use super::dist::Dist;
use super::walk::{Siblings, Verdict};
use crate::{DecodeError, Row};

/// The path of a batch through its walk, given its rows with their logits and drawn tokens.
pub(crate) fn follow(batch: &Batch, walk: &Walk, rows: Vec<RowResult>) -> Result<Walked, EngineError> {
    let mut walked = Walked { path: Vec::new(), thrown: walk.thrown };
    let rows: Vec<Row> = rows.into_iter().map(Row::new).collect();
    let greedy = SamplerParams::greedy();
    let sampler = batch.sampler.as_ref().unwrap_or(&greedy);
    let mut at = Some(0);
    while let Some(row) = at {
        let under = |r: &usize| walk.parents[*r] as usize == row;
        let token_of = |r: usize| match batch.rows[r].source {
            Source::Token(token) => token,
            _ => u32::MAX,
        };
        let list = walk.lists.get(row).filter(|list| !list.is_empty());
        let token = match list {
            None => rows[row].drawn().ok_or(EngineError::BadResult)?,
            Some(list) => {
                let last = walk.expected.filter(|_| row + 1 == rows.len());
                let guesses = (row + 1..rows.len()).filter(under).map(token_of).chain(last).collect();
                let pos = batch.rows[row].pos + 1;
                judge(&rows[row], (sampler, pos), list, guesses, || {
                    walked.thrown += 1;
                    uniform(sampler.seed, walk.stream, walked.thrown, Purpose::Policy)
                })?
            }
        };
        walked.path.push((row, token, rows[row].logprob(token)));
        at = (row + 1..rows.len()).find(|r| under(r) && token_of(*r) == token);
    }
    Ok(walked)
}

/// What comes behind a row whose guesses were drawn from a list.
fn judge(
    row: &Row,
    (sampler, pos): (&SamplerParams, u32),
    list: &[(u32, f32)],
    guesses: Vec<u32>,
    uniform: impl FnMut() -> f32,
) -> Result<u32, EngineError> {
    let unfit = |_: DecodeError| EngineError::BadResult;
    let p = Dist::behind(&sampler.to_chain()?, row, pos).map_err(unfit)?;
    let q = Dist::of_weights(list.iter().map(|(token, q)| (*token, f64::from(*q))));
    let q = q.ok_or(EngineError::BadResult)?;
    Ok(match (Siblings { p: &p, q: &q, tokens: &guesses }).judge(uniform) {
        Verdict::Accepted(index) => guesses[index],
        Verdict::Instead(token) => token,
    })
}
