//! What graphics drivers compiled, kept from process to process. All of it can be lost: then drivers compile again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Store;
use super::record::with_suffix;

/// Bytes of the sum that files begin with.
const SUM: usize = 32;

impl Store {
    /// The bytes kept under a name, if they are as they were written.
    pub(crate) fn pipelines(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.pipelines_path(name)).ok()?;
        let (sum, data) = bytes.split_at_checked(SUM)?;
        if Sha256::digest(data)[..] != *sum {
            return None;
        }
        Some(bytes.split_off(SUM))
    }

    /// Keeps bytes under a name. What cannot be written costs a later process some time and this one nothing, so errors end here.
    pub(crate) fn keep_pipelines(&self, name: &str, data: &[u8]) {
        if self.pipelines(name).is_none_or(|kept| kept != data) {
            let path = self.pipelines_path(name);
            // Where not even the new file can be made, the old one stays.
            drop(write(&path, data));
        }
    }

    fn pipelines_path(&self, name: &str) -> PathBuf {
        self.config.home.join("pipelines").join(name)
    }
}

/// Writes aside and renames: another process sees the old bytes or the new ones.
fn write(path: &Path, data: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = with_suffix(path, &format!(".{}.new", std::process::id()));
    let mut file = File::create(&temporary)?;
    let written = file.write_all(&Sha256::digest(data)).and_then(|()| file.write_all(data));
    drop(file);
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        fs::remove_file(&temporary)?;
    }
    renamed
}
