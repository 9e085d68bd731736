//! DeepSeek V3's rule, after the digits: `[一-龥぀-ゟ゠-ヿ]+` cut out, and each stretch between split by
//! ``[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+``,
//! where what matches nothing stays together.

use super::class::{Class, class, newline_run, run, space_or_line_run};

/// Cuts CJK runs out of `text`: each run, and each stretch between, is a text of its own.
pub(super) fn stretches<'t>(text: &'t str, mut words: impl FnMut(&'t str)) {
    let mut rest = text;
    while !rest.is_empty() {
        let (run, after) = rest.split_at(rest.find(|c| !is_cjk(c)).unwrap_or(rest.len()));
        let (stretch, after) = after.split_at(after.find(is_cjk).unwrap_or(after.len()));
        words(run);
        words(stretch);
        rest = after;
    }
}

/// Bytes of the first word of `text`, which is not empty.
pub(super) fn word(text: &str) -> usize {
    matched(text).unwrap_or_else(|| {
        let starts_word = |&at: &usize| text.get(at..).is_some_and(|rest| matched(rest).is_some());
        text.char_indices().map(|(at, _)| at).find(starts_word).unwrap_or(text.len())
    })
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fa5}' | '\u{3040}'..='\u{30ff}')
}

fn is_letter(class: Class) -> bool {
    class.is_letter() || class == Class::Mark
}

fn is_sign(class: Class) -> bool {
    matches!(class, Class::Punctuation | Class::Symbol)
}

fn matched(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let kind = class(first);
    let after = text.get(first.len_utf8()..)?;
    if first.is_ascii_punctuation() {
        let word = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        if word > 0 {
            return Some(1 + word);
        }
    }
    if is_letter(kind) {
        return Some(run(text, is_letter));
    }
    if !is_sign(kind) && !matches!(first, '\r' | '\n') {
        let word = run(after, is_letter);
        if word > 0 {
            return Some(first.len_utf8() + word);
        }
    }
    let body = text.strip_prefix(' ').unwrap_or(text);
    let signs = run(body, is_sign);
    if signs > 0 {
        return Some(text.len() - body.len() + signs + newline_run(body.get(signs..)?));
    }
    Some(space_or_line_run(text)).filter(|&spaces| spaces > 0)
}
