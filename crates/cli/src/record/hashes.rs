//! What a generation depends on, as hashes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use goldcrest::Text;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::CliError;

/// Longer files are known by their beginning and size: reading 4 GiB takes about ten seconds.
const WHOLE: u64 = 4 << 30;
/// The beginning: more than the header of any published model, with its vocabulary.
const BEGINNING: u64 = 64 << 20;

/// Which model file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelHash {
    /// The file's name without its folder.
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// What was hashed: `file`, or `first 64 MiB and size`.
    pub(crate) of: String,
}

impl ModelHash {
    pub(crate) fn of(path: &Path) -> Result<Self, CliError> {
        let failed = |cause| CliError::File { path: path.display().to_string(), cause };
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut hash = Sha256::new();
        let of = if bytes <= WHOLE {
            io::copy(&mut file, &mut Sink(&mut hash)).map_err(failed)?;
            "file"
        } else {
            io::copy(&mut file.take(BEGINNING), &mut Sink(&mut hash)).map_err(failed)?;
            hash.update(bytes.to_le_bytes());
            "first 64 MiB and size"
        };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Self { file: name.unwrap_or_default(), bytes, sha256: hex(hash), of: of.to_owned() })
    }
}

/// A hash as a place to write to.
struct Sink<'a>(&'a mut Sha256);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Of every piece with its length, in order: what tokens mean.
pub(super) fn tokenizer(text: &Text) -> String {
    let tokenizer = text.tokenizer();
    let mut hash = Sha256::new();
    for id in 0..u32::try_from(tokenizer.n_vocab()).unwrap_or(u32::MAX) {
        let piece = tokenizer.piece(id).unwrap_or_default();
        hash.update((piece.len() as u64).to_le_bytes());
        hash.update(piece);
    }
    hex(hash)
}

/// SHA-256 of parts end to end, in lower-case hexadecimal.
pub(crate) fn sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
