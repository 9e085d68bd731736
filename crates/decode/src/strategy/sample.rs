//! One token after another with the sampler's chain: what every other strategy is compared with.

use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_sample::Chain;

use super::Strategy;
use crate::job::take;
use crate::{Args, DecodeError, Job, Lm, Row};

/// Plain decoding with the host in the loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample;

impl Strategy for Sample {
    const NAME: &'static str = "sample";
    const SUMMARY: &'static str = "plain decoding, one token after another";

    fn read(_: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, row: true, ..Wants::default() };
        let chain = job.chain(0)?;
        let (seq, row) = job.open(&wants).await?;
        continue_plainly(job, 0, seq, row, chain).await
    }
}

/// Writes the rest of the answer with one model (0 is the main one), from the row behind what is written; `chain` is the job's
/// of stream 0.
pub(crate) async fn continue_plainly<L: Lm>(
    job: &mut Job<'_, L>,
    model: usize,
    seq: SeqId,
    mut row: Row,
    mut chain: Chain,
) -> Result<(), DecodeError> {
    let wants = Wants { stats: true, top: BEST, row: true, ..Wants::default() };
    let sampler = job.sampler.clone();
    let drawn = job.sequences(model)?.draws(&sampler);
    loop {
        let position = (job.prompt.len() + job.out.tokens().len()) as u32;
        let (token, logprob) = take(&mut chain, &row, position)?;
        if !job.out.push(token, logprob).await {
            break;
        }
        let rows = match drawn {
            true => job.sequences(model)?.step_drawing(&[(seq, token, 0)], &sampler).await?,
            false => job.sequences(model)?.step(&[(seq, token)], &wants).await?,
        };
        row = rows.into_iter().next().unwrap_or_default();
    }
    if model == 0 {
        let held = job.prompt.iter().chain(job.out.tokens()).copied().take(job.model.len(seq)?).collect();
        job.keep(seq, held);
    }
    Ok(())
}
