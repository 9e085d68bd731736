//! Looking at the bytes of a finished file: magic and sum.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::report::Report;
use crate::interrupt::Interrupt;

const MAGIC: &[u8; 4] = b"GGUF";

/// The sha256 of a file in lower-case hexadecimal, with progress. Fails when it cannot be read or Ctrl-C is pressed.
pub(crate) fn sha256_of(
    path: &Path,
    name: &str,
    report: &dyn Report,
    interrupt: &Interrupt,
) -> Result<String, StoreError> {
    let failed = || StoreError::io("read", path);
    let mut file = File::open(path).map_err(failed())?;
    let total = file.metadata().map_err(failed())?.len();
    report.begin(&format!("checking {name}"), Some(total), 0);
    let summed = sum(&mut file, name, total, report, interrupt, path);
    report.end();
    summed
}

/// What the first bytes are, when they are not the GGUF magic. Fewer than four bytes are not the magic.
pub(crate) fn wrong_magic(start: &[u8]) -> Option<String> {
    if start.starts_with(MAGIC) {
        return None;
    }
    let text = String::from_utf8_lossy(start.get(..start.len().min(16)).unwrap_or_default());
    let lower = text.trim_start().to_ascii_lowercase();
    Some(match lower.as_str() {
        "" => "nothing: it is empty".to_owned(),
        page if page.starts_with("<!doctype") || page.starts_with("<html") => {
            format!("{:?}, a web page", text.trim_end())
        }
        lfs if lfs.starts_with("version https:/") => {
            "a pointer to a file kept elsewhere (Git LFS)".to_owned()
        }
        _ => format!("{text:?}"),
    })
}

/// The first bytes of a file, up to 16.
pub(crate) fn first_bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut start))
        .map_err(StoreError::io("read", path))?;
    Ok(start)
}

fn sum(
    file: &mut File,
    name: &str,
    total: u64,
    report: &dyn Report,
    interrupt: &Interrupt,
    path: &Path,
) -> Result<String, StoreError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        if interrupt.is_set() {
            return Err(StoreError::Interrupted { name: name.to_owned(), kept: total });
        }
        let n = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(StoreError::Io { what: "read", path: path.to_owned(), cause }),
        };
        hasher.update(buffer.get(..n).unwrap_or_default());
        done += n as u64;
        report.at(done);
    }
    Ok(hex(&hasher.finalize()))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
