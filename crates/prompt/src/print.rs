//! Values as text, as Python's `str`, `repr` and `json.dumps` write them.

use std::borrow::Cow;

use crate::budget::Meter;
use crate::error::{PromptError, fault};
use crate::text::{Text, TextBuf};
use crate::value::Value;

/// Python's `str(value)`; an undefined value is empty, as Jinja prints it.
pub(crate) fn to_text(value: &Value, meter: &Meter) -> Result<Text, PromptError> {
    if let Value::Str(text) = value {
        return Ok(text.clone());
    }
    let mut out = TextBuf::new(meter);
    write_str(value, &mut out)?;
    Ok(out.finish())
}

/// Appends `str(value)`.
pub(crate) fn write_str(value: &Value, out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    match value {
        Value::Str(text) => out.push_text(text),
        Value::Undefined(_) => Ok(()),
        _ => write_repr(value, out),
    }
}

/// Appends `repr(value)`.
pub(crate) fn write_repr(value: &Value, out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    match value {
        Value::Undefined(_) => out.push("Undefined", false),
        Value::None => out.push("None", false),
        Value::Bool(true) => out.push("True", false),
        Value::Bool(false) => out.push("False", false),
        Value::Int(int) => out.push(&int.to_string(), false),
        Value::Float(float) => out.push(&float_repr(*float), false),
        Value::Str(text) => write_quoted(text, out),
        Value::List(seq) => {
            out.push("[", false)?;
            write_items(&seq.items, out)?;
            out.push("]", false)
        }
        Value::Tuple(seq) => {
            out.push("(", false)?;
            write_items(&seq.items, out)?;
            out.push(if seq.items.len() == 1 { ",)" } else { ")" }, false)
        }
        Value::Dict(dict) => {
            out.push("{", false)?;
            for (i, (key, value)) in dict.entries.iter().enumerate() {
                out.push(if i > 0 { ", " } else { "" }, false)?;
                write_repr(key, out)?;
                out.push(": ", false)?;
                write_repr(value, out)?;
            }
            out.push("}", false)
        }
        Value::Range(range) => {
            let stop = range.at(range.len);
            out.push(&format!("range({}, {stop}", range.start), false)?;
            if range.step != 1 {
                out.push(&format!(", {}", range.step), false)?;
            }
            out.push(")", false)
        }
        Value::Namespace(_) => out.push("<Namespace>", false),
        Value::Loop(state) => {
            out.push(&format!("<LoopContext {}/{}>", state.index0 + 1, state.items.items.len()), false)
        }
        Value::Macro(_) => out.push("<Macro>", false),
        Value::Function(name) => out.push(&format!("<function {name}>"), false),
    }
}

fn write_items(items: &[Value], out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    for (i, item) in items.iter().enumerate() {
        out.push(if i > 0 { ", " } else { "" }, false)?;
        write_repr(item, out)?;
    }
    Ok(())
}

fn write_quoted(text: &Text, out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    let string = text.as_str();
    // Asking Unicode's tables about a character takes as long as copying a hundred bytes.
    let foreign = string.bytes().filter(|byte| !byte.is_ascii()).count();
    out.meter().scan(string.len() + foreign.saturating_mul(64))?;
    let quote = if string.contains('\'') && !string.contains('"') { '"' } else { '\'' };
    let quote_text = quote.to_string();
    out.push(&quote_text, false)?;
    write_escaped(text, out, |character| match character {
        '\n' => Some("\\n".into()),
        '\r' => Some("\\r".into()),
        '\t' => Some("\\t".into()),
        '\\' => Some("\\\\".into()),
        c if c == quote => Some(format!("\\{quote}").into()),
        c if !is_printable(c) => Some(match c as u32 {
            code @ ..0x100 => format!("\\x{code:02x}").into(),
            code @ 0x100..0x1_0000 => format!("\\u{code:04x}").into(),
            code => format!("\\U{code:08x}").into(),
        }),
        _ => None,
    })?;
    out.push(&quote_text, false)
}

/// Python's `str.isprintable` for one character. Rust's debug form escapes by the same classes of Unicode, and marks
/// that combine only where they come first.
fn is_printable(character: char) -> bool {
    character.is_ascii_graphic()
        || character == ' '
        || (!character.is_ascii() && !format!("a{character}").escape_debug().to_string().contains('\\'))
}

