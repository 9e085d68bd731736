//! Operators.

use std::ops::Range;

use crate::budget::Meter;
use crate::error::{PromptError, fault, unsupported};
use crate::print::{write_repr, write_str};
use crate::text::{Text, TextBuf};
use crate::value::Value;

pub(crate) fn add(a: &Value, b: &Value, meter: &Meter) -> Result<Value, PromptError> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => {
            let mut out = TextBuf::new(meter);
            out.push_text(a)?;
            out.push_text(b)?;
            Ok(Value::Str(out.finish()))
        }
        (Value::List(x), Value::List(y)) => {
            meter.create_items(x.items.len() + y.items.len())?;
            Value::list(x.items.iter().chain(&y.items).cloned().collect(), meter)
        }
        (Value::Tuple(x), Value::Tuple(y)) => {
            meter.create_items(x.items.len() + y.items.len())?;
            Value::tuple(x.items.iter().chain(&y.items).cloned().collect(), meter)
        }
        _ => arithmetic("+", a, b, i64::checked_add, |a, b| a + b),
    }
}

pub(crate) fn sub(a: &Value, b: &Value) -> Result<Value, PromptError> {
    arithmetic("-", a, b, i64::checked_sub, |a, b| a - b)
}

pub(crate) fn mul(a: &Value, b: &Value, meter: &Meter) -> Result<Value, PromptError> {
    match (a, b) {
        (Value::Str(text), n) | (n, Value::Str(text)) if n.as_int().is_some() => {
            let times = repeats(n, text.as_str().len());
            repeat(text, times, meter).map(Value::Str)
        }
        (Value::List(seq), n) | (n, Value::List(seq)) if n.as_int().is_some() => {
            let times = repeats(n, seq.items.len());
            meter.create_items(seq.items.len().saturating_mul(times))?;
            Value::list((0..times).flat_map(|_| seq.items.iter().cloned()).collect(), meter)
        }
        _ => arithmetic("*", a, b, i64::checked_mul, |a, b| a * b),
    }
}

/// How often something of `size` is repeated; 0 for empty things, so that no round goes uncharged.
fn repeats(n: &Value, size: usize) -> usize {
    let times = if size == 0 { 0 } else { n.as_int().unwrap_or(0).max(0) };
    usize::try_from(times).unwrap_or(usize::MAX)
}

/// In blocks of about 4 KiB, because appending single characters is slow.
fn repeat(text: &Text, times: usize, meter: &Meter) -> Result<Text, PromptError> {
    let per_block = (4096 / text.as_str().len().max(1)).max(1);
    let mut block = TextBuf::new(meter);
    for _ in 0..per_block.min(times) {
        block.push_text(text)?;
    }
    let block = block.finish();
    if times <= per_block {
        return Ok(block);
    }
    let mut out = TextBuf::new(meter);
    for _ in 0..times / per_block {
        out.push_text(&block)?;
    }
    for _ in 0..times % per_block {
        out.push_text(text)?;
    }
    Ok(out.finish())
}

pub(crate) fn div(a: &Value, b: &Value) -> Result<Value, PromptError> {
    let (x, y) = numbers("/", a, b)?;
    if y == 0.0 { Err(fault("division by zero")) } else { Ok(Value::Float(x / y)) }
}

pub(crate) fn floor_div(a: &Value, b: &Value) -> Result<Value, PromptError> {
    let (x, y) = numbers("//", a, b)?;
    if y == 0.0 {
        return Err(fault("division by zero"));
    }
    match (a.as_int(), b.as_int()) {
        (Some(a), Some(b)) => {
            let quotient = a.checked_div(b).ok_or_else(too_large)?;
            let inexact = a.checked_rem(b).unwrap_or(0) != 0;
            Ok(Value::Int(if inexact && (a < 0) != (b < 0) { quotient - 1 } else { quotient }))
        }
        _ => Ok(Value::Float((x / y).floor())),
    }
}

pub(crate) fn rem(a: &Value, b: &Value, meter: &Meter) -> Result<Value, PromptError> {
    if let Value::Str(format) = a {
        return percent_format(format, b, meter);
    }
    let (x, y) = numbers("%", a, b)?;
    if y == 0.0 {
        return Err(fault("division by zero"));
    }
    match (a.as_int(), b.as_int()) {
        (Some(a), Some(b)) => {
            let rest = a.checked_rem(b).unwrap_or(0);
            Ok(Value::Int(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }))
        }
        _ => Ok(Value::Float(x - y * (x / y).floor())),
    }
}

