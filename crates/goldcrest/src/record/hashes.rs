//! What a generation depends on, as hashes.

use goldcrest_engine::Text;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Which model file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelHash {
    /// The file's name without its folder.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// In lower-case hexadecimal.
    pub sha256: String,
    /// What was hashed: `file`, or `first 64 MiB and size`.
    pub of: String,
}

impl ModelHash {
    /// Longer files are known by their beginning and size: reading 4 GiB takes about ten seconds.
    pub const WHOLE: u64 = 4 << 30;
    /// The beginning: more than the header of any published model, with its vocabulary.
    pub const BEGINNING: u64 = 64 << 20;

    /// Hashes a file that `read` gives piece by piece from its start, with nothing at its end.
    ///
    /// # Errors
    /// Whatever `read` fails with.
    pub fn of<E, B: AsRef<[u8]>>(
        file: &str,
        bytes: u64,
        mut read: impl FnMut() -> Result<B, E>,
    ) -> Result<Self, E> {
        let mut hash = Sha256::new();
        let whole = bytes <= Self::WHOLE;
        let mut left = if whole { u64::MAX } else { Self::BEGINNING };
        while left > 0 {
            let piece = read()?;
            let piece = piece.as_ref();
            if piece.is_empty() {
                break;
            }
            let wanted = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            hash.update(&piece[..wanted]);
            left -= wanted as u64;
        }
        if !whole {
            hash.update(bytes.to_le_bytes());
        }
        let of = if whole { "file" } else { "first 64 MiB and size" };
        Ok(Self { file: file.to_owned(), bytes, sha256: hex(hash), of: of.to_owned() })
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
pub(super) fn sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
