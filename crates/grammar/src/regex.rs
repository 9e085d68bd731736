//! Regular expressions: the whole text matches.

use crate::GrammarError;
use crate::limits::{MAX_DEPTH, MAX_REGEX_BYTES, bracket_depth};

/// Refuses what would cost too much to read.
pub(crate) fn check(expression: &str) -> Result<(), GrammarError> {
    let refuse = |what, found, max| Err(GrammarError::TooLarge { what, found, max });
    if expression.len() > MAX_REGEX_BYTES {
        return refuse("regular expression's length", expression.len(), MAX_REGEX_BYTES);
    }
    match bracket_depth(expression) {
        depth if depth > MAX_DEPTH => refuse("nesting", depth, MAX_DEPTH),
        _ => Ok(()),
    }
}

/// The expression without the anchors that say what holds anyway. Those of single alternatives stay and are refused later.
pub(crate) fn unanchored(expression: &str) -> &str {
    if has_top_level_choice(expression) {
        return expression;
    }
    let rest = expression.strip_prefix('^').unwrap_or(expression);
    match rest.strip_suffix('$') {
        Some(body) if n_trailing_backslashes(body).is_multiple_of(2) => body,
        _ => rest,
    }
}

fn n_trailing_backslashes(text: &str) -> usize {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count()
}

fn has_top_level_choice(expression: &str) -> bool {
    let (mut depth, mut class, mut escaped) = (0usize, false, false);
    for byte in expression.bytes() {
        match byte {
            _ if escaped => {
                escaped = false;
                continue;
            }
            b'\\' => escaped = true,
            b']' if class => class = false,
            _ if class => {}
            b'[' => class = true,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'|' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::unanchored;

    #[test]
    fn anchors_around_the_whole_go() {
        for (given, left) in [
            ("^a$", "a"),
            ("a", "a"),
            ("^a\\$", "a\\$"),
            ("^a\\\\$", "a\\\\"),
            ("^(a|b)[|]$", "(a|b)[|]"),
            ("^a|b$", "^a|b$"),
        ] {
            assert_eq!(unanchored(given), left, "{given}");
        }
    }
}