/// Appends `text` with some characters replaced; replacements keep the origin of what they replace.
pub(crate) fn write_escaped(
    text: &Text,
    out: &mut TextBuf<'_>,
    escape: impl Fn(char) -> Option<Cow<'static, str>>,
) -> Result<(), PromptError> {
    for (piece, from_user) in text.pieces(0..text.as_str().len()) {
        let mut plain = 0;
        for (at, character) in piece.char_indices() {
            if let Some(escaped) = escape(character) {
                out.push(piece.get(plain..at).unwrap_or_default(), from_user)?;
                out.push(&escaped, from_user)?;
                plain = at + character.len_utf8();
            }
        }
        out.push(piece.get(plain..).unwrap_or_default(), from_user)?;
    }
    Ok(())
}

/// Python's `repr` of a float: the shortest digits that read back, in exponent form below 1e-4 and from 1e16 on.
pub(crate) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if float != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{float}");
    if plain.contains('.') { plain } else { plain + ".0" }
}

/// Layout of JSON text.
pub(crate) struct JsonStyle {
    pub(crate) indent: Option<String>,
    pub(crate) item_separator: String,
    pub(crate) key_separator: String,
    pub(crate) ascii: bool,
    pub(crate) sort_keys: bool,
}

/// Appends `json.dumps(value)`.
pub(crate) fn write_json(
    value: &Value,
    style: &JsonStyle,
    level: usize,
    out: &mut TextBuf<'_>,
) -> Result<(), PromptError> {
    match value {
        Value::None => out.push("null", false),
        Value::Bool(flag) => out.push(if *flag { "true" } else { "false" }, false),
        Value::Int(int) => out.push(&int.to_string(), false),
        Value::Float(float) => out.push(&json_float(*float), false),
        Value::Str(text) => write_json_string(text, style, out),
        Value::List(seq) | Value::Tuple(seq) => {
            out.push("[", false)?;
            for (i, item) in seq.items.iter().enumerate() {
                separate(i, style, level + 1, out)?;
                write_json(item, style, level + 1, out)?;
            }
            close(seq.items.is_empty(), style, level, out)?;
            out.push("]", false)
        }
        Value::Dict(dict) => {
            let mut entries: Vec<&(Value, Value)> = dict.entries.iter().collect();
            out.meter().create_items(entries.len())?;
            if style.sort_keys {
                out.meter().scan(entries.len().saturating_mul(64))?;
                entries.sort_by(|a, b| a.0.as_str().cmp(&b.0.as_str()));
            }
            out.push("{", false)?;
            for (i, (key, value)) in entries.into_iter().enumerate() {
                separate(i, style, level + 1, out)?;
                write_json_key(key, style, out)?;
                out.push(&style.key_separator, false)?;
                write_json(value, style, level + 1, out)?;
            }
            close(dict.entries.is_empty(), style, level, out)?;
            out.push("}", false)
        }
        other => Err(fault(format!("Object of type {} is not JSON serializable", other.type_name()))),
    }
}

fn write_json_key(key: &Value, style: &JsonStyle, out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    match key {
        Value::Str(text) => write_json_string(text, style, out),
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
            out.push("\"", false)?;
            write_json(key, style, 0, out)?;
            out.push("\"", false)
        }
        other => Err(fault(format!("keys must be str, int, float, bool or None, not {}", other.type_name()))),
    }
}

fn write_json_string(text: &Text, style: &JsonStyle, out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    out.push("\"", false)?;
    write_escaped(text, out, |character| match character {
        '"' => Some("\\\"".into()),
        '\\' => Some("\\\\".into()),
        '\n' => Some("\\n".into()),
        '\r' => Some("\\r".into()),
        '\t' => Some("\\t".into()),
        '\u{8}' => Some("\\b".into()),
        '\u{c}' => Some("\\f".into()),
        c if (c as u32) < 0x20 => Some(format!("\\u{:04x}", c as u32).into()),
        c if style.ascii && !c.is_ascii() => {
            let units: String =
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
            Some(units.into())
        }
        _ => None,
    })?;
    out.push("\"", false)
}

fn separate(i: usize, style: &JsonStyle, level: usize, out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    if i > 0 {
        out.push(&style.item_separator, false)?;
    }
    new_line(style, level, out)
}

fn close(empty: bool, style: &JsonStyle, level: usize, out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    if empty { Ok(()) } else { new_line(style, level, out) }
}

fn new_line(style: &JsonStyle, level: usize, out: &mut TextBuf<'_>) -> Result<(), PromptError> {
    let Some(indent) = &style.indent else { return Ok(()) };
    out.push("\n", false)?;
    (0..level).try_for_each(|_| out.push(indent, false))
}

fn json_float(float: f64) -> String {
    match float_repr(float).as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        number => number.to_owned(),
    }
}
