//! The unfinished file `<model>.part`, what is known about it, and its way to becoming the model.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::StoreConfig;
use super::error::StoreError;
use super::record::{Record, read_json, remove, sync_folder, with_suffix, write_json};

/// How much of a file without a known sum may be lost to a crash: the distance between two flushes.
pub(crate) const CHECKPOINT: u64 = 4 << 20;

/// `<model>.state`: what a later run must know to go on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// What the user called the model.
    pub(crate) name: String,
    /// The address the bytes come from.
    pub(crate) source: String,
    /// The server's mark of this version of the file.
    pub(crate) validator: Option<String>,
    /// Bytes of the whole file.
    pub(crate) total: Option<u64>,
    /// Bytes known to be on the disk.
    pub(crate) synced: u64,
    /// Parts of a source in parts that are wholly inside `synced`.
    pub(crate) pieces: usize,
}

/// Owned by the process that holds the model's lock.
#[derive(Debug)]
pub(crate) struct Part {
    model: PathBuf,
    path: PathBuf,
    file: Option<File>,
    len: u64,
    /// Whether bytes of an earlier run are inside.
    pub(crate) resumed: bool,
    pub(crate) state: State,
}

impl Part {
    /// Takes up what an earlier run left, after repairing what a crash left: a model file without a record goes back to being
    /// a part, or goes away when nothing is known about it.
    pub(crate) fn open(model: &Path, name: &str) -> Result<Self, StoreError> {
        let (path, state_path) = (with_suffix(model, ".part"), state_path(model));
        let clear = |path: &Path| remove(path).map_err(StoreError::io("remove", path));
        for path in [Record::path(model), state_path.clone()] {
            clear(&with_suffix(&path, ".new"))?;
        }
        let mut state: Option<State> = read_json(&state_path);
        if model.exists() && !Record::read(model).is_some_and(|record| record.fits(model)) {
            let committed = Record::path(model).exists();
            clear(&Record::path(model))?;
            if state.is_some() && !committed {
                fs::rename(model, &path).map_err(StoreError::io("rename", model))?;
            } else {
                clear(model)?;
            }
        }
        let len = fs::metadata(&path).map_or(0, |found| found.len());
        if len == 0 {
            state = None;
        }
        let mut state = state.unwrap_or_default();
        name.clone_into(&mut state.name);
        Ok(Self { model: model.to_owned(), path, file: None, len, resumed: len > 0, state })
    }

    /// Bytes present.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// How many of the first bytes can be taken as bytes of `source`. With a known sum all are, because the sum decides in the
    /// end; without one only those flushed to the disk, and only if the server can be asked whether its file is still the same.
    pub(crate) fn usable(&self, source: &str, sum_known: bool) -> u64 {
        match self.state.source == source {
            true if sum_known => self.len,
            true if self.state.validator.is_some() => self.state.synced.min(self.len),
            _ => 0,
        }
    }

    /// Drops all bytes after the first `len`.
    pub(crate) fn shorten(&mut self, len: u64) -> Result<(), StoreError> {
        if len < self.len { self.truncate(len) } else { Ok(()) }
    }

    /// Empties the part and notes where its bytes will come from.
    pub(crate) fn restart(&mut self, source: &str) -> Result<(), StoreError> {
        self.state = State { name: self.state.name.clone(), source: source.to_owned(), ..State::default() };
        self.resumed = false;
        self.truncate(0)?;
        self.save()
    }

    /// Drops the bytes after the last noted piece or flush.
    pub(crate) fn roll_back(&mut self) -> Result<(), StoreError> {
        self.shorten(self.state.synced)
    }

    /// Adds bytes at the end. A full disk costs the part: what remained of it would only keep the disk full.
    pub(crate) fn append(&mut self, bytes: &[u8], config: &StoreConfig) -> Result<(), StoreError> {
        match self.file()?.write_all(bytes) {
            Ok(()) => {
                self.len += bytes.len() as u64;
                Ok(())
            }
            Err(error) if is_full(&error) => Err(self.out_of_space(bytes.len() as u64, config)),
            Err(cause) => Err(StoreError::Io { what: "write", path: self.path.clone(), cause }),
        }
    }

    /// Refuses work for which the disk has no room: `needed` more bytes and a little for the rest of the system.
    pub(crate) fn check_space(&self, needed: u64, config: &StoreConfig) -> Result<(), StoreError> {
        const RESERVE: u64 = 1 << 20;
        // A file system that cannot tell is found out while writing.
        match (config.free_space)(self.folder()) {
            Ok(available) if available < needed.saturating_add(RESERVE) => {
                Err(StoreError::DiskFull { path: self.folder().to_owned(), needed, available })
            }
            _ => Ok(()),
        }
    }

    /// Drops the part because the disk is full, and says how much is missing.
    pub(crate) fn out_of_space(&mut self, at_least: u64, config: &StoreConfig) -> StoreError {
        let needed = self.state.total.map_or(at_least, |total| total.saturating_sub(self.len));
        match self.discard() {
            Ok(()) => {
                let available = (config.free_space)(self.folder()).unwrap_or(0);
                StoreError::DiskFull { path: self.folder().to_owned(), needed, available }
            }
            Err(error) => error,
        }
    }

    /// Flushes, and notes that all bytes so far are on the disk.
    pub(crate) fn checkpoint(&mut self) -> Result<(), StoreError> {
        if let Some(file) = &self.file {
            file.sync_data().map_err(StoreError::io("flush", &self.path))?;
        }
        self.state.synced = self.len;
        self.save()
    }

    /// Writes down the state as it is now.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        let path = state_path(&self.model);
        write_json(&path, &self.state).map_err(StoreError::io("write", &path))
    }

    /// Removes the part and its state.
    pub(crate) fn discard(&mut self) -> Result<(), StoreError> {
        self.file = None;
        self.len = 0;
        self.resumed = false;
        for path in [state_path(&self.model), self.path.clone()] {
            remove(&path).map_err(StoreError::io("remove", &path))?;
        }
        Ok(())
    }

    /// The file itself, for the checks before it is published.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes the bytes and gives them the model's name. Until the record is written they still do not count. A record of an
    /// older file under this name goes first, for it would vouch for the new bytes.
    pub(crate) fn publish(&mut self) -> Result<(), StoreError> {
        self.checkpoint()?;
        self.file = None;
        let record = Record::path(&self.model);
        remove(&record).map_err(StoreError::io("remove", &record))?;
        fs::rename(&self.path, &self.model)
            .and_then(|()| sync_folder(&self.model))
            .map_err(StoreError::io("rename", &self.path))
    }

    /// Forgets the state: the last step, after the record.
    pub(crate) fn forget(self) -> Result<(), StoreError> {
        let path = state_path(&self.model);
        remove(&path).map_err(StoreError::io("remove", &path))
    }

    fn truncate(&mut self, len: u64) -> Result<(), StoreError> {
        // Not through the appending handle: Windows gives those no right to shorten.
        self.file = None;
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.path)
            .and_then(|file| file.set_len(len))
            .map_err(StoreError::io("shorten", &self.path))?;
        self.len = len;
        Ok(())
    }

    fn file(&mut self) -> Result<&mut File, StoreError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::options()
                .create(true)
                .append(true)
                .open(&self.path)
                .map_err(StoreError::io("open", &self.path))?,
        };
        Ok(self.file.insert(file))
    }

    fn folder(&self) -> &Path {
        self.model.parent().unwrap_or(&self.model)
    }
}

/// `<model>.state`.
pub(crate) fn state_path(model: &Path) -> PathBuf {
    with_suffix(model, ".state")
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
