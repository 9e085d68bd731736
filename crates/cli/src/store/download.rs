//! Filling a part over HTTP: resume, retry, and refusal of what cannot be the file.

use std::time::Duration;

use super::check::wrong_magic;
use super::config::StoreConfig;
use super::error::StoreError;
use super::http::{Failure, Head, Transfer, host_of};
use super::part::{CHECKPOINT, Part};
use super::report::Report;
use crate::interrupt::Interrupt;

/// Progress that makes a broken transfer worth another full set of attempts.
const HEADWAY: u64 = 256 * 1024;
/// A server that asks for a longer pause is treated as down.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One file on an HTTP server.
#[derive(Debug)]
pub(crate) struct Download<'a> {
    pub(crate) url: &'a str,
    /// The name of the source in the part's state; stays the same between mirrors.
    pub(crate) source: &'a str,
    pub(crate) name: &'a str,
    pub(crate) size: Option<u64>,
    pub(crate) sum_known: bool,
    /// Whether an unreachable server may cost several attempts: only when there is no other source.
    pub(crate) insist: bool,
    pub(crate) config: &'a StoreConfig,
    pub(crate) report: &'a dyn Report,
    pub(crate) interrupt: &'a Interrupt,
}

/// First byte of the body in the file, and bytes of the whole file if known.
type Span = (u64, Option<u64>);

/// How one request ended without an error that is final.
enum Outcome {
    Done,
    /// Worth another request, after the pause the server asks for.
    Again {
        error: StoreError,
        pause: Option<Duration>,
    },
    /// The bytes at hand do not fit the file on the server.
    Afresh(&'static str),
}

impl Download<'_> {
    /// Brings `part` to the whole length, with as many requests as it takes. After an error or Ctrl-C the part holds what can
    /// be gone on from.
    pub(crate) fn run(&self, part: &mut Part) -> Result<(), StoreError> {
        let mut failures = 0;
        let mut restarts = 0;
        loop {
            let kept = part.usable(self.source, self.sum_known);
            if kept > 0 && self.size.or(part.state.total) == Some(kept) {
                return part.shorten(kept);
            }
            let outcome = self.request(part, kept);
            self.report.end();
            match outcome {
                Ok(Outcome::Done) => return Ok(()),
                Ok(Outcome::Afresh(why)) => {
                    restarts += 1;
                    if restarts > self.config.attempts {
                        return Err(self.broken(restarts, why.to_owned()));
                    }
                    self.report.notice(&format!("{}: {why}; starting over", self.name));
                    part.restart(self.source)?;
                }
                Ok(Outcome::Again { error, pause }) => {
                    self.keep(part)?;
                    let now = part.usable(self.source, self.sum_known);
                    failures = if now >= kept + HEADWAY { 1 } else { failures + 1 };
                    self.pause(failures, error, pause, part)?;
                }
                Err(StoreError::Interrupted { .. }) => return Err(self.interrupted(part)),
                Err(error) => return Err(error),
            }
        }
    }

    /// One request for what comes after the first `kept` bytes. The part is touched only when the server is about to send the
    /// right file: bytes of another source must outlive a server that has none.
    fn request(&self, part: &mut Part, kept: u64) -> Result<Outcome, StoreError> {
        let mut headers = Vec::new();
        if kept > 0 {
            headers.push(("Range", format!("bytes={kept}-")));
            headers.extend(part.state.validator.clone().map(|validator| ("If-Range", validator)));
        }
        let (head, transfer) = match Transfer::start(self.url, headers, self.config, self.interrupt) {
            Ok(answer) => answer,
            Err(failure) => return self.failed(failure),
        };
        let (start, total) = match self.judge(&head, part, kept)? {
            Ok(answer) => answer,
            Err(outcome) => return Ok(outcome),
        };
        if let (Some(expected), Some(found)) = (self.size, total)
            && expected != found
        {
            return Err(StoreError::Size { from: self.source.to_owned(), expected, found });
        }
        if start == 0 {
            if kept > 0 {
                self.report.notice(&format!("{}: the server sends the whole file again", self.name));
            }
            part.restart(self.source)?;
        }
        part.shorten(start)?;
        if let Some(total) = total.or(self.size) {
            part.check_space(total.saturating_sub(start), self.config)?;
        }
        part.state.validator = head.validator;
        part.state.total = total;
        part.save()?;
        self.receive(part, transfer, total)
    }

