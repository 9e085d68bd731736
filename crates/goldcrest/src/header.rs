//! The description of a model file whose bytes arrive later, as from a network or a browser's storage.

use goldcrest_engine::EngineError;
use goldcrest_gguf::{Gguf, GgufError, Parser, Progress};
use goldcrest_model::{ModelError, WeightSource};

/// Bytes read first: most headers without a large vocabulary fit.
const FIRST_READ: u64 = 256 << 10;
/// Most bytes of one read.
const MAX_READ: u64 = 4 << 20;

/// Reads and checks the header of a file of `file_len` bytes: 256 KiB first, then as much again whenever that was not enough.
///
/// # Errors
/// [`ModelError::Read`] from the source, [`EngineError::Gguf`].
pub async fn describe_source<S: WeightSource>(source: &mut S, file_len: u64) -> Result<Gguf, EngineError> {
    let mut parser = Parser::new(file_len);
    let (mut at, mut wanted) = (0, FIRST_READ.min(file_len));
    loop {
        let size = (wanted - at).min(MAX_READ);
        let mut piece = vec![0; size as usize];
        let read = source.read_at(at, &mut piece).await;
        read.map_err(|reason| ModelError::Read { offset: at, size, reason })?;
        at += size;
        let least = match parser.push(&piece)? {
            Progress::Done(gguf) => return Ok(gguf),
            Progress::Need(least) => least,
        };
        if at == wanted {
            wanted = at.saturating_mul(2).max(least).min(file_len);
        }
        if at == wanted {
            return Err(GgufError::ShortRead { offset: at, needed: least, available: file_len }.into());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;
    use goldcrest_gguf::write::GgufWriter;

    /// A file with a header of more than two reads.
    fn file() -> Vec<u8> {
        let mut writer = GgufWriter::new();
        writer.set("general.architecture", "llama").set("long", "x".repeat(5 << 20).as_str());
        writer.tensor_f32("output.weight", &[4, 4], &[1.0; 16]);
        writer.finish().unwrap()
    }

    fn describe(mut bytes: &[u8], len: usize) -> Result<Gguf, EngineError> {
        pollster::block_on(describe_source(&mut bytes, len as u64))
    }

    #[test]
    fn a_header_comes_in_pieces() {
        let file = file();
        assert_eq!(describe(&file, file.len()).unwrap().tensors.iter().count(), 1);
    }

    #[test]
    fn what_is_missing_is_said() {
        let file = file();
        for len in [0, 20, 300 << 10, 5 << 20] {
            let error = describe(&file[..len], len).unwrap_err();
            assert!(matches!(error, EngineError::Gguf(GgufError::Truncated { .. })), "{len}: {error}");
        }
        let error = describe(&file[..4096], file.len()).unwrap_err();
        assert!(matches!(error, EngineError::Model(ModelError::Read { offset: 0, .. })), "{error}");
    }
}
