//! JSON pointers, and references within a schema.

use serde_json::Value;

/// A pointer to `key` below `path`.
pub(super) fn below(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The value that a pointer without `#` names.
pub(super) fn get<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    root.pointer(pointer)
}

/// The pointer of a reference within the schema, percent-encoding undone; none for any other reference.
pub(super) fn of_reference(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether the compiler, which knows no escapes in references, would read the reference as we do.
pub(super) fn is_plain(reference: &str, pointer: &str) -> bool {
    reference.strip_prefix('#') == Some(pointer) && !pointer.contains('~') && !pointer.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_pointers() {
        assert_eq!(of_reference("#"), Some(String::new()));
        assert_eq!(of_reference("#/$defs/a%22b"), Some("/$defs/a\"b".to_owned()));
        assert_eq!(of_reference("#anchor"), None);
        assert_eq!(of_reference("http://json-schema.org/draft-07/schema#"), None);
        assert_eq!(of_reference("#/a%2"), None);
        assert!(is_plain("#/a/b", "/a/b") && !is_plain("#/a~1b", "/a~1b") && !is_plain("#/%61", "/a"));
    }
}
