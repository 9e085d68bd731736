//! Speculative sampling with a second model of the same vocabulary: it writes a few tokens, one pass verifies them.
//!
//! Leviathan, Kalman and Matias, arXiv 2211.17192; Chen et al., arXiv 2302.01318.

use goldcrest_engine::batch::Wants;
use goldcrest_engine::kv::SeqId;

use super::drafter::Turn;
use super::follower::Follower;
use super::line::Round;
use super::scribe::{Scribe, planned};
use crate::{DecodeError, Lm, Row};

/// Class of its guesses.
const CLASS: usize = 16;

/// The first of the job's further models, as a writer.
#[derive(Debug, Default)]
pub(crate) struct DraftModel {
    follower: Follower,
    seq: Option<SeqId>,
    /// Whether hidden rows are read.
    hidden: bool,
}

impl DraftModel {
    pub(crate) fn new(hidden: bool) -> Self {
        Self { hidden, ..Self::default() }
    }
}

impl<L: Lm> Scribe<L> for DraftModel {
    fn class(&self) -> usize {
        CLASS
    }

    fn length(&self, turn: &Turn<'_, '_, L>, most: usize) -> usize {
        planned(turn, CLASS, most, self.follower.pass)
    }

    async fn begin(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<Row, DecodeError> {
        let wants = Wants { hidden: self.hidden, ..turn.line.wants(false) };
        let (seq, row) = self.follower.follow(&mut turn.job.others[0], &turn.line.tokens, &wants).await?;
        self.seq = Some(seq);
        Ok(row)
    }

    async fn next(&mut self, turn: &mut Turn<'_, '_, L>, token: u32) -> Result<Row, DecodeError> {
        let wants = Wants { hidden: self.hidden, ..turn.line.wants(false) };
        match self.seq {
            Some(seq) => self.follower.guess(&mut turn.job.others[0], seq, token, &wants).await,
            None => self.begin(turn).await,
        }
    }

    fn end(&mut self, _: &mut Turn<'_, '_, L>) -> Result<(), DecodeError> {
        Ok(())
    }

    fn learn(&mut self, _: usize, _: usize, _: &Round) {}
}
