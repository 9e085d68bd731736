//! Where the store lives and how patient it is, read once from the environment.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::StoreError;

/// All that the store takes from outside. Tests make their own.
#[derive(Clone, Debug)]
pub(crate) struct StoreConfig {
    /// The folder `models/` is made in.
    pub(crate) home: PathBuf,
    /// Scheme and host of the model hub, without a slash at the end.
    pub(crate) hub: String,
    /// Python interpreters to try, in order.
    pub(crate) pythons: Vec<OsString>,
    /// How long a name look-up, a connection or the first answer may take. Short, so that a closed machine comes to the next
    /// source before its user gives up.
    pub(crate) connect_timeout: Duration,
    /// How long a transfer may stand still before it counts as broken.
    pub(crate) stall_timeout: Duration,
    /// How often a transfer may fail in a row without moving forward.
    pub(crate) attempts: u32,
    /// The pause after the first failure; it doubles with each further one.
    pub(crate) backoff: Duration,
    /// Bytes that may still be written where the path is.
    pub(crate) free_space: fn(&Path) -> io::Result<u64>,
}

impl StoreConfig {
    /// `GOLDCREST_HOME` (else the platform's cache folder), `HF_ENDPOINT`, `GOLDCREST_PYTHON`.
    pub(crate) fn from_env() -> Result<Self, StoreError> {
        let home = folder_from("GOLDCREST_HOME")
            .or_else(|| platform_cache().map(|cache| cache.join("goldcrest")))
            .ok_or(StoreError::NoHome)?;
        let hub = text_from("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        let pythons = match std::env::var_os("GOLDCREST_PYTHON").filter(|python| !python.is_empty()) {
            Some(python) => vec![python],
            None => ["python3", "python", "py"].map(OsString::from).to_vec(),
        };
        Ok(Self {
            home,
            hub: hub.trim_end_matches('/').to_owned(),
            pythons,
            connect_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(30),
            attempts: 4,
            backoff: Duration::from_millis(500),
            free_space: |path| fs4::available_space(path),
        })
    }
}

/// The folder for data that can be fetched again. The cache specifications ignore relative paths, so they are ignored here.
fn platform_cache() -> Option<PathBuf> {
    let absolute = |name| folder_from(name).filter(|path| path.is_absolute());
    if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        std::env::home_dir().map(|home| home.join("Library").join("Caches"))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
    }
}

fn folder_from(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text_from(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
