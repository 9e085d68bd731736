//! A choice on the host: what to ask of a row, and the row itself only where the best of it do not settle the choice.

use goldcrest_sample::{Candidates, Chain, Choice, Needs, RowStats, SampleError, TokenMask};

use crate::batch::{BEST, RowResult, Wants};
use crate::{EngineError, Runtime};

/// What a step has to bring for `chain` to choose from `n_vocab` tokens, with `logprobs` alternatives reported.
pub(crate) fn wants(chain: &Chain, n_vocab: u32, logprobs: usize) -> Wants {
    let best = BEST as usize;
    let row = n_vocab as usize <= best || chain.needs(best) == Needs::Row;
    Wants { stats: true, top: if !row || logprobs > 0 { BEST } else { 0 }, row, ..Wants::default() }
}

/// Chooses from the only row of the step that ran last. Where its best do not settle the choice, the row is fetched: its
/// logits are still on the device. `mask` is what the row was masked with.
pub(crate) async fn choose(
    runtime: &mut Runtime,
    chain: &Chain,
    row: &mut RowResult,
    mask: Option<&TokenMask>,
    position: u32,
) -> Result<Choice, EngineError> {
    if row.logits.is_empty() {
        let (ids, logits): (Vec<u32>, Vec<f32>) = row.top.iter().copied().unzip();
        let mut best = match mask {
            // The list is complete if it holds all that the mask left.
            Some(mask) if ids.len() >= mask.count() => Candidates::from_list(&ids, &logits)?,
            _ => Candidates::from_top(&ids, &logits, figures(row))?,
        };
        match chain.choose(&mut best, position) {
            Err(SampleError::NeedsFullRow { .. }) => {}
            other => return Ok(other?),
        }
        row.logits = runtime.kept_logits(0).await?;
    }
    let mut whole = match mask {
        None => Candidates::from_row(&row.logits)?,
        Some(mask) => Candidates::from_row_masked(&row.logits, mask.words())?,
    };
    Ok(chain.choose(&mut whole, position)?)
}

/// The logit that a token had, if it is among those that were read.
pub(crate) fn logit_of(row: &RowResult, token: u32) -> Option<f32> {
    let listed = || row.top.iter().find(|(id, _)| *id == token).map(|(_, logit)| *logit);
    row.logits.get(token as usize).copied().or_else(listed)
}

fn figures(row: &RowResult) -> Option<RowStats> {
    row.stats.map(|s| RowStats {
        max: s.max,
        argmax: s.argmax,
        log_sum_exp: s.log_sum_exp,
        entropy: s.entropy,
        max_p: s.max_p,
        top2_gap: s.top2_gap,
    })
}
