//! An HTTP server on this machine whose misbehaviour is written down.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) struct Request {
    /// Counts from 0.
    pub(super) number: usize,
    pub(super) path: String,
    pub(super) range_from: Option<usize>,
    pub(super) if_range: Option<String>,
}

#[derive(Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<u8>,
    /// The length that the head declares; without it the end of the connection ends the body.
    pub(super) declared: Option<usize>,
    /// Stand still for this long after the body.
    pub(super) hang: Duration,
    /// Pause after every 64 KiB.
    pub(super) pace: Duration,
}

pub(super) struct Server {
    pub(super) url: String,
    served: Arc<AtomicU64>,
    pub(super) requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (served, requests) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (count, log, number) = (served.clone(), requests.clone(), AtomicUsize::new(0));
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, count, log) = (answer.clone(), count.clone(), log.clone());
                let number = number.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    let request = read_request(&stream, number);
                    let reply = answer(&request);
                    log.lock().unwrap().push(request);
                    write_reply(stream, reply, &count);
                });
            }
        });
        Self { url, served, requests }
    }

    /// Serves `bytes` the right way, ranges included.
    pub(super) fn of_file(bytes: Vec<u8>) -> Self {
        Self::start(move |request| file(request, &bytes, "\"v1\""))
    }

    /// Body bytes sent since the last call.
    pub(super) fn take_served(&self) -> u64 {
        self.served.swap(0, Ordering::SeqCst)
    }

    pub(super) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    pub(super) fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }
}

/// What a proper file server answers.
pub(super) fn file(request: &Request, bytes: &[u8], etag: &str) -> Reply {
    let same = request.if_range.as_deref().is_none_or(|known| known == etag);
    match request.range_from.filter(|_| same) {
        Some(from) if from >= bytes.len() => Reply {
            status: 416,
            headers: vec![format!("Content-Range: bytes */{}", bytes.len())],
            declared: Some(0),
            ..Reply::default()
        },
        Some(from) => Reply {
            status: 206,
            headers: vec![
                format!("ETag: {etag}"),
                format!("Content-Range: bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
            ],
            ..whole(&bytes[from..])
        },
        None => Reply { headers: vec![format!("ETag: {etag}")], ..whole(bytes) },
    }
}

/// 200 with a declared length and nothing else.
pub(super) fn whole(bytes: &[u8]) -> Reply {
    Reply { status: 200, declared: Some(bytes.len()), body: bytes.to_vec(), ..Reply::default() }
}

impl Reply {
    /// Closes the connection after `len` body bytes, whatever was declared.
    pub(super) fn cut(mut self, len: usize) -> Self {
        self.body.truncate(len);
        self
    }
}

pub(super) fn status(status: u16) -> Reply {
    Reply { status, declared: Some(0), ..Reply::default() }
}

fn read_request(stream: &TcpStream, number: usize) -> Request {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)).unwrap_or_default();
    let mut request = Request { number, path, range_from: None, if_range: None };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                request.range_from =
                    value.strip_prefix("bytes=").and_then(|v| v.strip_suffix('-')?.parse().ok());
            }
            "if-range" => request.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    request
}

fn write_reply(mut stream: TcpStream, reply: Reply, served: &AtomicU64) {
    let mut head = format!("HTTP/1.1 {} Scripted\r\nConnection: close\r\n", reply.status);
    for header in &reply.headers {
        head += &format!("{header}\r\n");
    }
    if let Some(length) = reply.declared {
        head += &format!("Content-Length: {length}\r\n");
    }
    head += "\r\n";
    if stream.write_all(head.as_bytes()).is_err() {
        return;
    }
    for chunk in reply.body.chunks(64 * 1024) {
        if stream.write_all(chunk).is_err() {
            return;
        }
        served.fetch_add(chunk.len() as u64, Ordering::SeqCst);
        std::thread::sleep(reply.pace);
    }
    std::thread::sleep(reply.hang);
}
