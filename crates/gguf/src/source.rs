use crate::cursor::{Cursor, to_u64};
use crate::parser::FixedHeader;
use crate::{Gguf, GgufError, Parser, Progress, SourceError};

/// Bytes read first. Most headers without a large tokenizer fit; each further read doubles the total.
const FIRST_READ: u64 = 256 << 10;

/// A file that can be read at any offset without waiting.
pub trait ByteSource {
    /// Why a read failed.
    type Error;

    /// Length of the file in bytes.
    fn len(&self) -> u64;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills all of `buf` with the bytes from `offset` on.
    ///
    /// # Errors
    /// Any, and always when fewer bytes are there than asked for.
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), Self::Error>;
}

impl ByteSource for &[u8] {
    type Error = GgufError;

    fn len(&self) -> u64 {
        to_u64((**self).len())
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), GgufError> {
        let start = usize::try_from(offset).ok();
        let found = start.and_then(|start| self.get(start..)).and_then(|rest| rest.get(..buf.len()));
        let short =
            || GgufError::ShortRead { offset, needed: to_u64(buf.len()), available: to_u64((**self).len()) };
        buf.copy_from_slice(found.ok_or_else(short)?);
        Ok(())
    }
}

impl Gguf {
    /// Reads the header of `source`: 256 KiB first, then twice as much whenever that was not enough. Bytes already
    /// taken over are dropped, so the memory in use stays below twice the header.
    ///
    /// Every byte is read and judged once. A source that has another length or another start afterwards is
    /// refused; one that changes its tensor data later can only give other numbers, since the ranges stay those
    /// checked here.
    ///
    /// # Errors
    /// [`SourceError::Read`] from the source, [`SourceError::Gguf`] for everything else.
    pub fn from_source<S: ByteSource>(source: &mut S) -> Result<Self, SourceError<S::Error>> {
        let file_len = source.len();
        let mut parser = Parser::new(file_len);
        let (mut total, mut wanted) = (0, FIRST_READ.min(file_len));
        loop {
            let n = usize::try_from(wanted.saturating_sub(total)).unwrap_or(usize::MAX);
            let progress = parser.push_with(n, |buf| source.read_at(total, buf))?;
            total = wanted;
            match progress {
                Progress::Need(least) => wanted = total.saturating_mul(2).max(least).min(file_len),
                Progress::Done(gguf) => {
                    check_unchanged(source, file_len, parser.fixed())?;
                    return Ok(gguf);
                }
            }
        }
    }
}

fn check_unchanged<S: ByteSource>(
    source: &mut S,
    file_len: u64,
    fixed: &FixedHeader,
) -> Result<(), SourceError<S::Error>> {
    if source.len() != file_len {
        return Err(GgufError::SourceChanged { what: "length" }.into());
    }
    let mut again = [0; FixedHeader::BYTES];
    source.read_at(0, &mut again).map_err(SourceError::Read)?;
    match FixedHeader::read(&mut Cursor::new(&again, 0, file_len)) {
        Ok(again) if again == *fixed => Ok(()),
        _ => Err(GgufError::SourceChanged { what: "first bytes" }.into()),
    }
}
