//! GPT-4o's and Mistral's words of one case, with `U` = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, `L` = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`:
//! `[^\r\n\p{L}\p{N}]?U*L+|[^\r\n\p{L}\p{N}]?U+L*|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
//! The first two may end in a contraction.

use super::class::{Class, class, contraction, number_run, run, space_or_line_run};
use super::gpt2::is_sign;

/// Bytes of the first word of `text`, which is not empty.
pub(super) fn word(text: &str, digits: usize, contractions: bool) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    let kind = class(first);
    if let Some(letters) = letters(text, first, kind) {
        let tail = text.get(letters..).unwrap_or_default();
        return letters + if contractions { contraction(tail, true) } else { 0 };
    }
    if kind == Class::Number {
        return number_run(text, digits);
    }
    let body = text.strip_prefix(' ').unwrap_or(text);
    let signs = run(body, is_sign);
    if signs > 0 {
        let tail = body.bytes().skip(signs).take_while(|byte| matches!(byte, b'\r' | b'\n' | b'/')).count();
        return text.len() - body.len() + signs + tail;
    }
    space_or_line_run(text)
}

/// The letter alternatives in the order of the expression: lower-case end with and without a leading sign, then the same
/// for a word without one.
fn letters(text: &str, first: char, kind: Class) -> Option<usize> {
    let can_lead = !kind.is_letter() && kind != Class::Number && !matches!(first, '\r' | '\n');
    let lead = if can_lead { first.len_utf8() } else { 0 };
    let body = text.get(lead..).unwrap_or_default();
    let led = |end: Option<usize>| end.map(|end| lead + end);
    let bare = |find: fn(&str) -> Option<usize>| (lead > 0).then(|| find(text)).flatten();
    led(lower_end(body))
        .or_else(|| bare(lower_end))
        .or_else(|| led(upper_run(body)))
        .or_else(|| bare(upper_run))
}

fn is_upper(class: Class) -> bool {
    matches!(class, Class::Upper | Class::OtherLetter | Class::Mark)
}

fn is_lower(class: Class) -> bool {
    matches!(class, Class::Lower | Class::OtherLetter | Class::Mark)
}

/// `U*L+`. Where no `L` follows the longest `U*`, that gives back characters until one is an `L` too.
fn lower_end(text: &str) -> Option<usize> {
    let upper = run(text, is_upper);
    let (uppers, after) = text.split_at_checked(upper)?;
    let lower = run(after, is_lower);
    if lower > 0 {
        return Some(upper + lower);
    }
    uppers.char_indices().rev().find(|&(_, c)| is_lower(class(c))).map(|(at, c)| at + c.len_utf8())
}

/// `U+L*`, once `U*L+` has failed: no `L` can follow.
fn upper_run(text: &str) -> Option<usize> {
    Some(run(text, is_upper)).filter(|&upper| upper > 0)
}
