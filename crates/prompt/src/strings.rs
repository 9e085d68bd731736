//! Operations on strings, shared by methods and filters.

use std::ops::Range;

use crate::budget::Meter;
use crate::error::PromptError;
use crate::text::{Text, TextBuf};
use crate::value::Value;

/// Python's `str.isspace` for one character.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Which ends a strip works on.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) left: bool,
    pub(crate) right: bool,
}

/// `str.strip` and its one-sided kin; `chars` of `None` means white space.
pub(crate) fn strip(
    text: &Text,
    chars: Option<&str>,
    ends: Ends,
    meter: &Meter,
) -> Result<Text, PromptError> {
    let string = text.as_str();
    meter.scan(string.len().saturating_mul(chars.map_or(1, str::len).max(1)))?;
    let strippable = |character: char| chars.map_or(is_space(character), |set| set.contains(character));
    let mut rest = string;
    if ends.right {
        rest = rest.trim_end_matches(strippable);
    }
    let end = rest.len();
    if ends.left {
        rest = rest.trim_start_matches(strippable);
    }
    text.slice(end - rest.len()..end, meter)
}

/// `str.split` (`from_end` for `str.rsplit`); `limit` below 0 means no limit.
pub(crate) fn split(
    text: &Text,
    separator: Option<&str>,
    limit: i64,
    from_end: bool,
    meter: &Meter,
) -> Result<Value, PromptError> {
    let string = text.as_str();
    meter.scan(string.len())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut ranges = match separator {
        Some(separator) => split_at(string, separator, limit, from_end, meter)?,
        None => split_words(string, limit, from_end, meter)?,
    };
    if from_end {
        ranges.reverse();
    }
    let parts: Result<Vec<Value>, _> =
        ranges.into_iter().map(|range| Ok(Value::Str(text.slice(range, meter)?))).collect();
    Value::list(parts?, meter)
}

/// What a part costs besides its bytes: its range, its header, its place in the list.
const PART_ITEMS: usize = 4;

fn split_at(
    string: &str,
    separator: &str,
    limit: usize,
    from_end: bool,
    meter: &Meter,
) -> Result<Vec<Range<usize>>, PromptError> {
    let mut ranges = Vec::new();
    let mut rest = 0..string.len();
    while ranges.len() < limit {
        let window = string.get(rest.clone()).unwrap_or_default();
        let found = if from_end { window.rfind(separator) } else { window.find(separator) };
        let Some(offset) = found.filter(|_| !separator.is_empty()) else { break };
        meter.create_items(PART_ITEMS)?;
        let at = rest.start + offset;
        if from_end {
            ranges.push(at + separator.len()..rest.end);
            rest.end = at;
        } else {
            ranges.push(rest.start..at);
            rest.start = at + separator.len();
        }
    }
    ranges.push(rest);
    Ok(ranges)
}

fn split_words(
    string: &str,
    limit: usize,
    from_end: bool,
    meter: &Meter,
) -> Result<Vec<Range<usize>>, PromptError> {
    let mut ranges = Vec::new();
    let (mut start, mut end) = (0, string.len());
    loop {
        let window = string.get(start..end).unwrap_or_default();
        let window =
            if from_end { window.trim_end_matches(is_space) } else { window.trim_start_matches(is_space) };
        if from_end {
            end = start + window.len();
        } else {
            start = end - window.len();
        }
        if window.is_empty() {
            return Ok(ranges);
        }
        meter.create_items(PART_ITEMS)?;
        let border = if from_end { window.rfind(is_space) } else { window.find(is_space) };
        let Some(offset) = border.filter(|_| ranges.len() < limit) else {
            // The last part keeps its spaces at the far end.
            ranges.push(start..end);
            return Ok(ranges);
        };
        if from_end {
            let width = window.get(offset..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8);
            ranges.push(start + offset + width..end);
            end = start + offset + width;
        } else {
            ranges.push(start..start + offset);
            start += offset;
        }
    }
}

/// `str.splitlines`.
pub(crate) fn split_lines(text: &Text, keep_ends: bool, meter: &Meter) -> Result<Value, PromptError> {
    let string = text.as_str();
    meter.scan(string.len())?;
    let mut lines = Vec::new();
    let mut start = 0;
    let mut push = |range: Range<usize>| {
        meter.create_items(PART_ITEMS)?;
        lines.push(Value::Str(text.slice(range, meter)?));
        Ok::<(), PromptError>(())
    };
    let mut characters = string.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let is_end =
            matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
                || ('\u{1c}'..='\u{1e}').contains(&character);
        if !is_end {
            continue;
        }
        let mut next = at + character.len_utf8();
        if character == '\r' && characters.next_if(|(_, c)| *c == '\n').is_some() {
            next += 1;
        }
        push(start..if keep_ends { next } else { at })?;
        start = next;
    }
    if start < string.len() {
        push(start..string.len())?;
    }
    Value::list(lines, meter)
}

/// `str.replace`; `limit` below 0 means all.
pub(crate) fn replace(
    text: &Text,
    old: &str,
    new: &Text,
    limit: i64,
    meter: &Meter,
) -> Result<Text, PromptError> {
    let string = text.as_str();
    meter.scan(string.len())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut out = TextBuf::new(meter);
    let mut done = 0;
    for (at, _) in string.match_indices(old).take(limit) {
        meter.scan(1)?;
        out.push_range(text, done..at)?;
        out.push_text(new)?;
        done = at + old.len();
    }
    out.push_range(text, done..string.len())?;
    Ok(out.finish())
}

/// `separator.join(items)`, items as text.
pub(crate) fn join(items: &[Value], separator: &Text, meter: &Meter) -> Result<Text, PromptError> {
    let mut out = TextBuf::new(meter);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_text(separator)?;
        }
        crate::print::write_str(item, &mut out)?;
    }
    Ok(out.finish())
}

pub(crate) fn upper(text: &Text, meter: &Meter) -> Result<Text, PromptError> {
    text.map(meter, str::to_uppercase)
}

pub(crate) fn lower(text: &Text, meter: &Meter) -> Result<Text, PromptError> {
    text.map(meter, str::to_lowercase)
}

/// First character upper case, the rest lower case.
pub(crate) fn capitalize(text: &Text, meter: &Meter) -> Result<Text, PromptError> {
    let first = text.as_str().chars().next().map_or(0, char::len_utf8);
    let mut out = TextBuf::new(meter);
    out.push_text(&upper(&text.slice(0..first, meter)?, meter)?)?;
    out.push_text(&lower(&text.slice(first..text.as_str().len(), meter)?, meter)?)?;
    Ok(out.finish())
}

/// Upper case behind every character that `is_border` accepts, lower case elsewhere.
pub(crate) fn title(text: &Text, is_border: fn(char) -> bool, meter: &Meter) -> Result<Text, PromptError> {
    let mut out = TextBuf::new(meter);
    let mut at_start = true;
    for (piece, from_user) in text.pieces(0..text.as_str().len()) {
        for character in piece.chars() {
            let changed: String = if at_start {
                character.to_uppercase().collect()
            } else {
                character.to_lowercase().collect()
            };
            out.push(&changed, from_user)?;
            at_start = is_border(character);
        }
    }
    Ok(out.finish())
}
