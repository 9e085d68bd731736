//! The tests behind `is`.

use crate::args::Args;
use crate::budget::Meter;
use crate::error::{PromptError, fault, unsupported};
use crate::ops;
use crate::value::Value;

/// Tests that templates may use.
pub const TESTS: [&str; 38] = [
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "true",
    "undefined",
    "upper",
    "filter",
    "test",
];

pub(crate) fn check(name: &str, value: &Value, args: Args, meter: &Meter) -> Result<bool, PromptError> {
    if !TESTS.contains(&name) {
        return Err(unsupported(format!("the test {name:?}")));
    }
    let int = || {
        value.defined()?;
        let wrong = || fault(format!("the test {name:?} needs an int, not {}", value.type_name()));
        value.as_int().ok_or_else(wrong)
    };
    let plain = match name {
        "defined" => Some(!matches!(value, Value::Undefined(_))),
        "undefined" => Some(matches!(value, Value::Undefined(_))),
        "none" => Some(matches!(value, Value::None)),
        "string" => Some(matches!(value, Value::Str(_))),
        "number" => Some(value.as_number().is_some()),
        "integer" => Some(matches!(value, Value::Int(_))),
        "float" => Some(matches!(value, Value::Float(_))),
        "boolean" => Some(matches!(value, Value::Bool(_))),
        "true" => Some(matches!(value, Value::Bool(true))),
        "false" => Some(matches!(value, Value::Bool(false))),
        "mapping" => Some(matches!(value, Value::Dict(_))),
        "callable" => Some(matches!(value, Value::Macro(_) | Value::Function(_))),
        "sequence" | "iterable" => Some(matches!(
            value,
            Value::Str(_)
                | Value::List(_)
                | Value::Tuple(_)
                | Value::Dict(_)
                | Value::Range(_)
                | Value::Undefined(_)
        )),
        "odd" => Some(int()?.rem_euclid(2) == 1),
        "even" => Some(int()?.rem_euclid(2) == 0),
        "lower" | "upper" => {
            let wrong = || fault(format!("the test {name:?} needs a str"));
            let string = value.as_str().ok_or_else(wrong)?;
            meter.scan(string.len())?;
            let other: fn(char) -> bool =
                if name == "lower" { char::is_uppercase } else { char::is_lowercase };
            let wanted: fn(char) -> bool =
                if name == "lower" { char::is_lowercase } else { char::is_uppercase };
            Some(string.chars().any(wanted) && !string.chars().any(other))
        }
        _ => None,
    };
    if let Some(result) = plain {
        args.bind(name, [])?;
        return Ok(result);
    }
    let [other] = args.bind(name, ["other"])?;
    let other = other.ok_or_else(|| fault(format!("the test {name:?} needs an argument")))?;
    match name {
        "eq" | "==" | "equalto" => value.equals(&other, meter),
        "ne" | "!=" => Ok(!value.equals(&other, meter)?),
        "lt" | "<" | "lessthan" => Ok(value.compare(&other, meter)?.is_lt()),
        "le" | "<=" => Ok(value.compare(&other, meter)?.is_le()),
        "gt" | ">" | "greaterthan" => Ok(value.compare(&other, meter)?.is_gt()),
        "ge" | ">=" => Ok(value.compare(&other, meter)?.is_ge()),
        "in" => ops::contains(&other, value, meter),
        "sameas" => Ok(value.type_name() == other.type_name() && value.equals(&other, meter)?),
        "divisibleby" => Ok(ops::rem(value, &other, meter)?.as_number() == Some(0.0)),
        "filter" => Ok(value.as_str().is_some_and(|name| crate::filters::FILTERS.contains(&name))),
        _ => Ok(value.as_str().is_some_and(|name| TESTS.contains(&name))),
    }
}
