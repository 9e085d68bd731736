//! What the rules ask about a character, and runs of such characters.

use unicode_general_category::{GeneralCategory as G, get_general_category};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `\p{Lu}\p{Lt}`
    Upper,
    /// `\p{Ll}`
    Lower,
    /// `\p{Lm}\p{Lo}`
    OtherLetter,
    /// `\p{M}`
    Mark,
    /// `\p{N}`
    Number,
    /// `\s`
    Space,
    /// `\p{P}`
    Punctuation,
    /// `\p{S}`
    Symbol,
    /// Controls, format characters, unassigned.
    Other,
}

impl Class {
    pub(super) fn is_letter(self) -> bool {
        matches!(self, Self::Upper | Self::Lower | Self::OtherLetter)
    }
}

pub(super) fn class(c: char) -> Class {
    match c {
        'a'..='z' => Class::Lower,
        'A'..='Z' => Class::Upper,
        '0'..='9' => Class::Number,
        _ if c.is_whitespace() => Class::Space,
        _ => match get_general_category(c) {
            G::UppercaseLetter | G::TitlecaseLetter => Class::Upper,
            G::LowercaseLetter => Class::Lower,
            G::ModifierLetter | G::OtherLetter => Class::OtherLetter,
            G::NonspacingMark | G::SpacingMark | G::EnclosingMark => Class::Mark,
            G::DecimalNumber | G::LetterNumber | G::OtherNumber => Class::Number,
            G::ConnectorPunctuation
            | G::DashPunctuation
            | G::OpenPunctuation
            | G::ClosePunctuation
            | G::InitialPunctuation
            | G::FinalPunctuation
            | G::OtherPunctuation => Class::Punctuation,
            G::MathSymbol | G::CurrencySymbol | G::ModifierSymbol | G::OtherSymbol => Class::Symbol,
            _ => Class::Other,
        },
    }
}

/// Bytes of the longest run of characters at the start of `text` that satisfy `is`.
pub(super) fn run(text: &str, is: impl Fn(Class) -> bool) -> usize {
    text.char_indices().find(|&(_, c)| !is(class(c))).map_or(text.len(), |(at, _)| at)
}

/// Bytes of the run of numbers at the start of `text`, of at most `most` characters.
pub(super) fn number_run(text: &str, most: usize) -> usize {
    let numbers = text.char_indices().take(most).take_while(|&(_, c)| class(c) == Class::Number);
    numbers.last().map_or(0, |(at, c)| at + c.len_utf8())
}

/// Bytes of the run of `\r` and `\n` at the start of `text`.
pub(super) fn newline_run(text: &str) -> usize {
    text.bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// `\s+(?!\S)|\s+`: white space up to the last one before a word, which is left to the word. 0 if there is none.
pub(super) fn space_run(text: &str) -> usize {
    let run = run(text, |class| class == Class::Space);
    let last = text.get(..run).and_then(|spaces| spaces.chars().next_back()).map_or(0, char::len_utf8);
    if run == text.len() || run == last { run } else { run - last }
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+`: as [`space_run`], but white space with line breaks ends after its last one.
pub(super) fn space_or_line_run(text: &str) -> usize {
    let spaces = text.get(..run(text, |class| class == Class::Space)).unwrap_or_default();
    spaces.rfind(['\r', '\n']).map_or_else(|| space_run(text), |at| at + 1)
}

/// Bytes of `'s|'t|'re|'ve|'m|'ll|'d` at the start of `text`, or 0; upper case too when `any_case`.
pub(super) fn contraction(text: &str, any_case: bool) -> usize {
    let is = |suffix: &&str| match text.get(..suffix.len()) {
        Some(head) if any_case => head.eq_ignore_ascii_case(suffix),
        Some(head) => head == *suffix,
        None => false,
    };
    ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
        .iter()
        .find(|suffix| is(suffix))
        .map_or(0, |suffix| suffix.len())
}