    /// Where the body begins and how long the whole file is; or what to do instead.
    fn judge(&self, head: &Head, part: &Part, kept: u64) -> Result<Result<Span, Outcome>, StoreError> {
        if let Some(encoding) = &head.encoding {
            return Err(StoreError::Encoded { host: host_of(self.url), encoding: encoding.clone() });
        }
        match (head.status, head.range) {
            (200, _) => Ok(Ok((0, head.length))),
            (206, Some((Some(first), total))) if first == kept && agrees(part.state.total, total) => {
                Ok(Ok((kept, total)))
            }
            (206, _) => Ok(Err(Outcome::Afresh("the server sent another piece than the missing one"))),
            (416, _) => Ok(Err(Outcome::Afresh("the file on the server is shorter than what was kept"))),
            (status @ (408 | 429 | 500..=599), _) => {
                Ok(Err(Outcome::Again { error: self.status(status), pause: head.retry_after }))
            }
            (status, _) => Err(self.status(status)),
        }
    }

    fn receive(
        &self,
        part: &mut Part,
        mut transfer: Transfer,
        total: Option<u64>,
    ) -> Result<Outcome, StoreError> {
        self.report.begin(self.name, total.or(self.size), part.len());
        let mut start = Vec::new();
        loop {
            let bytes = match transfer.next() {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break,
                Err(failure) => return self.failed(failure),
            };
            // What is no model is refused before it is fetched whole.
            if part.len() < 4 && start.len() < 16 {
                start.extend(bytes.iter().take(16));
                if start.len() >= 4
                    && let Some(found) = wrong_magic(&start)
                {
                    part.discard()?;
                    return Err(StoreError::Magic { from: self.source.to_owned(), found });
                }
            }
            let expected = total.or(self.size);
            let found = part.len() + bytes.len() as u64;
            if let Some(expected) = expected.filter(|&expected| found > expected) {
                part.discard()?;
                return Err(StoreError::Size { from: self.source.to_owned(), expected, found });
            }
            part.append(&bytes, self.config)?;
            if !self.sum_known && part.len() - part.state.synced >= CHECKPOINT {
                part.checkpoint()?;
            }
            self.report.at(part.len());
        }
        match total.or(self.size) {
            Some(expected) if part.len() < expected => {
                self.failed(Failure::Broken(format!("{} of {expected} bytes came", part.len())))
            }
            _ => Ok(Outcome::Done),
        }
    }

    fn pause(
        &self,
        failures: u32,
        error: StoreError,
        asked: Option<Duration>,
        part: &mut Part,
    ) -> Result<(), StoreError> {
        let pointless =
            matches!(error, StoreError::Unreachable { .. } | StoreError::Status { .. }) && !self.insist;
        if failures >= self.config.attempts || pointless || asked.is_some_and(|pause| pause > LONGEST_PAUSE) {
            return Err(match error {
                StoreError::Broken { why, .. } => self.broken(failures, why),
                other => other,
            });
        }
        self.report.notice(&format!("{}: {}; trying again", self.name, brief(&error)));
        let pause = asked.unwrap_or(self.config.backoff * 2_u32.saturating_pow(failures.saturating_sub(1)));
        if self.interrupt.wait(pause) {
            return Err(self.interrupted(part));
        }
        Ok(())
    }

    fn failed(&self, failure: Failure) -> Result<Outcome, StoreError> {
        let error = match failure {
            Failure::Interrupted => {
                return Err(StoreError::Interrupted { name: self.name.to_owned(), kept: 0 });
            }
            Failure::Unreachable(why) => StoreError::Unreachable { host: host_of(self.url), why },
            Failure::Broken(why) => self.broken(1, why),
        };
        Ok(Outcome::Again { error, pause: None })
    }

    /// Makes the bytes so far last, if they are of this source.
    fn keep(&self, part: &mut Part) -> Result<(), StoreError> {
        if part.state.source == self.source && part.len() > 0 { part.checkpoint() } else { Ok(()) }
    }

    /// What to report after Ctrl-C.
    fn interrupted(&self, part: &mut Part) -> StoreError {
        match self.keep(part) {
            Ok(()) => StoreError::Interrupted { name: self.name.to_owned(), kept: part.len() },
            Err(error) => error,
        }
    }

    fn broken(&self, attempts: u32, why: String) -> StoreError {
        StoreError::Broken { host: host_of(self.url), attempts, why }
    }

    fn status(&self, status: u16) -> StoreError {
        StoreError::Status { host: host_of(self.url), url: self.url.to_owned(), status }
    }
}

fn agrees(before: Option<u64>, now: Option<u64>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => before == now,
        _ => true,
    }
}

fn brief(error: &StoreError) -> String {
    match error {
        StoreError::Broken { why, .. } => format!("the transfer broke off ({why})"),
        other => other.to_string(),
    }
}
