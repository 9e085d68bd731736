//! Byte-level BPE: merges by their rank in the file.

use crate::merge::{Join, MAX_TEXT, Merger};
use crate::{TokenizerError, pre::Pre, spec::ByteStrings, vocab::TokenType, vocab::Vocab};
use hashbrown::HashMap;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub(crate) struct Bpe {
    pre: Pre,
    merges: HashMap<(u32, u32), Join>,
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
                let rank = u32::try_from(index).map_err(|_| TokenizerError::TooManyMerges { max })?;
                merges.entry((left, right)).or_insert(Join { rank, result });
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
        let mut merger = Merger::default();
        self.pre.split(text, |word| {
            if self.pre.ignore_merges
                && let Some(id) = vocab.mergeable(word.as_bytes())
            {
                return out.push(id);
            }
            for part in word.as_bytes().chunks(MAX_TEXT) {
                let letters = part.iter().map(|&byte| (1, vocab.byte(byte)));
                let merged =
                    merger.merge(letters, |left, right| self.merges.get(&(left.id()?, right.id()?)).copied());
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
