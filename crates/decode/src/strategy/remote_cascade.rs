//! The way out of one machine: this model begins the answer; if it is not sure of it, a server is asked.
//!
//! Nothing leaves the device unless the caller gave a [`crate::Remote`], which is the user's consent with the address, and
//! unless this model was unsure. The rule is that of [`super::EnergyRouting`]; the answer that comes is text, and is
//! encoded here.

use super::{FormBy, Strategy};
use crate::confidence::Sure;
use crate::probe::probe;
use crate::{Args, DecodeError, Job, Lm};

/// This model, or a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemoteCascade {
    /// What counts as sure.
    pub sure: Sure,
    /// Tokens of this model that are looked at; 0 is the whole answer.
    pub probe: usize,
}

impl Strategy for RemoteCascade {
    const NAME: &'static str = "remote_cascade";
    const SUMMARY: &'static str =
        "this model if its first tokens are sure, else a server of your choice, with your consent";
    // What a server writes is not masked here.
    const FORM: FormBy = FormBy::Nothing;

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self { sure: Sure::read(args)?, probe: args.count("probe", 16, 0..=100_000)? })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let method = Self::NAME;
        let Some(mut remote) = job.resources.remote.take() else {
            return Err(DecodeError::MissingResource { method, what: "a server and your consent to ask it" });
        };
        let begun = probe(job, 0, self.probe, &self.sure).await?;
        let sure = self.sure.enough(&begun.signals);
        job.report.insert("remote".into(), (!sure).into());
        job.report.insert("signal".into(), begun.mean().into());
        if sure {
            return begun.go_on(job, 0).await;
        }
        job.report.insert("dropped".into(), begun.len().into());
        let tokens = remote.answer(job.out.room()).await?;
        // The server's model gave no probabilities of these tokens.
        job.write(&tokens, &vec![0.0; tokens.len()]).await;
        job.out.end(goldcrest_engine::Finish::Stop);
        Ok(())
    }
}
