//! What drafters remember of a model from one request to the next, and that as bytes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::habits::Habits;
use crate::DecodeError;

/// Successors remembered of each token.
pub const SUCCESSORS: usize = 8;
/// Successors remembered of each pair of tokens.
const OF_A_PAIR: usize = 4;
/// Pairs of one generation; two are kept, which is about 1 MB.
const PAIRS: usize = 8192;
/// Probabilities that part one [`Seen::chance`] from the next.
const CHANCES: [f32; 7] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.55, 0.8];
/// First bytes of a stored memory.
const MAGIC: &[u8; 8] = b"GCSPEC02";
/// Bits of a stored word that are the token; the chance stands above.
const TOKEN_BITS: u32 = 24;

/// A token that the model thought likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The token.
    pub token: u32,
    /// How likely, in eight steps, 7 being nearly certain.
    pub chance: u8,
}

/// How likely a probability is, in eight steps.
pub(super) fn step(p: f32) -> u8 {
    CHANCES.iter().filter(|edge| p >= **edge).count() as u8
}

impl Seen {
    /// A token with its probability.
    #[must_use]
    pub fn new(token: u32, p: f32) -> Self {
        Self { token, chance: step(p) }
    }

    const fn word(self) -> u32 {
        self.token | (self.chance as u32) << TOKEN_BITS
    }

    const fn of(word: u32) -> Self {
        Self { token: word & ((1 << TOKEN_BITS) - 1), chance: (word >> TOKEN_BITS) as u8 }
    }
}

/// What a drafter learnt of a model's habits: what the model thought likeliest behind each token the last time, and behind
/// the pairs of tokens that came of late.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftMemory {
    after: BTreeMap<u32, Vec<Seen>>,
    young: BTreeMap<(u32, u32), Vec<Seen>>,
    old: BTreeMap<(u32, u32), Vec<Seen>>,
    pub(super) habits: Habits,
}

/// A memory that requests share.
pub type SharedMemory = Rc<RefCell<DraftMemory>>;

impl DraftMemory {
    /// The likeliest tokens behind a token, best first; nothing where it never came.
    #[must_use]
    pub fn after(&self, token: u32) -> &[Seen] {
        self.after.get(&token).map_or(&[], Vec::as_slice)
    }

    /// The likeliest tokens behind a pair of tokens, best first; nothing where it did not come of late.
    #[must_use]
    pub fn after_pair(&self, pair: (u32, u32)) -> &[Seen] {
        self.young.get(&pair).or_else(|| self.old.get(&pair)).map_or(&[], Vec::as_slice)
    }

    /// Remembers the likeliest tokens behind a token, best first, in place of those before.
    pub fn remember(&mut self, token: u32, seen: &[Seen]) {
        self.after.insert(token, seen.iter().copied().take(SUCCESSORS).collect());
    }

    /// [`DraftMemory::remember`] for a pair. Pairs that have not come for long are forgotten.
    pub fn remember_pair(&mut self, pair: (u32, u32), seen: &[Seen]) {
        if self.young.len() >= PAIRS && !self.young.contains_key(&pair) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(pair, seen.iter().copied().take(OF_A_PAIR).collect());
    }

    /// Tokens with successors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.after.len()
    }

    /// Whether nothing was learnt yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.after.is_empty()
    }

    /// As bytes: the magic, the number of tokens, per token its id, the number of successors and those; then the number of
    /// pairs and those alike. All u32, lowest byte first; a successor's chance stands in its highest byte.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut words = vec![self.after.len() as u32];
        let list = |words: &mut Vec<u32>, seen: &[Seen]| {
            words.push(seen.len() as u32);
            words.extend(seen.iter().map(|seen| seen.word()));
        };
        for (token, seen) in &self.after {
            words.push(*token);
            list(&mut words, seen);
        }
        let pairs = self.old.iter().filter(|(pair, _)| !self.young.contains_key(pair)).chain(&self.young);
        words.push(pairs.clone().count() as u32);
        for ((before, token), seen) in pairs {
            words.extend([*before, *token]);
            list(&mut words, seen);
        }
        MAGIC.iter().copied().chain(words.into_iter().flat_map(u32::to_le_bytes)).collect()
    }

    /// Reads what [`DraftMemory::to_bytes`] wrote for a model of `n_vocab` tokens.
    ///
    /// # Errors
    /// [`DecodeError::BadMemory`].
    pub fn from_bytes(bytes: &[u8], n_vocab: u32) -> Result<Self, DecodeError> {
        let bad = |reason| DecodeError::BadMemory { reason };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| bad("it does not begin as one"))?;
        let mut words = Words { words: rest.as_chunks::<4>().0.iter(), n_vocab };
        let mut memory = Self::default();
        for _ in 0..words.next()? {
            let token = words.token()?;
            memory.after.insert(token, words.list(SUCCESSORS)?);
        }
        for _ in 0..words.next()? {
            let pair = (words.token()?, words.token()?);
            let list = words.list(OF_A_PAIR)?;
            memory.remember_pair(pair, &list);
        }
        if rest.len() % 4 != 0 || words.words.len() > 0 {
            return Err(bad("more follows than it says"));
        }
        Ok(memory)
    }
}

