#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod commit;
mod hub;
mod package;
mod pipelines;
mod resolve;
mod server;
mod transfer;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::check::hex;
use super::fetch::Wanted;
use super::report::Report;
use super::source::{Address, Source};
use super::{Store, StoreConfig, StoreError};
use crate::interrupt::Interrupt;

/// Remembers the notices; can press Ctrl-C when a download has come far enough.
#[derive(Debug, Default)]
struct Witness {
    notices: Mutex<Vec<String>>,
    stop_at: Mutex<Option<u64>>,
    interrupt: Interrupt,
}

impl Report for Witness {
    fn notice(&self, text: &str) {
        self.notices.lock().unwrap().push(text.to_owned());
    }
    fn begin(&self, _: &str, _: Option<u64>, _: u64) {}
    fn at(&self, done: u64) {
        if self.stop_at.lock().unwrap().is_some_and(|stop| done >= stop) {
            self.interrupt.set();
        }
    }
    fn end(&self) {}
}

/// A store in a folder of its own, with short time-outs and no Python.
struct Bench {
    folder: TempDir,
    config: StoreConfig,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            home: folder.path().join("home"),
            hub: "http://127.0.0.1:1".to_owned(),
            pythons: Vec::new(),
            connect_timeout: Duration::from_secs(2),
            stall_timeout: Duration::from_millis(400),
            attempts: 3,
            backoff: Duration::from_millis(1),
            free_space: |_| Ok(u64::MAX),
        };
        Self { folder, config }
    }

    /// A store as a new process would make it.
    fn store(&self) -> (Store, Arc<Witness>) {
        let witness = Arc::new(Witness::default());
        (Store::new(self.config.clone(), witness.clone(), witness.interrupt.clone()), witness)
    }

    fn models(&self) -> PathBuf {
        self.config.home.join("models")
    }

    /// Files in the models folder, without the folders for locks and scratch.
    fn files(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.models()) else { return Vec::new() };
        let files = entries.map(Result::unwrap).filter(|entry| entry.path().is_file());
        let mut names: Vec<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Bytes that look like a model: the magic, then noise.
fn model(len: usize, seed: u64) -> Vec<u8> {
    let mut state = 2 * seed + 1;
    let mut bytes = b"GGUF".to_vec();
    while bytes.len() < len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_le_bytes()[3..]);
    }
    bytes.truncate(len);
    bytes
}

fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A model called `m` with these sources, pinned to `bytes`.
fn pinned(bytes: &[u8], sources: &[&str]) -> Wanted {
    Wanted { size: Some(bytes.len() as u64), sha256: Some(sum(bytes)), ..unpinned(sources) }
}

fn unpinned(sources: &[&str]) -> Wanted {
    Wanted {
        names: vec!["m".to_owned()],
        file_name: "m.gguf".to_owned(),
        size: None,
        sha256: None,
        sources: sources.iter().map(|text| source(text)).collect(),
        licence: None,
    }
}

fn source(text: &str) -> Source {
    match Address::parse(text).unwrap() {
        Some(Address::Exact(source)) => source,
        other => panic!("{text} is {other:?}"),
    }
}

fn code(result: Result<super::Model, StoreError>) -> &'static str {
    result.expect_err("this must fail").code()
}