pub(crate) fn pow(a: &Value, b: &Value) -> Result<Value, PromptError> {
    match (a.as_int(), b.as_int()) {
        (Some(base), Some(exponent)) if exponent >= 0 => {
            let exponent = u32::try_from(exponent).map_err(|_| too_large())?;
            Ok(Value::Int(base.checked_pow(exponent).ok_or_else(too_large)?))
        }
        _ => {
            let (x, y) = numbers("**", a, b)?;
            if x == 0.0 && y < 0.0 {
                return Err(fault("division by zero"));
            }
            Ok(Value::Float(x.powf(y)))
        }
    }
}

pub(crate) fn negate(value: &Value) -> Result<Value, PromptError> {
    value.defined()?;
    match value {
        Value::Float(float) => Ok(Value::Float(-float)),
        _ => {
            let wrong = || fault(format!("a {} cannot be negated", value.type_name()));
            let int = value.as_int().ok_or_else(wrong)?;
            Ok(Value::Int(int.checked_neg().ok_or_else(too_large)?))
        }
    }
}

/// Jinja's `~`: both sides as text.
pub(crate) fn concat(a: &Value, b: &Value, meter: &Meter) -> Result<Value, PromptError> {
    let mut out = TextBuf::new(meter);
    write_str(a, &mut out)?;
    write_str(b, &mut out)?;
    Ok(Value::Str(out.finish()))
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value, meter: &Meter) -> Result<bool, PromptError> {
    match container {
        Value::Str(text) => {
            item.defined()?;
            let wrong = || fault(format!("'in <string>' needs a str on its left, not {}", item.type_name()));
            let needle = item.as_str().ok_or_else(wrong)?;
            meter.scan(text.as_str().len() + needle.len())?;
            Ok(text.as_str().contains(needle))
        }
        Value::Dict(dict) => Ok(dict.get(item, meter)?.is_some()),
        Value::List(seq) | Value::Tuple(seq) => {
            for candidate in &seq.items {
                if candidate.equals(item, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Range(range) => {
            let Some(int) = item.as_int() else { return Ok(false) };
            let offset = i128::from(int) - i128::from(range.start);
            let step = i128::from(range.step);
            Ok(offset % step == 0 && (0..range.len as i128).contains(&(offset / step)))
        }
        Value::Undefined(_) => Ok(false),
        other => Err(fault(format!("argument of type {:?} is not iterable", other.type_name()))),
    }
}

/// `value[start:stop:step]`.
pub(crate) fn slice(
    value: &Value,
    start: Option<i64>,
    stop: Option<i64>,
    step: Option<i64>,
    meter: &Meter,
) -> Result<Value, PromptError> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(fault("slice step cannot be zero"));
    }
    value.defined()?;
    match value {
        Value::Str(text) => slice_text(text, start, stop, step, meter),
        Value::List(seq) => Value::list(pick(&seq.items, start, stop, step, meter)?, meter),
        Value::Range(_) => Value::list(pick(&value.items(meter)?, start, stop, step, meter)?, meter),
        Value::Tuple(seq) => Value::tuple(pick(&seq.items, start, stop, step, meter)?, meter),
        other => Err(fault(format!("{:?} object cannot be sliced", other.type_name()))),
    }
}

fn pick(
    items: &[Value],
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
    meter: &Meter,
) -> Result<Vec<Value>, PromptError> {
    let indices = slice_indices(items.len(), start, stop, step);
    meter.create_items(items.len())?;
    Ok(indices.filter_map(|i| items.get(i).cloned()).collect())
}

fn slice_text(
    text: &Text,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
    meter: &Meter,
) -> Result<Value, PromptError> {
    let string = text.as_str();
    // Borders of the characters: 8 bytes each.
    meter.create(string.len().saturating_mul(8))?;
    let borders: Vec<usize> =
        string.char_indices().map(|(at, _)| at).chain(std::iter::once(string.len())).collect();
    let border = |i: usize| borders.get(i).copied().unwrap_or(string.len());
    let mut indices = slice_indices(borders.len() - 1, start, stop, step);
    if step == 1 {
        let first = indices.next();
        let range = first.map_or(0..0, |first| border(first)..border(first + 1 + indices.count()));
        return Ok(Value::Str(text.slice(range, meter)?));
    }
    let mut out = TextBuf::new(meter);
    for i in indices {
        out.push_range(text, border(i)..border(i + 1))?;
    }
    Ok(Value::Str(out.finish()))
}

/// The indices that Python's slice takes from `len` items.
fn slice_indices(
    len: usize,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> impl Iterator<Item = usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |bound: Option<i64>, default: i64| {
        bound.map_or(default, |i| (if i < 0 { i.saturating_add(len) } else { i }).clamp(low, high))
    };
    let (start, stop) = if step > 0 {
        (clamp(start, low), clamp(stop, high))
    } else {
        (clamp(start, high), clamp(stop, low))
    };
    let mut at = start;
    std::iter::from_fn(move || {
        let inside = if step > 0 { at < stop } else { at > stop };
        let index = usize::try_from(at).ok().filter(|_| inside)?;
        at = at.saturating_add(step);
        Some(index)
    })
}

/// Characters `range` of a string, by byte.
pub(crate) fn char_at(text: &Text, index: i64, meter: &Meter) -> Result<Option<Range<usize>>, PromptError> {
    let string = text.as_str();
    meter.scan(string.len())?;
    let place = if index < 0 {
        let from_end = usize::try_from(index.unsigned_abs() - 1).unwrap_or(usize::MAX);
        string.char_indices().rev().nth(from_end)
    } else {
        string.char_indices().nth(usize::try_from(index).unwrap_or(usize::MAX))
    };
    Ok(place.map(|(at, character)| at..at + character.len_utf8()))
}

/// `format % arguments` with `%s`, `%r`, `%d`, `%i` and `%%`.
pub(crate) fn percent_format(format: &Text, arguments: &Value, meter: &Meter) -> Result<Value, PromptError> {
    let mut values = match arguments {
        Value::Tuple(seq) => seq.items.iter().collect::<Vec<_>>(),
        Value::Dict(_) => return Err(unsupported("% formatting with a dict")),
        other => vec![other],
    }
    .into_iter();
    let string = format.as_str();
    let mut out = TextBuf::new(meter);
    let mut at = 0;
    while let Some(offset) = string.get(at..).and_then(|rest| rest.find('%')) {
        out.push_range(format, at..at + offset)?;
        let kind = string.get(at + offset + 1..).and_then(|rest| rest.chars().next());
        at += offset + 1 + kind.map_or(0, char::len_utf8);
        if kind == Some('%') {
            out.push("%", false)?;
            continue;
        }
        let mut next = || values.next().ok_or_else(|| fault("not enough arguments for format string"));
        match kind {
            Some('s') => write_str(next()?, &mut out)?,
            Some('r') => write_repr(next()?, &mut out)?,
            Some('d' | 'i') => {
                let value = next()?;
                let wrong = || fault(format!("%d needs a number, not {}", value.type_name()));
                let number = value.as_number().ok_or_else(wrong)?;
                out.push(&value.as_int().unwrap_or(number as i64).to_string(), false)?;
            }
            _ => return Err(unsupported("a % format other than %s, %r, %d")),
        }
    }
    out.push_range(format, at..string.len())?;
    match values.next() {
        Some(_) => Err(fault("not all arguments converted during string formatting")),
        None => Ok(Value::Str(out.finish())),
    }
}

fn arithmetic(
    operator: &str,
    a: &Value,
    b: &Value,
    ints: fn(i64, i64) -> Option<i64>,
    floats: fn(f64, f64) -> f64,
) -> Result<Value, PromptError> {
    if let (Some(a), Some(b)) = (a.as_int(), b.as_int()) {
        return ints(a, b).map(Value::Int).ok_or_else(too_large);
    }
    let (a, b) = numbers(operator, a, b)?;
    Ok(Value::Float(floats(a, b)))
}

fn numbers(operator: &str, a: &Value, b: &Value) -> Result<(f64, f64), PromptError> {
    a.defined()?;
    b.defined()?;
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => Ok((a, b)),
        _ => Err(fault(format!(
            "unsupported operand types for {operator}: {:?} and {:?}",
            a.type_name(),
            b.type_name()
        ))),
    }
}

fn too_large() -> PromptError {
    fault("an integer outside 64 bits")
}
