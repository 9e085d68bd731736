use crate::{GgufError, limits::MAX_HEADER_BYTES};

/// Why an item of the header cannot be finished now.
pub(crate) enum Stop {
    /// The item needs the file's first `n` bytes at least, and they exist.
    Need(u64),
    Fail(GgufError),
}

impl From<GgufError> for Stop {
    fn from(error: GgufError) -> Self {
        Self::Fail(error)
    }
}

/// Reads forward through the part of the header which has arrived.
///
/// A length read from the file is trusted only after [`require`](Self::require), which compares it with the bytes
/// left in the file, not only with those at hand.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    at: u64,
    file_len: u64,
}

impl<'a> Cursor<'a> {
    /// `window` holds the file's bytes from offset `at` on.
    pub(crate) fn new(window: &'a [u8], at: u64, file_len: u64) -> Self {
        Self { rest: window, at, file_len }
    }

    /// Offset of the next byte in the file.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Checks that `n` more bytes fit into the file and the header limit; gives the offset where they end.
    pub(crate) fn require(&self, n: u64, what: &'static str) -> Result<u64, GgufError> {
        let offset = self.at;
        match offset.checked_add(n) {
            Some(end) if end <= self.file_len => {
                if end > MAX_HEADER_BYTES {
                    return Err(GgufError::HeaderTooLong {
                        what,
                        offset,
                        needed: n,
                        limit: MAX_HEADER_BYTES,
                    });
                }
                Ok(end)
            }
            _ => Err(GgufError::Truncated { what, offset, needed: n, file_len: self.file_len }),
        }
    }

    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: u64, what: &'static str) -> Result<&'a [u8], Stop> {
        let end = self.require(n, what)?;
        let split = usize::try_from(n).ok().and_then(|n| self.rest.split_at_checked(n));
        let (head, tail) = split.ok_or(Stop::Need(end))?;
        (self.rest, self.at) = (tail, end);
        Ok(head)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Stop> {
        let end = self.require(to_u64(N), what)?;
        let (head, tail) = self.rest.split_first_chunk().ok_or(Stop::Need(end))?;
        (self.rest, self.at) = (tail, end);
        Ok(*head)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Stop> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Stop> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }
}

/// Widens a length. No supported target has a `usize` over 64 bits.
pub(crate) fn to_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
