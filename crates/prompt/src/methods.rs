//! Methods of strings, lists and dicts. Those that would change a value are refused, as in the sandbox that
//! transformers renders in.

use crate::args::{Args, flag_or, int_or, optional_str, required_str};
use crate::budget::Meter;
use crate::error::{PromptError, fault, unsupported};
use crate::print::write_str;
use crate::strings::{self, Ends};
use crate::text::{Text, TextBuf};
use crate::value::Value;

/// Methods of strings.
pub const STRING_METHODS: [&str; 29] = [
    "capitalize",
    "count",
    "endswith",
    "find",
    "format",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdigit",
    "islower",
    "isnumeric",
    "isspace",
    "isupper",
    "join",
    "lower",
    "lstrip",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "title",
    "upper",
];
/// Methods of dicts.
pub const DICT_METHODS: [&str; 5] = ["copy", "get", "items", "keys", "values"];
/// Methods of lists and tuples.
pub const LIST_METHODS: [&str; 3] = ["copy", "count", "index"];

pub(crate) fn call(target: &Value, name: &str, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    args.scan(meter)?;
    match target {
        Value::Str(text) => string_method(text, name, args, meter),
        Value::Dict(_) => dict_method(target, name, args, meter),
        Value::List(_) | Value::Tuple(_) => list_method(target, name, args, meter),
        _ => {
            target.defined()?;
            Err(fault(format!("{:?} object has no method {name:?}", target.type_name())))
        }
    }
}

fn string_method(text: &Text, name: &str, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    let string = text.as_str();
    meter.scan(string.len())?;
    let all = |test: fn(char) -> bool| Value::Bool(!string.is_empty() && string.chars().all(test));
    let value = match name {
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = args.bind(name, ["chars"])?;
            let ends = Ends { left: name != "rstrip", right: name != "lstrip" };
            Value::Str(strings::strip(text, optional_str(&chars, name)?, ends, meter)?)
        }
        "split" | "rsplit" => {
            let [separator, limit] = args.bind(name, ["sep", "maxsplit"])?;
            let separator = optional_str(&separator, name)?;
            if separator == Some("") {
                return Err(fault("empty separator"));
            }
            strings::split(text, separator, int_or(&limit, -1, name)?, name == "rsplit", meter)?
        }
        "splitlines" => {
            let [keep_ends] = args.bind(name, ["keepends"])?;
            strings::split_lines(text, flag_or(&keep_ends, false), meter)?
        }
        "replace" => {
            let [old, new, count] = args.bind(name, ["old", "new", "count"])?;
            let Some(Value::Str(new)) = &new else { return Err(fault("replace needs two str")) };
            let old = required_str(old.as_ref(), name)?;
            Value::Str(strings::replace(text, old, new, int_or(&count, -1, name)?, meter)?)
        }
        "startswith" | "endswith" => {
            let [affixes] = args.bind(name, ["affix"])?;
            Value::Bool(has_affix(string, affixes.as_ref(), name, meter)?)
        }
        "removeprefix" | "removesuffix" => {
            let [affix] = args.bind(name, ["affix"])?;
            let affix = required_str(affix.as_ref(), name)?;
            let range = match name {
                "removeprefix" if string.starts_with(affix) => affix.len()..string.len(),
                "removesuffix" if string.ends_with(affix) => 0..string.len() - affix.len(),
                _ => 0..string.len(),
            };
            Value::Str(text.slice(range, meter)?)
        }
        "find" | "rfind" | "index" => {
            let [needle] = args.bind(name, ["sub"])?;
            let needle = required_str(needle.as_ref(), name)?;
            let at = if name == "rfind" { string.rfind(needle) } else { string.find(needle) };
            let place = at.and_then(|at| string.get(..at)).map(|before| before.chars().count());
            match place {
                Some(place) => Value::Int(i64::try_from(place).unwrap_or(i64::MAX)),
                None if name == "index" => return Err(fault("substring not found")),
                None => Value::Int(-1),
            }
        }
        "count" => {
            let [needle] = args.bind(name, ["sub"])?;
            let count = string.matches(required_str(needle.as_ref(), name)?).count();
            Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
        }
        "join" => {
            let [items] = args.bind(name, ["iterable"])?;
            let items = items.ok_or_else(|| fault("join needs an argument"))?.items(meter)?;
            if let Some(other) = items.iter().find(|item| item.as_str().is_none()) {
                return Err(fault(format!("join needs str items, not {}", other.type_name())));
            }
            Value::Str(strings::join(&items, text, meter)?)
        }
        "upper" => Value::Str(no_args(args, name).and_then(|()| strings::upper(text, meter))?),
        "lower" => Value::Str(no_args(args, name).and_then(|()| strings::lower(text, meter))?),
        "capitalize" => Value::Str(no_args(args, name).and_then(|()| strings::capitalize(text, meter))?),
        "title" => Value::Str(strings::title(text, |character| !character.is_alphabetic(), meter)?),
        "isspace" => all(strings::is_space),
        "isdigit" | "isnumeric" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isascii" => Value::Bool(string.is_ascii()),
        "islower" => Value::Bool(has_case(string, char::is_lowercase, char::is_uppercase)),
        "isupper" => Value::Bool(has_case(string, char::is_uppercase, char::is_lowercase)),
        "format" => Value::Str(brace_format(text, &args, meter)?),
        _ => return Err(unknown("str", name)),
    };
    Ok(value)
}

