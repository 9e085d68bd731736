use crate::cursor::{Cursor, Stop, to_u64};
use crate::kv::{self, MIN_PAIR_BYTES, StringScan};
use crate::limits::{DEFAULT_ALIGNMENT, MAX_ALIGNMENT, MAX_KEYS, MAX_TENSORS, MIN_ALIGNMENT};
use crate::tensor::MIN_TENSOR_INFO_BYTES;
use crate::{Gguf, GgufError, Metadata, SourceError, StringArray, TensorInfo, Tensors, Value};

/// Parses a header that arrives in pieces.
///
/// Give it either the pieces ([`push`](Self::push)) or the growing prefix of the file ([`parse`](Self::parse)), not
/// both. Pairs and tensor descriptions are taken over one by one as soon as they are whole, and never read again.
///
/// The memory it holds at any time is at most the header's own size for text and arrays, 32 bytes a pair, 80 bytes
/// a tensor (for as many as the file announces and has room for), and with `push` the bytes of one unfinished pair.
#[derive(Debug)]
pub struct Parser {
    file_len: u64,
    stage: Stage,
    /// File offset of the first byte not yet taken over.
    at: u64,
    /// File length below which trying again is useless.
    need: u64,
    fixed: FixedHeader,
    keys: StringArray,
    values: Vec<Value>,
    scan: StringScan,
    metadata: Metadata,
    alignment: u64,
    tensors: Vec<TensorInfo>,
    /// Bytes pushed from `at` on.
    pending: Vec<u8>,
}

/// What the parser can say after more bytes.
#[derive(Debug)]
pub enum Progress {
    /// The header has not arrived whole: at least the first this many bytes of the file are needed, which is more
    /// than were given and not more than the file has. Asking for more than that at once saves round trips.
    Need(u64),
    /// The header is whole and correct.
    Done(Gguf),
}

impl Parser {
    /// A parser for a file of `file_len` bytes. Lengths in the file are compared with it before anything is
    /// allocated for them.
    pub fn new(file_len: u64) -> Self {
        Self {
            file_len,
            stage: Stage::Fixed,
            at: 0,
            need: 0,
            fixed: FixedHeader::default(),
            keys: StringArray::new(),
            values: Vec::new(),
            scan: StringScan::default(),
            metadata: Metadata::default(),
            alignment: DEFAULT_ALIGNMENT,
            tensors: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// Continues with `bytes_so_far`, the file from its first byte, as far as it has arrived.
    ///
    /// # Errors
    /// Every reason for which a file can be refused, and [`GgufError::AlreadyDone`] after the result or an
    /// error was given.
    pub fn parse(&mut self, bytes_so_far: &[u8]) -> Result<Progress, GgufError> {
        let n = to_u64(bytes_so_far.len());
        let start = usize::try_from(self.at).ok();
        let window = start.and_then(|start| bytes_so_far.get(start..)).unwrap_or_default();
        self.advance(window, n)
    }

    /// Continues with the next piece of the file.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn push(&mut self, bytes: &[u8]) -> Result<Progress, GgufError> {
        self.check_room(to_u64(bytes.len()))?;
        self.pending.extend_from_slice(bytes);
        self.advance_pending()
    }

    /// Continues with the next `n` bytes of the file, which `read` puts into place.
    pub(crate) fn push_with<E>(
        &mut self,
        n: usize,
        read: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Progress, SourceError<E>> {
        self.check_room(to_u64(n))?;
        let old_len = self.pending.len();
        self.pending.reserve_exact(n);
        self.pending.resize(old_len.saturating_add(n), 0);
        read(self.pending.get_mut(old_len..).unwrap_or_default()).map_err(SourceError::Read)?;
        Ok(self.advance_pending()?)
    }

    /// The counts at the start of the file as they were read.
    pub(crate) fn fixed(&self) -> &FixedHeader {
        &self.fixed
    }

    /// Bytes pushed so far.
    fn n_pushed(&self) -> u64 {
        self.at.saturating_add(to_u64(self.pending.len()))
    }

    fn check_room(&self, n: u64) -> Result<(), GgufError> {
        let (found, file_len) = (self.n_pushed().saturating_add(n), self.file_len);
        if found > file_len { Err(GgufError::TooManyBytes { found, file_len }) } else { Ok(()) }
    }

    fn advance_pending(&mut self) -> Result<Progress, GgufError> {
        let (before, n) = (self.at, self.n_pushed());
        let mut pending = std::mem::take(&mut self.pending);
        let progress = self.advance(&pending, n);
        let used = usize::try_from(self.at.saturating_sub(before)).unwrap_or(usize::MAX);
        pending.drain(..used.min(pending.len()));
        self.pending = pending;
        progress
    }

    /// `window` holds the bytes from `self.at` on, up to file offset `n`.
    fn advance(&mut self, window: &[u8], n: u64) -> Result<Progress, GgufError> {
        if n > self.file_len {
            return Err(GgufError::TooManyBytes { found: n, file_len: self.file_len });
        }
        if n < self.need {
            return Ok(Progress::Need(self.need));
        }
        let mut cur = Cursor::new(window, self.at, self.file_len);
        loop {
            match self.read_item(&mut cur) {
                Ok(None) => self.at = cur.at(),
                Ok(Some(gguf)) => return Ok(Progress::Done(gguf)),
                Err(Stop::Need(need)) => {
                    self.need = need;
                    return Ok(Progress::Need(need));
                }
                Err(Stop::Fail(error)) => {
                    self.stage = Stage::Done;
                    return Err(error);
                }
            }
        }
    }

    /// Takes over the next whole item, or nothing of it.
    fn read_item(&mut self, cur: &mut Cursor<'_>) -> Result<Option<Gguf>, Stop> {
        match self.stage {
            Stage::Fixed => {
                self.fixed = FixedHeader::read(cur)?;
                // The counts fit the bytes left; growing by doubling would hold up to three times the room while it moves.
                self.values.reserve_exact(usize::try_from(self.fixed.n_kv).unwrap_or(0));
                self.stage = Stage::Metadata;
            }
            Stage::Metadata if to_u64(self.values.len()) < self.fixed.n_kv => {
                let key = kv::read_key(cur)?;
                let value = kv::read_value(cur, key, &mut self.scan)?;
                self.keys.push(key.as_bytes());
                self.values.push(value);
            }
            Stage::Metadata => {
                self.metadata =
                    Metadata::new(std::mem::take(&mut self.keys), std::mem::take(&mut self.values))?;
                self.alignment = checked_alignment(&self.metadata)?;
                self.tensors.reserve_exact(usize::try_from(self.fixed.n_tensors).unwrap_or(0));
                self.stage = Stage::Tensors;
            }
            Stage::Tensors if to_u64(self.tensors.len()) < self.fixed.n_tensors => {
                self.tensors.push(TensorInfo::read(cur)?);
            }
            Stage::Tensors => {
                let gguf = self.finish(cur.at())?;
                self.stage = Stage::Done;
                return Ok(Some(gguf));
            }
            Stage::Done => return Err(GgufError::AlreadyDone.into()),
        }
        Ok(None)
    }

    fn finish(&mut self, header_len: u64) -> Result<Gguf, GgufError> {
        let alignment = self.alignment;
        let data_offset = header_len.checked_next_multiple_of(alignment).unwrap_or(u64::MAX);
        let tensors = Tensors::new(std::mem::take(&mut self.tensors))?;
        tensors.check_layout(data_offset, alignment, self.file_len)?;
        let metadata = std::mem::take(&mut self.metadata);
        Ok(Gguf { version: self.fixed.version, alignment, data_offset, metadata, tensors })
    }
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Fixed,
    Metadata,
    Tensors,
    Done,
}

/// The first 24 bytes of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FixedHeader {
    version: u32,
    n_tensors: u64,
    n_kv: u64,
}

impl FixedHeader {
    pub(crate) const BYTES: usize = 24;

