//! Stop strings over a stream of bytes.

use crate::error::SampleError;

/// Most stop strings of one request.
const MAX_STOPS: usize = 64;
/// Longest stop string, in bytes.
const MAX_STOP_BYTES: usize = 1024;

/// What [`StopMatcher::push`] lets through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StopPush {
    /// Bytes that can no longer be part of a stop string.
    pub emit: Vec<u8>,
    /// Index of the stop string that ended the stream; everything from its first byte on is dropped.
    pub matched: Option<usize>,
}

/// What [`StopMatcher::push_str`] lets through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StopText {
    /// Text that can no longer be part of a stop string.
    pub emit: String,
    /// Index of the stop string that ended the stream.
    pub matched: Option<usize>,
}

/// Cuts a stream at the first stop string, wherever its pieces are split.
///
/// The stream ends at the earliest byte at which some stop string is complete. If several are complete there, the
/// longest one counts (of equal ones, the first in the list), and the text is cut before its first byte. A byte is
/// held back exactly as long as it belongs to a beginning of a stop string that may still be completed. The result
/// does not depend on how the stream is cut into pieces.
#[derive(Debug, Clone)]
pub struct StopMatcher {
    patterns: Vec<Pattern>,
    /// Bytes read and not yet let through.
    held: Vec<u8>,
    matched: Option<usize>,
}

#[derive(Debug, Clone)]
struct Pattern {
    bytes: Vec<u8>,
    /// Knuth-Morris-Pratt: length of the longest proper border of each prefix, by prefix length.
    border: Vec<usize>,
    /// Bytes of the pattern that the stream currently ends with.
    state: usize,
}

impl StopMatcher {
    /// A matcher for `stops`; with an empty list everything passes.
    ///
    /// # Errors
    /// [`SampleError::InvalidParameter`] named `stop`: more than 64 strings, an empty one, or one over 1,024 bytes.
    pub fn new<S: AsRef<[u8]>>(stops: &[S]) -> Result<Self, SampleError> {
        let invalid = |value: usize, allowed| {
            Err(SampleError::InvalidParameter { name: "stop", value: value.to_string(), allowed })
        };
        if stops.len() > MAX_STOPS {
            return invalid(stops.len(), "at most 64 stop strings");
        }
        let mut patterns = Vec::with_capacity(stops.len());
        for stop in stops {
            let bytes = stop.as_ref();
            if bytes.is_empty() || bytes.len() > MAX_STOP_BYTES {
                return invalid(bytes.len(), "stop strings of 1 to 1024 bytes");
            }
            patterns.push(Pattern::new(bytes));
        }
        Ok(Self { patterns, held: Vec::new(), matched: None })
    }

    /// Reads a piece. After a match, everything further is dropped.
    pub fn push(&mut self, piece: &[u8]) -> StopPush {
        if self.matched.is_some() {
            return StopPush { emit: Vec::new(), matched: self.matched };
        }
        for &byte in piece {
            self.held.push(byte);
            for pattern in &mut self.patterns {
                pattern.step(byte);
            }
            let complete = self.patterns.iter().enumerate().filter(|(_, pattern)| pattern.is_complete());
            if let Some((index, pattern)) = complete.max_by_key(|(i, p)| (p.bytes.len(), usize::MAX - i)) {
                let keep = self.held.len().saturating_sub(pattern.bytes.len());
                self.held.truncate(keep);
                self.matched = Some(index);
                return StopPush { emit: std::mem::take(&mut self.held), matched: self.matched };
            }
        }
        let hold = self.patterns.iter().map(|pattern| pattern.state).max().unwrap_or(0);
        let emit = self.held.drain(..self.held.len().saturating_sub(hold)).collect();
        StopPush { emit, matched: None }
    }

    /// Reads a piece of text. Stop strings that are text begin and end at character borders, so what comes out is
    /// text as well.
    pub fn push_str(&mut self, piece: &str) -> StopText {
        let StopPush { emit, matched } = self.push(piece.as_bytes());
        StopText { emit: lossless(emit), matched }
    }

    /// What was held back when the stream ended without a match.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// [`StopMatcher::finish`] for a stream fed by [`StopMatcher::push_str`].
    pub fn finish_str(&mut self) -> String {
        lossless(self.finish())
    }

    /// Index of the stop string that ended the stream.
    #[must_use]
    pub fn matched(&self) -> Option<usize> {
        self.matched
    }
}

impl Pattern {
    fn new(bytes: &[u8]) -> Self {
        let mut pattern = Self { bytes: bytes.to_vec(), border: vec![0; bytes.len() + 1], state: 0 };
        let mut length = 0;
        for (i, byte) in bytes.iter().enumerate().skip(1) {
            while length > 0 && pattern.bytes.get(length) != Some(byte) {
                length = pattern.border_of(length);
            }
            if pattern.bytes.get(length) == Some(byte) {
                length += 1;
            }
            if let Some(slot) = pattern.border.get_mut(i + 1) {
                *slot = length;
            }
        }
        pattern
    }

    fn step(&mut self, byte: u8) {
        while self.state > 0 && self.bytes.get(self.state) != Some(&byte) {
            self.state = self.border_of(self.state);
        }
        if self.bytes.get(self.state) == Some(&byte) {
            self.state += 1;
        }
    }

    fn is_complete(&self) -> bool {
        self.state == self.bytes.len()
    }

    fn border_of(&self, length: usize) -> usize {
        self.border.get(length).copied().unwrap_or(0)
    }
}

/// Bytes that are text; should a caller have mixed in bytes that are not, they are replaced rather than lost.
fn lossless(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
