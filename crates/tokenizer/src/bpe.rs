//! Byte-pair merging by rank.

use crate::{TokenizerError, pre::Pre, spec::ByteStrings, vocab::TokenType, vocab::Vocab};
use std::{cmp::Reverse, collections::BinaryHeap, collections::HashMap};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Longest word merged in one go, in bytes; a longer one (there is none outside attacks) is cut, to keep 32-bit links.
const MAX_WORD: usize = 1 << 30;

pub(crate) struct Bpe {
    pre: Pre,
    merges: HashMap<(u32, u32), Merge>,
}

#[derive(Clone, Copy)]
struct Merge {
    rank: u32,
    result: u32,
}

impl Bpe {
    pub(crate) fn build(vocab: &Vocab, pre: Pre, rules: ByteStrings<'_>) -> Result<Self, TokenizerError> {
        let mut merges = HashMap::new();
        let (mut left_text, mut right_text) = (Vec::new(), Vec::new());
        let max = vocab.n_bytes();
        for (index, rule) in rules.enumerate() {
            if index >= max {
                return Err(TokenizerError::TooManyMerges { max });
            }
            let malformed = TokenizerError::MalformedMerge { index };
            // The left side may not be empty, so that a rule may begin with a space that is a piece.
            let space = rule.iter().skip(1).position(|&byte| byte == b' ').ok_or(malformed.clone())? + 1;
            let (left, right) = (rule.get(..space), rule.get(space + 1..));
            let (Some(left), Some(right)) = (left, right.filter(|right| !right.is_empty())) else {
                return Err(malformed);
            };
            let unknown = TokenizerError::UnknownMergePiece { index };
            let left = vocab.resolve(left, &mut left_text).ok_or(unknown.clone())?;
            let right = vocab.resolve(right, &mut right_text).ok_or(unknown.clone())?;
            left_text.clear();
            left_text.extend_from_slice(vocab.text(left));
            left_text.extend_from_slice(vocab.text(right));
            let result = vocab.mergeable(&left_text).or_else(|| vocab.literal(&left_text)).ok_or(unknown)?;
            // Whatever a file says, text does not grow into a control token.
            if !matches!(vocab.token_type(result), Some(TokenType::Control | TokenType::Unknown)) {
                let rank = u32::try_from(index).map_err(|_| TokenizerError::TooManyMerges { max })?;
                merges.entry((left, right)).or_insert(Merge { rank, result });
            }
        }
        merges.shrink_to_fit();
        Ok(Self { pre, merges })
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
        let mut work = Work::default();
        self.pre.split(text, |word| {
            let whole = if self.pre.ignore_merges { vocab.mergeable(word.as_bytes()) } else { None };
            match whole {
                Some(id) => out.push(id),
                None => {
                    word.as_bytes().chunks(MAX_WORD).for_each(|part| self.merge(vocab, part, &mut work, out))
                }
            }
        });
    }

    fn merge(&self, vocab: &Vocab, word: &[u8], work: &mut Work, out: &mut Vec<u32>) {
        let Work { symbols, heap, .. } = work;
        symbols.clear();
        symbols.extend((0..).zip(word).map(|(at, &byte): (u32, _)| Symbol {
            id: vocab.byte(byte),
            prev: at.checked_sub(1),
            next: Some(at + 1).filter(|&next| (next as usize) < word.len()),
        }));
        let mut candidates = std::mem::take(heap).into_vec();
        candidates.clear();
        candidates.extend((0..).zip(symbols.windows(2)).filter_map(|(at, pair): (u32, _)| match pair {
            &[left, right] => self.candidate(at, left.id?, right.id?),
            _ => None,
        }));
        // All at once is linear; one by one is not.
        *heap = candidates.into();
        while let Some(Reverse(best)) = heap.pop() {
            #[cfg(test)]
            {
                work.steps += 1;
            }
            let Some(left) = symbols.get(best.at as usize).copied() else { continue };
            let Some(right_at) = left.next else { continue };
            let Some(right) = symbols.get(right_at as usize).copied() else { continue };
            if (left.id, right.id) != (Some(best.left), Some(best.right)) {
                continue;
            }
            set(symbols, right_at, |symbol| symbol.id = None);
            set(symbols, best.at, |symbol| (symbol.id, symbol.next) = (Some(best.result), right.next));
            if let Some((at, after)) = right.next.and_then(|at| Some((at, *symbols.get(at as usize)?))) {
                set(symbols, at, |symbol| symbol.prev = Some(best.at));
                heap.extend(after.id.and_then(|after| self.candidate(best.at, best.result, after)));
            }
            if let Some((at, before)) = left.prev.and_then(|at| Some((at, *symbols.get(at as usize)?))) {
                heap.extend(before.id.and_then(|before| self.candidate(at, before, best.result)));
            }
        }
        // A symbol that was merged into its left neighbour has no id either.
        out.extend(symbols.iter().filter_map(|symbol| symbol.id));
    }

    fn candidate(&self, at: u32, left: u32, right: u32) -> Option<Reverse<Candidate>> {
        let &Merge { rank, result } = self.merges.get(&(left, right))?;
        Some(Reverse(Candidate { rank, at, left, right, result }))
    }
}

/// Buffers that outlive a word.
#[derive(Default)]
struct Work {
    symbols: Vec<Symbol>,
    heap: BinaryHeap<Reverse<Candidate>>,
    #[cfg(test)]
    steps: usize,
}

/// A place in a word; `None` as id: no token for this byte, or merged away.
#[derive(Clone, Copy)]
struct Symbol {
    id: Option<u32>,
    prev: Option<u32>,
    next: Option<u32>,
}

/// Two neighbours that may merge; the lowest rank first, then the leftmost.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: u32,
    at: u32,
    left: u32,
    right: u32,
    result: u32,
}

fn set(symbols: &mut [Symbol], at: u32, change: impl FnOnce(&mut Symbol)) {
    if let Some(symbol) = symbols.get_mut(at as usize) {
        change(symbol);
    }
}
