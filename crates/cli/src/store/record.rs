//! The commit record: the file that makes a model file count.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Records of another version are not read: their models count as absent.
pub(crate) const VERSION: u32 = 1;

/// What was checked before the file became visible. Written last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) version: u32,
    /// What the user calls the model; the first is shown.
    pub(crate) names: Vec<String>,
    /// Bytes.
    pub(crate) size: u64,
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
    /// The address the bytes came from.
    pub(crate) source: String,
    /// Seconds since 1970.
    pub(crate) fetched: u64,
}

impl Record {
    /// The record of `model`, if it can be read and has the version of this program.
    pub(crate) fn read(model: &Path) -> Option<Self> {
        read_json::<Self>(&Self::path(model))
            .filter(|record| record.version == VERSION && !record.names.is_empty())
    }

    /// Whether the file that this record speaks of has the recorded length.
    pub(crate) fn fits(&self, model: &Path) -> bool {
        fs::metadata(model).is_ok_and(|found| found.is_file() && found.len() == self.size)
    }

    /// Puts the record beside `model`, whole or not at all.
    pub(crate) fn write(&self, model: &Path) -> io::Result<()> {
        write_json(&Self::path(model), self)
    }

    /// `<model>.json`.
    pub(crate) fn path(model: &Path) -> PathBuf {
        with_suffix(model, ".json")
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// `path` with text after its whole name, the extension included.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A small JSON file, or nothing when it is absent, broken or of another shape.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes a small JSON file so that a reader, or a machine that loses power, sees the old one or the new one.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let temporary = with_suffix(path, ".new");
    let mut file = File::create(&temporary)?;
    file.write_all(serde_json::to_string_pretty(value)?.as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    sync_folder(path)
}

/// Makes a rename inside the folder of `path` survive a loss of power. Windows has no such call and needs none.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Removes a file; that it is already gone is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
