//! The cl100k family:
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

use super::class::{Class, class, contraction, newline_run, number_run, run, space_or_line_run};
use super::gpt2::is_sign;

/// The places in which the models' expressions differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cl100k {
    /// Most digits of one word.
    pub(super) digits: usize,
    /// `'s` and its kin are words of their own.
    pub(super) contractions: bool,
    /// Combining marks count as letters.
    pub(super) marks: bool,
    /// Signs take the line breaks after them along.
    pub(super) newline_tail: bool,
}

impl Cl100k {
    pub(super) const LLAMA3: Self = Self { digits: 3, contractions: true, marks: false, newline_tail: true };
    pub(super) const QWEN2: Self = Self { digits: 1, ..Self::LLAMA3 };
    pub(super) const QWEN35: Self = Self { marks: true, ..Self::QWEN2 };

    /// Bytes of the first word of `text`, which is not empty.
    pub(super) fn word(self, text: &str) -> usize {
        let suffix = if self.contractions { contraction(text, true) } else { 0 };
        if suffix > 0 {
            return suffix;
        }
        let Some(first) = text.chars().next() else { return 0 };
        let kind = class(first);
        let is_letter = |class: Class| class.is_letter() || self.marks && class == Class::Mark;
        if is_letter(kind) {
            return run(text, is_letter);
        }
        if kind == Class::Number {
            return number_run(text, self.digits);
        }
        let after = text.get(first.len_utf8()..).unwrap_or_default();
        if !matches!(first, '\r' | '\n') && after.chars().next().is_some_and(|c| is_letter(class(c))) {
            return first.len_utf8() + run(after, is_letter);
        }
        self.signs(text).unwrap_or_else(|| space_or_line_run(text))
    }

    fn signs(self, text: &str) -> Option<usize> {
        let is_sign = |class: Class| is_sign(class) && !(self.marks && class == Class::Mark);
        let body = text.strip_prefix(' ').unwrap_or(text);
        let signs = run(body, is_sign);
        let tail = if self.newline_tail { newline_run(body.get(signs..)?) } else { 0 };
        (signs > 0).then(|| text.len() - body.len() + signs + tail)
    }
}
