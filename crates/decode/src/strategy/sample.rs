//! One token after another with the sampler's chain: what every other strategy is compared with.

use goldcrest_engine::batch::Wants;

use super::Strategy;
use crate::job::choose;
use crate::{Args, DecodeError, Job, Lm};

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
        let wants = Wants { stats: true, top: true, row: true, ..Wants::default() };
        let mut chain = job.chain(0)?;
        let (seq, mut row) = job.open(&wants).await?;
        loop {
            let position = (job.prompt.len() + job.out.tokens().len()) as u32;
            let (token, logprob) = choose(&chain, &row, position)?;
            chain.accept(token);
            if !job.out.push(token, logprob).await {
                break;
            }
            row = job.model.step(&[(seq, token)], &wants).await?.pop().unwrap_or_default();
        }
        let held = job.prompt.iter().chain(job.out.tokens()).copied().take(job.model.len(seq)?).collect();
        job.keep(seq, held);
        Ok(())
    }
}
