use std::fmt;

/// Strings of an array, in one allocation. 150,000 token pieces as single `String`s would cost three times as much.
///
/// Pieces of `tokenizer.ggml.tokens` and `.merges` can hold any bytes; all other arrays of a file hold UTF-8.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StringArray {
    text: Vec<u8>,
    /// `ends[i]` is where string `i` ends in `text`; 32 bits suffice below `limits::MAX_HEADER_BYTES`.
    ends: Vec<u32>,
}

impl StringArray {
    /// An empty array.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no string.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of string `i`, or `None` past the end.
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        let end = usize::try_from(*self.ends.get(i)?).ok()?;
        let start = match i.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// Text of string `i`, or `None` past the end or when it is not UTF-8.
    pub fn get_str(&self, i: usize) -> Option<&str> {
        std::str::from_utf8(self.get(i)?).ok()
    }

    /// The strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|i| self.get(i).unwrap_or_default())
    }

    /// Bytes of all strings together.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn with_capacity(n_strings: usize, text_bytes: usize) -> Self {
        Self { text: Vec::with_capacity(text_bytes), ends: Vec::with_capacity(n_strings) }
    }

    /// Appends `piece`, unless the text would pass 4 GiB.
    pub(crate) fn push(&mut self, piece: &[u8]) -> bool {
        let end = self.text.len().checked_add(piece.len()).and_then(|end| u32::try_from(end).ok());
        if let Some(end) = end {
            self.text.extend_from_slice(piece);
            self.ends.push(end);
        }
        end.is_some()
    }
}

/// Builds an array; strings from the first that would pass 4 GiB in all are left out.
impl<T: AsRef<[u8]>> FromIterator<T> for StringArray {
    fn from_iter<I: IntoIterator<Item = T>>(pieces: I) -> Self {
        let mut all = Self::new();
        for piece in pieces {
            if !all.push(piece.as_ref()) {
                break;
            }
        }
        all
    }
}

impl fmt::Debug for StringArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}