/// Reads words, none of which is believed.
struct Words<'b> {
    words: std::slice::Iter<'b, [u8; 4]>,
    n_vocab: u32,
}

impl Words<'_> {
    fn next(&mut self) -> Result<u32, DecodeError> {
        let word = self.words.next().map(|word| u32::from_le_bytes(*word));
        word.ok_or(DecodeError::BadMemory { reason: "it is cut off" })
    }

    fn token(&mut self) -> Result<u32, DecodeError> {
        let token = self.next()?;
        match token < self.n_vocab {
            true => Ok(token),
            false => Err(DecodeError::BadMemory { reason: "it names tokens that the model does not have" }),
        }
    }

    fn list(&mut self, most: usize) -> Result<Vec<Seen>, DecodeError> {
        let n = self.next()? as usize;
        if n > most {
            return Err(DecodeError::BadMemory { reason: "it has more successors than are kept" });
        }
        let mut seen = Vec::with_capacity(n);
        for _ in 0..n {
            let next = Seen::of(self.next()?);
            if next.token >= self.n_vocab || usize::from(next.chance) > CHANCES.len() {
                return Err(DecodeError::BadMemory {
                    reason: "it names tokens that the model does not have",
                });
            }
            seen.push(next);
        }
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    fn seen(tokens: std::ops::Range<u32>) -> Vec<Seen> {
        tokens.map(|token| Seen::new(token, 1.0 / (token + 1) as f32)).collect()
    }

    #[test]
    fn it_survives_being_stored_and_refuses_what_is_no_memory() {
        let mut memory = DraftMemory::default();
        memory.remember(3, &seen(1..3));
        memory.remember(0, &seen(0..20));
        memory.remember_pair((3, 1), &seen(0..9));
        assert_eq!((memory.after(0).len(), memory.after_pair((3, 1)).len()), (SUCCESSORS, OF_A_PAIR));
        let bytes = memory.to_bytes();
        assert_eq!(DraftMemory::from_bytes(&bytes, 20).unwrap(), memory);
        let bad =
            |bytes: &[u8], n| matches!(DraftMemory::from_bytes(bytes, n), Err(DecodeError::BadMemory { .. }));
        assert!(bad(&bytes, 7) && bad(b"GCSPEC01", 20) && bad(b"", 20));
        assert!((0..bytes.len()).all(|n| bad(&bytes[..n], 20)));
        assert!(bad(&[bytes, vec![0]].concat(), 20));
    }

    #[test]
    fn pairs_that_did_not_come_for_long_are_forgotten() {
        let mut memory = DraftMemory::default();
        for token in 0..PAIRS as u32 {
            memory.remember_pair((token, 0), &seen(1..2));
        }
        memory.remember_pair((0, 1), &seen(2..3));
        assert_eq!(memory.after_pair((5, 0)).len(), 1, "the generation before is still there");
        for token in 0..PAIRS as u32 {
            memory.remember_pair((token, 2), &seen(1..2));
        }
        assert!(memory.after_pair((5, 0)).is_empty());
    }

    #[test]
    fn chances_are_told_apart_in_eight_steps() {
        let steps: Vec<u8> = [0.0, 0.03, 0.5, 1.0].map(|p| Seen::new(1, p).chance).to_vec();
        assert_eq!(steps, [0, 1, 5, 7]);
    }
}
