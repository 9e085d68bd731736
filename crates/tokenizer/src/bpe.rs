//! Byte-level BPE: merges by their rank in the file.

use crate::merge::{Join, MAX_TEXT, Merger};
use crate::{TokenizerError, pre::Pre, spec::ByteStrings, vocab::TokenType, vocab::Vocab};
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub(crate) struct Bpe {
    pre: Pre,
    /// The rules, best first.
    merges: Vec<Merge>,
    /// Places in `merges` by the two sides: half the size of a map that holds the rules themselves.
    by_sides: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

struct Merge {
    sides: [u32; 2],
    result: u32,
}

impl Bpe {
    pub(crate) fn build(vocab: &Vocab, pre: Pre, rules: ByteStrings<'_>) -> Result<Self, TokenizerError> {
        let (mut left_text, mut right_text) = (Vec::new(), Vec::new());
        let max = vocab.n_bytes();
        let capacity = rules.size_hint().0.min(max);
        let mut bpe = Self {
            pre,
            merges: Vec::with_capacity(capacity),
            by_sides: HashTable::with_capacity(capacity),
            hasher: DefaultHashBuilder::default(),
        };
        for (index, rule) in rules.enumerate() {
            if index >= max {
                return Err(TokenizerError::TooManyMerges { max });
            }
            let (left, right) = cut(rule).ok_or(TokenizerError::MalformedMerge { index })?;
            let unknown = || TokenizerError::UnknownMergePiece { index };
            let left = vocab.resolve(left, &mut left_text).ok_or_else(unknown)?;
            let right = vocab.resolve(right, &mut right_text).ok_or_else(unknown)?;
            left_text.clear();
            left_text.extend_from_slice(vocab.text(left));
            left_text.extend_from_slice(vocab.text(right));
            let result =
                vocab.mergeable(&left_text).or_else(|| vocab.literal(&left_text)).ok_or_else(unknown)?;
            // Whatever a file says, text does not grow into a control token.
            if !matches!(vocab.token_type(result), Some(TokenType::Control | TokenType::Unknown)) {
                bpe.add(Merge { sides: [left, right], result });
            }
        }
        Ok(bpe)
    }

    /// Of two rules with the same sides the first counts.
    fn add(&mut self, merge: Merge) {
        let Self { merges, by_sides, hasher, .. } = self;
        let sides_at = |&at: &u32| merges.get(at as usize).map(|merge| merge.sides);
        let hash = hasher.hash_one(merge.sides);
        let same = |at: &u32| sides_at(at) == Some(merge.sides);
        let rehash = |at: &u32| sides_at(at).map_or(0, |sides| hasher.hash_one(sides));
        if let Entry::Vacant(place) = by_sides.entry(hash, same, rehash) {
            place.insert(merges.len() as u32);
            merges.push(merge);
        }
    }

    fn join(&self, sides: [u32; 2]) -> Option<Join> {
        let merge = |&at: &u32| self.merges.get(at as usize);
        let same = |at: &u32| merge(at).is_some_and(|merge| merge.sides == sides);
        let rank = self.by_sides.find(self.hasher.hash_one(sides), same)?;
        Some(Join { rank: *rank, result: merge(rank)?.result })
    }

    pub(crate) fn n_merges(&self) -> usize {
        self.merges.len()
    }

    /// Appends the tokens of `text`. Bytes without a token vanish, as in the reference implementations.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<u32>) {
        if self.pre.nfc && is_nfc_quick(text.chars()) != IsNormalized::Yes {
            let composed: String = text.nfc().collect();
            self.encode_normal(vocab, &composed, out);
        } else {
            self.encode_normal(vocab, text, out);
        }
    }

    fn encode_normal(&self, vocab: &Vocab, text: &str, out: &mut Vec<u32>) {
        let mut merger = Merger::default();
        self.pre.split(text, |word| {
            if self.pre.ignore_merges
                && let Some(id) = vocab.mergeable(word.as_bytes())
            {
                return out.push(id);
            }
            for part in word.as_bytes().chunks(MAX_TEXT) {
                let letters = part.iter().map(|&byte| (1, vocab.byte(byte)));
                let merged = merger.merge(letters, |left, right| self.join([left.id()?, right.id()?]));
                out.extend(merged.filter_map(|symbol| symbol.id()));
            }
        });
    }
}

/// The two sides of a rule. The left one may begin with a space, if it is more than that.
fn cut(rule: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = rule.iter().skip(1).position(|&byte| byte == b' ')? + 1;
    let right = rule.get(space + 1..).filter(|right| !right.is_empty())?;
    Some((rule.get(..space)?, right))
}