    pub(crate) fn read(cur: &mut Cursor<'_>) -> Result<Self, Stop> {
        let found: [u8; 4] = cur.array("magic")?;
        if found != *b"GGUF" {
            return Err(GgufError::BadMagic { found }.into());
        }
        let version = cur.u32("version")?;
        match (version, version.swap_bytes()) {
            (2 | 3, _) => {}
            (_, version @ 1..=3) => return Err(GgufError::BigEndian { version }.into()),
            (found, _) => return Err(GgufError::UnsupportedVersion { found }.into()),
        }
        let n_tensors = cur.u64("tensor count")?;
        if n_tensors > MAX_TENSORS {
            return Err(GgufError::TooManyTensors { found: n_tensors, limit: MAX_TENSORS }.into());
        }
        let n_kv = cur.u64("metadata count")?;
        if n_kv > MAX_KEYS {
            return Err(GgufError::TooManyKeys { found: n_kv, limit: MAX_KEYS }.into());
        }
        // Both counts are at most 65,536: the sum is small.
        let least = n_kv.saturating_mul(MIN_PAIR_BYTES);
        let least = least.saturating_add(n_tensors.saturating_mul(MIN_TENSOR_INFO_BYTES));
        cur.require(least, "metadata pairs and tensor descriptions")?;
        Ok(Self { version, n_tensors, n_kv })
    }
}

fn checked_alignment(metadata: &Metadata) -> Result<u64, GgufError> {
    let found = metadata.get_opt("general.alignment")?.unwrap_or(DEFAULT_ALIGNMENT);
    if found.is_power_of_two() && (MIN_ALIGNMENT..=MAX_ALIGNMENT).contains(&found) {
        Ok(found)
    } else {
        Err(GgufError::BadAlignment { found, min: MIN_ALIGNMENT, max: MAX_ALIGNMENT })
    }
}
