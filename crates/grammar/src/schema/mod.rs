//! JSON schemas: every keyword is enforced, an annotation, or refused with its name and place. None is ignored.

mod blame;
mod formats;
mod keywords;
mod pointer;
mod walk;

use serde_json::{Value, json};

use crate::limits::{MAX_BYTES, MAX_DEPTH, MAX_VALUES};
use crate::{GrammarError, Layout};

pub(crate) use blame::check_compiles;

/// Options for the compiler of schemas, which it takes from this key of the schema itself.
const OPTIONS: &str = "x-guidance";

/// The schema as the compiler gets it: checked, formats written out exactly, whitespace fixed.
pub(crate) fn prepare(schema: Value, layout: Layout) -> Result<Value, GrammarError> {
    check_size(&schema)?;
    let mut root = match schema {
        Value::Bool(true) => json!({}),
        Value::Bool(false) => return Err(GrammarError::Unsatisfiable { reason: "it is false".to_owned() }),
        Value::Object(map) => Value::Object(map),
        other => {
            let reason = format!("a schema is an object or a boolean, not {}", kind(&other));
            return Err(GrammarError::SchemaInvalid { path: "#".to_owned(), reason });
        }
    };
    walk::walk(&mut root)?;
    let (comma, colon) = match layout {
        Layout::Spaced => (", ", ": "),
        Layout::Compact => (",", ":"),
    };
    root[OPTIONS] = json!({
        "item_separator": comma,
        "key_separator": colon,
        "whitespace_flexible": false,
        // Without \u: a key spelt with escapes could be one that the schema declares otherwise.
        "json_allowed_escapes": "nrbtf\\\"",
    });
    Ok(root)
}

fn check_size(schema: &Value) -> Result<(), GrammarError> {
    let (mut values, mut bytes) = (0, 0);
    let mut todo = vec![(schema, 1)];
    while let Some((value, depth)) = todo.pop() {
        values += 1;
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Array(items) => todo.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(map) => {
                bytes += map.keys().map(String::len).sum::<usize>();
                todo.extend(map.values().map(|item| (item, depth + 1)));
            }
            _ => {}
        }
        for (what, found, max) in [
            ("number of values", values, MAX_VALUES),
            ("length", bytes, MAX_BYTES),
            ("nesting", depth, MAX_DEPTH),
        ] {
            if found > max {
                return Err(GrammarError::TooLarge { what, found, max });
            }
        }
    }
    Ok(())
}

pub(crate) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
