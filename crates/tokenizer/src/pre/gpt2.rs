//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

use super::class::{Class, class, contraction, run, space_run};

/// Bytes of the first word of `text`, which is not empty.
pub(super) fn word(text: &str) -> usize {
    let suffix = contraction(text, false);
    if suffix > 0 {
        return suffix;
    }
    let body = text.strip_prefix(' ').unwrap_or(text);
    let space = text.len() - body.len();
    match body.chars().next().map(class) {
        None | Some(Class::Space) => space_run(text),
        Some(class) if class.is_letter() => space + run(body, Class::is_letter),
        Some(Class::Number) => space + run(body, |class| class == Class::Number),
        Some(_) => space + run(body, is_sign),
    }
}

/// `[^\s\p{L}\p{N}]`
pub(super) fn is_sign(class: Class) -> bool {
    !class.is_letter() && !matches!(class, Class::Space | Class::Number)
}
