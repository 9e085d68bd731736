//! One writer per model: a lock file held by the process that fetches or removes it.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::error::StoreError;
use super::report::Report;
use crate::interrupt::Interrupt;

const POLL: Duration = Duration::from_millis(100);

/// Held until dropped; the system lets go of it too when the process dies. The empty file stays: removing it would let two
/// processes lock two different files of the same name.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits, with one notice, while another process has it. Fails when interrupted or when the file cannot be locked.
    pub(crate) fn acquire(
        folder: &Path,
        file_name: &str,
        model: &str,
        report: &dyn Report,
        interrupt: &Interrupt,
    ) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(StoreError::io("make the folder", folder))?;
        let path = folder.join(format!("{file_name}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(StoreError::io("open the lock file", &path))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(cause)) => {
                    return Err(StoreError::Io { what: "lock", path, cause });
                }
            }
            if !told {
                report.notice(&format!("another goldcrest is working on {model}; waiting for it"));
                told = true;
            }
            if interrupt.wait(POLL) {
                return Err(StoreError::Interrupted { name: model.to_owned(), kept: 0 });
            }
        }
    }
}
