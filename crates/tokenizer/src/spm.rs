//! SentencePiece merging by score, with bytes as the last resort: llama.cpp's `SPM`, which is exact for the models'
//! own files.

use crate::{TokenizerError, vocab::Vocab, vocab::unmark_spaces};
use std::{cmp::Ordering, collections::BinaryHeap};

/// Longest text merged in one go, in bytes, to keep 32-bit links; a longer one is cut between characters.
const MAX_TEXT: usize = 1 << 30;

pub(crate) struct Spm {
    scores: Vec<f32>,
    pub(crate) add_space_prefix: bool,
    unk: Option<u32>,
}

impl Spm {
    pub(crate) fn build(
        vocab: &Vocab,
        scores: Option<&[f32]>,
        add_space_prefix: bool,
        unk: Option<u32>,
    ) -> Result<Self, TokenizerError> {
        let scores = scores.ok_or(TokenizerError::MissingScores)?;
        let (expected, actual) = (vocab.len(), scores.len());
        if actual != expected {
            return Err(TokenizerError::LengthMismatch { table: "scores", expected, actual });
        }
        if let Some((id, _)) = (0..).zip(scores).find(|(_, score)| score.is_nan()) {
            return Err(TokenizerError::NanScore { id });
        }
        Ok(Self { scores: scores.to_vec(), add_space_prefix, unk })
    }

    /// Appends the tokens of `text`, with a space before it where `at_start` and the model wants one.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, at_start: bool, out: &mut Vec<u32>) {
        let mut text = unmark_spaces(text);
        if at_start && self.add_space_prefix {
            text.to_mut().insert(0, ' ');
        }
        let mut rest: &str = &text;
        while !rest.is_empty() {
            let cut = (0..=rest.len().min(MAX_TEXT))
                .rev()
                .find(|&at| rest.is_char_boundary(at))
                .unwrap_or(rest.len());
            let (part, after) = rest.split_at(cut);
            self.merge(vocab, part, out);
            rest = after;
        }
    }

    fn merge(&self, vocab: &Vocab, text: &str, out: &mut Vec<u32>) {
        let mut symbols: Vec<Symbol> = Vec::new();
        for (at, c) in text.char_indices() {
            let this = symbols.len();
            symbols.push(Symbol {
                start: at as u32,
                len: c.len_utf8() as u32,
                prev: this.checked_sub(1).map(|prev| prev as u32),
                next: Some(this as u32 + 1),
            });
        }
        if let Some(last) = symbols.last_mut() {
            last.next = None;
        }
        let bytes = text.as_bytes();
        let pairs = (1..symbols.len() as u32)
            .filter_map(|right| self.candidate(vocab, bytes, &symbols, right - 1, right));
        let mut heap: BinaryHeap<Candidate> = pairs.collect();
        while let Some(best) = heap.pop() {
            let Some(left) = symbols.get(best.left as usize).copied() else { continue };
            let Some(right) = symbols.get(best.right as usize).copied() else { continue };
            // Either side may have been merged with others since.
            if left.len == 0 || right.len == 0 || left.len + right.len != best.len {
                continue;
            }
            set(&mut symbols, best.right, |symbol| symbol.len = 0);
            set(&mut symbols, best.left, |symbol| (symbol.len, symbol.next) = (best.len, right.next));
            if let Some(next) = right.next {
                set(&mut symbols, next, |symbol| symbol.prev = Some(best.left));
                heap.extend(self.candidate(vocab, bytes, &symbols, best.left, next));
            }
            if let Some(prev) = left.prev {
                heap.extend(self.candidate(vocab, bytes, &symbols, prev, best.left));
            }
        }
        for symbol in symbols.iter().filter(|symbol| symbol.len > 0) {
            let piece = symbol.text(bytes, symbol.len);
            match vocab.mergeable(piece) {
                Some(id) => out.push(id),
                // Only single characters get here: whatever grew by merging is a token.
                None => out.extend(piece.iter().filter_map(|&byte| vocab.byte(byte).or(self.unk))),
            }
        }
    }

    fn candidate(
        &self,
        vocab: &Vocab,
        text: &[u8],
        symbols: &[Symbol],
        left: u32,
        right: u32,
    ) -> Option<Candidate> {
        let first = symbols.get(left as usize)?;
        let len = first.len.checked_add(symbols.get(right as usize)?.len)?;
        let id = vocab.mergeable(first.text(text, len))?;
        Some(Candidate { score: *self.scores.get(id as usize)?, left, right, len })
    }
}

/// A stretch of the text; of length 0 once it is merged into its left neighbour.
#[derive(Clone, Copy)]
struct Symbol {
    start: u32,
    len: u32,
    prev: Option<u32>,
    next: Option<u32>,
}

impl Symbol {
    fn text(self, bytes: &[u8], len: u32) -> &[u8] {
        let start = self.start as usize;
        bytes.get(start..start + len as usize).unwrap_or_default()
    }
}

/// Two neighbours that together are a token.
struct Candidate {
    score: f32,
    left: u32,
    right: u32,
    len: u32,
}

impl Ord for Candidate {
    /// The highest score is the greatest, and of equals the leftmost.
    fn cmp(&self, other: &Self) -> Ordering {
        // Scores are not NaN; adding 0 makes -0 and 0 one.
        (self.score + 0.0).total_cmp(&(other.score + 0.0)).then_with(|| other.left.cmp(&self.left))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

fn set(symbols: &mut [Symbol], at: u32, change: impl FnOnce(&mut Symbol)) {
    if let Some(symbol) = symbols.get_mut(at as usize) {
        change(symbol);
    }
}
