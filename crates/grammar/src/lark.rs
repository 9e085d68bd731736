//! Lark grammars: checked for size, and the schemas inside them made strict.

use serde_json::Value;

use crate::limits::{MAX_BYTES, MAX_DEPTH, bracket_depth};
use crate::{GrammarError, Layout, schema};

/// What stands before a schema within a grammar.
const JSON: &str = "%json";

/// The grammar with every `%json {…}` in it prepared as a schema of its own would be.
pub(crate) fn prepare(text: &str) -> Result<String, GrammarError> {
    let refuse = |what, found, max| Err(GrammarError::TooLarge { what, found, max });
    if text.len() > MAX_BYTES {
        return refuse("length", text.len(), MAX_BYTES);
    }
    let depth = bracket_depth(text);
    if depth > MAX_DEPTH {
        return refuse("nesting", depth, MAX_DEPTH);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(JSON) {
        let (before, found) = rest.split_at(at + JSON.len());
        out.push_str(before);
        rest = found;
        if !found.trim_start().starts_with('{') {
            continue;
        }
        let mut values = serde_json::Deserializer::from_str(found).into_iter::<Value>();
        if let Some(Ok(value)) = values.next() {
            rest = &found[values.byte_offset()..];
            out.push(' ');
            out.push_str(&schema::prepare(value, Layout::Spaced)?.to_string());
        }
    }
    out.push_str(rest);
    Ok(out)
}