fn has_case(string: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    string.chars().any(wanted) && !string.chars().any(other)
}

fn has_affix(string: &str, affixes: Option<&Value>, name: &str, meter: &Meter) -> Result<bool, PromptError> {
    let matches = |affix: &str| {
        if name == "startswith" { string.starts_with(affix) } else { string.ends_with(affix) }
    };
    let Some(Value::Tuple(seq)) = affixes else { return Ok(matches(required_str(affixes, name)?)) };
    for affix in &seq.items {
        let affix = required_str(Some(affix), name)?;
        meter.scan(affix.len())?;
        if matches(affix) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `str.format` with `{}`, `{0}` and `{name}`; conversions and format specifications are refused.
fn brace_format(text: &Text, args: &Args, meter: &Meter) -> Result<Text, PromptError> {
    let string = text.as_str();
    let mut out = TextBuf::new(meter);
    let (mut at, mut automatic) = (0, 0);
    while let Some(offset) = string.get(at..).and_then(|rest| rest.find(['{', '}'])) {
        let brace = at + offset;
        out.push_range(text, at..brace)?;
        let rest = string.get(brace..).unwrap_or_default();
        if rest.starts_with("{{") || rest.starts_with("}}") {
            out.push_range(text, brace..brace + 1)?;
            at = brace + 2;
            continue;
        }
        let end = rest.find('}').filter(|_| rest.starts_with('{'));
        let field = end.and_then(|end| rest.get(1..end)).ok_or_else(|| fault("a single brace in format"))?;
        at = brace + field.len() + 2;
        if field.contains([':', '!', '.', '[']) {
            return Err(unsupported("str.format with a format specification"));
        }
        let value = if field.is_empty() {
            automatic += 1;
            args.positional.get(automatic - 1)
        } else if let Ok(index) = field.parse::<usize>() {
            args.positional.get(index)
        } else {
            args.named.iter().find(|named| named.0 == field).map(|named| &named.1)
        };
        write_str(value.ok_or_else(|| fault(format!("format has no argument {field:?}")))?, &mut out)?;
    }
    out.push_range(text, at..string.len())?;
    Ok(out.finish())
}

fn dict_method(target: &Value, name: &str, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    let Value::Dict(dict) = target else { return Err(unknown("dict", name)) };
    match name {
        "get" => {
            let [key, default] = args.bind(name, ["key", "default"])?;
            let key = key.ok_or_else(|| fault("get needs an argument"))?;
            Ok(dict.get(&key, meter)?.or(default).unwrap_or(Value::None))
        }
        "items" => {
            no_args(args, name)?;
            pairs(&dict.entries, meter)
        }
        "keys" => {
            no_args(args, name)?;
            Value::list(target.items(meter)?, meter)
        }
        "values" => {
            no_args(args, name)?;
            meter.create_items(dict.entries.len())?;
            Value::list(dict.entries.iter().map(|entry| entry.1.clone()).collect(), meter)
        }
        "copy" => Ok(target.clone()),
        "update" | "pop" | "popitem" | "setdefault" | "clear" => Err(immutable(name)),
        _ => match dict.get_str(name, meter)? {
            Some(value) => Err(fault(format!("{:?} object is not callable", value.type_name()))),
            None => Err(unknown("dict", name)),
        },
    }
}

/// Keys and values as a list of tuples.
pub(crate) fn pairs(entries: &[(Value, Value)], meter: &Meter) -> Result<Value, PromptError> {
    let mut items = Vec::new();
    for (key, value) in entries {
        meter.create_items(2)?;
        items.push(Value::tuple(vec![key.clone(), value.clone()], meter)?);
    }
    Value::list(items, meter)
}

fn list_method(target: &Value, name: &str, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    match name {
        "count" | "index" => {
            let [wanted] = args.bind(name, ["value"])?;
            let wanted = wanted.ok_or_else(|| fault(format!("{name} needs an argument")))?;
            let mut count = 0;
            for (i, item) in target.items(meter)?.iter().enumerate() {
                if item.equals(&wanted, meter)? {
                    count += 1;
                    if name == "index" {
                        return Ok(Value::Int(i64::try_from(i).unwrap_or(i64::MAX)));
                    }
                }
            }
            if name == "index" { Err(fault("value is not in list")) } else { Ok(Value::Int(count)) }
        }
        "copy" => Ok(target.clone()),
        "append" | "extend" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" => {
            Err(immutable(name))
        }
        _ => Err(unknown("list", name)),
    }
}

fn no_args(args: Args, name: &str) -> Result<(), PromptError> {
    args.bind(name, []).map(drop)
}

fn immutable(name: &str) -> PromptError {
    unsupported(format!("the method {name:?}, which changes its object"))
}

fn unknown(kind: &str, name: &str) -> PromptError {
    fault(format!("{kind:?} object has no attribute {name:?}"))
}

/// The name, as a static string, if a value of this kind has such a method.
pub(crate) fn known(target: &Value, name: &str) -> Option<&'static str> {
    let names: &'static [&'static str] = match target {
        Value::Str(_) => &STRING_METHODS,
        Value::Dict(_) => &DICT_METHODS,
        Value::List(_) | Value::Tuple(_) => &LIST_METHODS,
        _ => &[],
    };
    names.iter().find(|known| **known == name).copied()
}
