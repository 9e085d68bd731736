//! HTTP GET as a stream of chunks that Ctrl-C and a stalled line can stop.
//!
//! The blocking client runs on its own thread and hands chunks over a short queue, so the caller never waits longer than a tick
//! without looking at the interrupt flag. A transfer that is given up leaves its thread to end at its own time-outs.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::{HeaderMap, Response};

use super::config::StoreConfig;
use crate::interrupt::{Interrupt, TICK};

const CHUNK: usize = 256 * 1024;
/// Chunks that may wait for a slow disk.
const QUEUE: usize = 4;

/// The part of a response's head that a download decides by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Bytes of this body.
    pub(crate) length: Option<u64>,
    /// First byte and total length, from `Content-Range`; the first byte is absent in a 416.
    pub(crate) range: Option<(Option<u64>, Option<u64>)>,
    /// A strong ETag, else the date of the last change: what `If-Range` may carry.
    pub(crate) validator: Option<String>,
    /// `Content-Encoding`, when it is not `identity`.
    pub(crate) encoding: Option<String>,
    /// `Retry-After` in seconds.
    pub(crate) retry_after: Option<Duration>,
}

/// Why a request ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection, or no answer on it.
    Unreachable(String),
    /// The answer began and broke off.
    Broken(String),
    /// Ctrl-C.
    Interrupted,
}

/// A body on its way.
#[derive(Debug)]
pub(crate) struct Transfer {
    messages: Receiver<Message>,
    interrupt: Interrupt,
    patience: Duration,
}

#[derive(Debug)]
enum Message {
    Head(Head),
    Data(Vec<u8>),
    End,
    Failed(Failure),
}

impl Transfer {
    /// Sends the request and waits for the head. Redirects are followed; an `https` address never leads to a plain one.
    pub(crate) fn start(
        url: &str,
        headers: Vec<(&'static str, String)>,
        config: &StoreConfig,
        interrupt: &Interrupt,
    ) -> Result<(Head, Self), Failure> {
        let agent = agent(config, url.to_ascii_lowercase().starts_with("https:"));
        let (sender, messages) = sync_channel(QUEUE);
        let url = url.to_owned();
        std::thread::Builder::new()
            .name("download".to_owned())
            .spawn(move || serve(&agent, &url, &headers, &sender))
            .map_err(|error| Failure::Unreachable(error.to_string()))?;
        let mut transfer = Self { messages, interrupt: interrupt.clone(), patience: config.stall_timeout };
        // The client limits name look-up, connection and answer one by one; this is only the sum with some redirects.
        let all = transfer.patience + config.connect_timeout * 10;
        match transfer.receive(all).map_err(unreached)? {
            Message::Head(head) => Ok((head, transfer)),
            Message::Failed(failure) => Err(failure),
            _ => Err(Failure::Unreachable("no answer".to_owned())),
        }
    }

    /// The next bytes; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        match self.receive(self.patience)? {
            Message::Data(bytes) => Ok(Some(bytes)),
            Message::End => Ok(None),
            Message::Failed(failure) => Err(failure),
            Message::Head(_) => Err(Failure::Broken("two answers to one request".to_owned())),
        }
    }

    /// A body of at most `limit` bytes as a whole.
    pub(crate) fn read_all(mut self, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(bytes) = self.next()? {
            body.extend_from_slice(&bytes);
            if body.len() > limit {
                return Err(Failure::Broken(format!("the answer is longer than {limit} bytes")));
            }
        }
        Ok(body)
    }

    fn receive(&mut self, patience: Duration) -> Result<Message, Failure> {
        let end = Instant::now() + patience;
        loop {
            if self.interrupt.is_set() {
                return Err(Failure::Interrupted);
            }
            match self.messages.recv_timeout(TICK) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Broken("the connection ended".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() >= end => {
                    return Err(Failure::Broken(format!("nothing came for {} s", patience.as_secs())));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// The host of an address, for messages.
pub(crate) fn host_of(url: &str) -> String {
    url.parse::<ureq::http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned))
        .unwrap_or_else(|| url.to_owned())
}

fn agent(config: &StoreConfig, only_https: bool) -> Agent {
    Agent::config_builder()
        .https_only(only_https)
        .http_status_as_error(false)
        .user_agent(concat!("goldcrest/", env!("CARGO_PKG_VERSION")))
        // The bytes of the file itself are wanted: ranges and sums are of those.
        .accept_encoding("identity")
        .timeout_resolve(Some(config.connect_timeout))
        .timeout_connect(Some(config.connect_timeout))
        .timeout_recv_response(Some(config.connect_timeout * 3))
        .timeout_per_read(Some(config.stall_timeout))
        .build()
        .new_agent()
}

/// The download thread. It ends when the receiver has gone.
fn serve(agent: &Agent, url: &str, headers: &[(&'static str, String)], sender: &SyncSender<Message>) {
    let mut request = agent.get(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = match request.call() {
        Ok(response) => response,
        Err(error) => {
            let _ = sender.send(Message::Failed(Failure::Unreachable(reason(&error))));
            return;
        }
    };
    if sender.send(Message::Head(head_of(&response))).is_err() {
        return;
    }
    let mut body = response.into_body().into_reader();
    loop {
        let mut chunk = vec![0; CHUNK];
        let message = match body.read(&mut chunk) {
            Ok(0) => Message::End,
            Ok(n) => {
                chunk.truncate(n);
                Message::Data(chunk)
            }
            Err(error) => Message::Failed(Failure::Broken(error.to_string())),
        };
        let more = matches!(message, Message::Data(_));
        if sender.send(message).is_err() || !more {
            return;
        }
    }
}

fn head_of<T>(response: &Response<T>) -> Head {
    let headers = response.headers();
    let etag = text(headers, "etag").filter(|etag| !etag.starts_with("W/"));
    Head {
        status: response.status().as_u16(),
        length: text(headers, "content-length").and_then(|length| length.parse().ok()),
        range: text(headers, "content-range").and_then(content_range),
        validator: etag.or_else(|| text(headers, "last-modified")).map(str::to_owned),
        encoding: text(headers, "content-encoding")
            .filter(|encoding| !encoding.eq_ignore_ascii_case("identity"))
            .map(str::to_owned),
        retry_after: text(headers, "retry-after").and_then(|time| time.parse().ok()).map(Duration::from_secs),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
fn content_range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (span, total) = text.strip_prefix("bytes")?.trim().split_once('/')?;
    let first = span.split_once('-').and_then(|(first, _)| first.trim().parse().ok());
    Some((first, total.trim().parse().ok()))
}

fn unreached(failure: Failure) -> Failure {
    match failure {
        Failure::Broken(why) => Failure::Unreachable(why),
        other => other,
    }
}

fn reason(error: &ureq::Error) -> String {
    const UNKNOWN: &str = "unknown host";
    match error {
        // The standard library has no error kind for this, only this text.
        ureq::Error::Io(error) if error.to_string().starts_with("failed to lookup") => UNKNOWN.to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => UNKNOWN.to_owned(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        other => other.to_string(),
    }
}
