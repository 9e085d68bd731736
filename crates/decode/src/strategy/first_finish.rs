//! First-finish search: of several samples that grow in one batch, the first to end is the answer.
//!
//! Agarwal et al., "First Finish Search: Efficient Test-Time Scaling in Large Language Models", 2025: where right answers
//! tend to be shorter than wrong ones, the shortest of n is ever likelier right, and no token behind its end is decoded.

use goldcrest_engine::Finish;

use super::Strategy;
use super::best_of_n::{Draft, samples};
use crate::{Args, DecodeError, Job, Lm};

/// The first of several samples to end.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstFinish {
    /// Samples.
    pub n: usize,
    /// Least tokens before the end: small models end early rather than well.
    pub min_length: usize,
    /// Text that an answer must contain.
    pub require: Option<String>,
}

impl FirstFinish {
    fn takes(&self, draft: &Draft) -> bool {
        draft.finish != Some(Finish::Length)
            && draft.said().len() >= self.min_length
            && self.require.as_ref().is_none_or(|needle| draft.text.contains(needle.as_str()))
    }
}

impl Strategy for FirstFinish {
    const NAME: &'static str = "first_finish";
    const SUMMARY: &'static str = "several samples in one batch, the first to end";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            n: args.count("n", 4, 1..=32)?,
            min_length: args.count("min_length", 1, 0..=65536)?,
            require: args.text("require"),
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let done = samples(job, self.n, |done| done.iter().any(|draft| self.takes(draft))).await?;
        // None ended in time, or in the same step several did: the likeliest by its mean.
        let rank = |draft: &&Draft| (self.takes(draft), draft.mean());
        let best = done.iter().reduce(|best, draft| {
            let ((a, p), (b, q)) = (rank(&best), rank(&draft));
            if (b && !a) || (a == b && q > p) { draft } else { best }
        });
        job.report.insert("ended".into(), done.iter().any(|draft| self.takes(draft)).into());
        if let Some(draft) = best {
            job.write(&draft.tokens, &draft.logprobs).await;
        }
        Ok(())
    }
}
