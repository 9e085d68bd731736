//! Best-of-N: independent samples from one prefill, the best of them by a scorer or by their own likelihood.
//!
//! Stiennon et al., "Learning to summarize from human feedback", 2020 (the rule); all n samples advance as one batch.

use goldcrest_engine::Finish;
use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_sample::Chain;

use super::Strategy;
use crate::job::take;
use crate::{Args, DecodeError, Job, Lm};

/// N samples, one answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestOfN {
    /// Samples.
    pub n: usize,
    /// Exponent of the length by which the sum of log-probabilities is divided; 0 takes the sum, 1 the mean.
    pub length_penalty: f32,
}

/// One sample on its way; its text and finish are those of its tokens so far.
pub(crate) struct Draft {
    pub(crate) seq: SeqId,
    lineage: u32,
    pub(crate) chain: Chain,
    pub(crate) tokens: Vec<u32>,
    pub(crate) logprobs: Vec<f32>,
    pub(crate) text: String,
    pub(crate) finish: Option<Finish>,
}

impl Draft {
    /// Its tokens without the one that ends it.
    pub(crate) fn said(&self) -> &[u32] {
        let n = self.tokens.len() - usize::from(self.finish == Some(Finish::Stop));
        &self.tokens[..n]
    }

    /// Mean of its log-probabilities.
    pub(crate) fn mean(&self) -> f32 {
        self.logprobs.iter().sum::<f32>() / self.logprobs.len().max(1) as f32
    }
}

impl Strategy for BestOfN {
    const NAME: &'static str = "best_of_n";
    const SUMMARY: &'static str = "several samples in one batch, the best by a scorer or by likelihood";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            n: args.count("n", 4, 1..=32)?,
            length_penalty: args.number("length_penalty", 1.0, 0.0..=4.0)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let done = samples(job, self.n, |_| false).await?;
        let mut best: Option<(f32, &Draft)> = None;
        let mut scores = Vec::new();
        for draft in &done {
            let score = match job.resources.scorer.is_some() {
                true => job.score(Self::NAME, &draft.tokens).await?,
                false => {
                    let len = draft.tokens.len().max(1) as f32;
                    draft.logprobs.iter().sum::<f32>() / len.powf(self.length_penalty)
                }
            };
            scores.push(score);
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, draft));
            }
        }
        job.report.insert("scores".into(), scores.into());
        if let Some((_, draft)) = best {
            job.write(&draft.tokens, &draft.logprobs).await;
        }
        Ok(())
    }
}

/// Draws `n` samples of the prompt as one batch, each until it ends or `enough` says of one that just ended that the
/// others need not go on. Finished samples come in the order in which they ended; those cut off by `enough` are left out.
pub(crate) async fn samples<L: Lm>(
    job: &mut Job<'_, L>,
    n: usize,
    enough: impl Fn(&[Draft]) -> bool,
) -> Result<Vec<Draft>, DecodeError> {
    let wants = Wants { stats: true, top: BEST, row: true, ..Wants::default() };
    let (first, row) = job.open(&wants).await?;
    let (sampler, mut alive) = (job.sampler.clone(), Vec::with_capacity(n));
    let drawn = job.model.draws(&sampler);
    for lineage in 0..n {
        let seq = if lineage == 0 { first } else { job.model.fork(first)? };
        alive.push(Draft {
            seq,
            lineage: lineage as u32,
            chain: job.chain(lineage as u32)?,
            tokens: Vec::new(),
            logprobs: Vec::new(),
            text: String::new(),
            finish: None,
        });
    }
    let mut rows = vec![row; n];
    let mut done = Vec::new();
    while !alive.is_empty() {
        for (draft, row) in alive.iter_mut().zip(&rows) {
            let position = (job.prompt.len() + draft.tokens.len()) as u32;
            let (token, logprob) = take(&mut draft.chain, row, position)?;
            draft.tokens.push(token);
            draft.logprobs.push(logprob);
            (draft.text, draft.finish) = job.text(&draft.tokens);
        }
        let (ended, going): (Vec<_>, Vec<_>) = alive.into_iter().partition(|draft| draft.finish.is_some());
        alive = going;
        for draft in &ended {
            job.model.free(draft.seq)?;
        }
        let some_ended = !ended.is_empty();
        done.extend(ended);
        if some_ended && enough(&done) {
            break;
        }
        if !alive.is_empty() {
            let last = |draft: &Draft| draft.tokens.last().copied().unwrap_or(0);
            rows = match drawn {
                true => {
                    let input = |draft: &Draft| (draft.seq, last(draft), draft.lineage);
                    job.model.step_drawing(&alive.iter().map(input).collect::<Vec<_>>(), &sampler).await?
                }
                false => {
                    let input = |draft: &Draft| (draft.seq, last(draft));
                    job.model.step(&alive.iter().map(input).collect::<Vec<_>>(), &wants).await?
                }
            };
        }
    }
    Ok(done)
}
