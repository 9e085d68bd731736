//! SentencePiece: merges by score of the result, with bytes as the last resort. As llama.cpp's `SPM`, which the models'
//! own tokenizers agree with.

use crate::merge::{Join, MAX_TEXT, Merger};
use crate::{TokenizerError, vocab::Vocab, vocab::unmark_spaces};

pub(crate) struct Spm {
    /// Place of each token's score among all scores, the highest first; equal scores share it.
    ranks: Vec<u32>,
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
        Ok(Self { ranks: ranks(scores), add_space_prefix, unk })
    }

    /// Appends the tokens of `text`, with a space before it where `at_start` and the model wants one.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, at_start: bool, out: &mut Vec<u32>) {
        let mut text = unmark_spaces(text);
        if at_start && self.add_space_prefix {
            text.to_mut().insert(0, ' ');
        }
        let mut merger = Merger::default();
        let mut rest: &str = &text;
        while !rest.is_empty() {
            let cut = (0..=rest.len().min(MAX_TEXT)).rev().find(|&at| rest.is_char_boundary(at));
            let (part, after) = rest.split_at(cut.filter(|&at| at > 0).unwrap_or(rest.len()));
            self.merge(vocab, part, &mut merger, out);
            rest = after;
        }
    }

    fn merge(&self, vocab: &Vocab, text: &str, merger: &mut Merger, out: &mut Vec<u32>) {
        let bytes = text.as_bytes();
        // Whether a character is a token matters only where it stays alone.
        let characters = text.chars().map(|c| (c.len_utf8(), None));
        let merged = merger.merge(characters, |left, right| {
            let result = vocab.mergeable(left.text_with(right, bytes))?;
            Some(Join { rank: *self.ranks.get(result as usize)?, result })
        });
        for symbol in merged {
            let piece = symbol.text(bytes);
            match symbol.id().or_else(|| vocab.mergeable(piece)) {
                Some(id) => out.push(id),
                None => out.extend(piece.iter().filter_map(|&byte| vocab.byte(byte).or(self.unk))),
            }
        }
    }
}

fn ranks(scores: &[f32]) -> Vec<u32> {
    // Adding 0 makes -0 and 0 one; NaN was refused.
    let mut order: Vec<f32> = scores.iter().map(|score| score + 0.0).collect();
    order.sort_unstable_by(|a, b| b.total_cmp(a));
    order.dedup();
    scores.iter().map(|&score| order.partition_point(|&other| other > score) as u32).collect()
}
