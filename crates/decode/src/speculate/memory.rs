//! What drafters remember of a model from one request to the next, and that as bytes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::DecodeError;

/// Successors remembered of each token.
pub const SUCCESSORS: usize = 8;
/// First bytes of a stored memory.
const MAGIC: &[u8; 8] = b"GCSPEC01";

/// What a drafter learnt of a model's habits: for each token, what the model thought likeliest behind it the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftMemory {
    successors: BTreeMap<u32, Vec<u32>>,
}

/// A memory that requests share.
pub type SharedMemory = Rc<RefCell<DraftMemory>>;

impl DraftMemory {
    /// The likeliest tokens behind a token, best first; nothing where it never came.
    #[must_use]
    pub fn successors(&self, token: u32) -> &[u32] {
        self.successors.get(&token).map_or(&[], Vec::as_slice)
    }

    /// Remembers the likeliest tokens behind a token, best first, in place of those before.
    pub fn remember(&mut self, token: u32, successors: impl IntoIterator<Item = u32>) {
        self.successors.insert(token, successors.into_iter().take(SUCCESSORS).collect());
    }

    /// Tokens with successors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.successors.len()
    }

    /// Whether nothing was learnt yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.successors.is_empty()
    }

    /// As bytes: the magic, then per token its id, the number of successors and those, all u32, lowest byte first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (token, successors) in &self.successors {
            let words = [*token, successors.len() as u32].into_iter().chain(successors.iter().copied());
            bytes.extend(words.flat_map(u32::to_le_bytes));
        }
        bytes
    }

    /// Reads what [`DraftMemory::to_bytes`] wrote for a model of `n_vocab` tokens.
    ///
    /// # Errors
    /// [`DecodeError::BadMemory`].
    pub fn from_bytes(bytes: &[u8], n_vocab: u32) -> Result<Self, DecodeError> {
        let bad = |reason| Err(DecodeError::BadMemory { reason });
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return bad("it does not begin as one") };
        let (words, odd) = rest.as_chunks::<4>();
        if !odd.is_empty() {
            return bad("it is cut off");
        }
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let mut memory = Self::default();
        while let Some(token) = words.next() {
            let Some(n) = words.next() else { return bad("it is cut off") };
            let n = n as usize;
            let successors: Vec<u32> = words.by_ref().take(n.min(SUCCESSORS)).collect();
            if n > SUCCESSORS || successors.len() < n {
                return bad("it is cut off");
            }
            if token >= n_vocab || successors.iter().any(|token| *token >= n_vocab) {
                return bad("it names tokens that the model does not have");
            }
            memory.successors.insert(token, successors);
        }
        Ok(memory)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    #[test]
    fn it_survives_being_stored_and_refuses_what_is_no_memory() {
        let mut memory = DraftMemory::default();
        memory.remember(3, [1, 2]);
        memory.remember(0, 0..20);
        assert_eq!(memory.successors(0).len(), SUCCESSORS);
        let bytes = memory.to_bytes();
        assert_eq!(DraftMemory::from_bytes(&bytes, 20).unwrap(), memory);
        let bad =
            |bytes: &[u8], n| matches!(DraftMemory::from_bytes(bytes, n), Err(DecodeError::BadMemory { .. }));
        assert!(bad(&bytes, 7) && bad(b"GCSPEC00", 20) && bad(b"", 20));
        assert!((9..bytes.len()).filter(|n| *n != 8 + 40).all(|n| bad(&bytes[..n], 20)));
    }
}
