//! What the store holds: listing, looking up by name, checking, removing.

use std::fs;
use std::path::{Path, PathBuf};

use super::check::sha256_of;
use super::error::StoreError;
use super::part::{State, state_path};
use super::record::{Record, read_json, remove, with_suffix};
use super::{Model, Store, near};

/// A committed model.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) path: PathBuf,
    pub(crate) record: Record,
    /// Whether the file has the recorded length.
    pub(crate) whole: bool,
}

/// A download that was not finished.
#[derive(Clone, Debug)]
pub(crate) struct Unfinished {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    /// Bytes kept.
    pub(crate) size: u64,
    /// Bytes of the whole file, if known.
    pub(crate) total: Option<u64>,
}

impl Store {
    /// All models with a record, by name. A folder that does not exist yet holds none.
    pub(crate) fn stored(&self) -> Vec<Stored> {
        let mut found: Vec<Stored> = self
            .files_ending(".gguf.json")
            .filter_map(|record| {
                let path = record.with_extension("");
                let record = Record::read(&path)?;
                Some(Stored { whole: record.fits(&path), path, record })
            })
            .collect();
        found.sort_by(|a, b| a.record.names.cmp(&b.record.names));
        found
    }

    /// Downloads that can be gone on with, by name.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        let mut found: Vec<Unfinished> = self
            .files_ending(".gguf.part")
            .filter_map(|path| {
                let state: State = read_json(&state_path(&path.with_extension("")))?;
                let size = fs::metadata(&path).ok()?.len();
                Some(Unfinished { name: state.name, size, total: state.total, path })
            })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// The whole model that is stored under this name.
    pub(super) fn stored_as(&self, name: &str) -> Option<Model> {
        let named = |stored: &Stored| stored.whole && stored.record.names.iter().any(|known| known == name);
        let stored = self.stored().into_iter().find(named)?;
        Some(Model { path: stored.path, record: stored.record, fetched: false })
    }

    /// Whether the bytes on the disk still have the recorded sum. Reads the whole file.
    pub(crate) fn is_intact(&self, stored: &Stored) -> Result<bool, StoreError> {
        if !stored.whole {
            return Ok(false);
        }
        let name = stored.record.names.first().map_or("", String::as_str);
        let sum = sha256_of(&stored.path, name, self.report.as_ref(), &self.interrupt);
        match sum {
            Err(StoreError::Interrupted { .. }) => {
                Err(StoreError::Interrupted { name: name.to_owned(), kept: 0 })
            }
            Err(_) => Ok(false),
            Ok(sum) => Ok(sum == stored.record.sha256),
        }
    }

    /// Removes the models and unfinished downloads with these names; nothing at all when one of them is unknown. Returns what
    /// was removed and how many bytes that frees.
    pub(crate) fn remove(&self, names: &[String]) -> Result<Vec<(String, u64)>, StoreError> {
        let (stored, unfinished) = (self.stored(), self.unfinished());
        let mut targets: Vec<(String, PathBuf)> = Vec::new();
        for name in names {
            let models = stored.iter().filter(|model| is_called(model, name)).map(|model| model.path.clone());
            let parts =
                unfinished.iter().filter(|part| part.name == *name).map(|part| part.path.with_extension(""));
            let paths: Vec<PathBuf> = models.chain(parts).collect();
            if paths.is_empty() {
                let known = stored.iter().flat_map(|model| model.record.names.clone());
                let known = known.chain(unfinished.iter().map(|part| part.name.clone()));
                return Err(StoreError::NotStored { name: name.clone(), near: near(name, known) });
            }
            for path in paths {
                if !targets.iter().any(|(_, known)| *known == path) {
                    targets.push((name.clone(), path));
                }
            }
        }
        targets
            .into_iter()
            .map(|(name, path)| self.remove_one(&path, &name).map(|freed| (name, freed)))
            .collect()
    }

    fn remove_one(&self, model: &Path, name: &str) -> Result<u64, StoreError> {
        let file_name = model.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let _lock = self.lock(&file_name, name)?;
        let mut freed = 0;
        // The record first: without it nothing that is left counts.
        for path in [Record::path(model), model.to_owned(), state_path(model), with_suffix(model, ".part")] {
            freed += fs::metadata(&path).map_or(0, |found| found.len());
            remove(&path).map_err(StoreError::io("remove", &path))?;
        }
        Ok(freed)
    }

    fn files_ending(&self, suffix: &'static str) -> impl Iterator<Item = PathBuf> {
        fs::read_dir(self.models_folder())
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(move |path| path.to_string_lossy().ends_with(suffix))
    }
}

fn is_called(stored: &Stored, name: &str) -> bool {
    stored.record.names.iter().any(|known| known == name)
        || stored.path.file_name().is_some_and(|file| file.to_string_lossy() == name)
}
