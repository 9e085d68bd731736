//! Filters that work on the items of a value.

use std::cmp::Ordering;

use crate::args::{Args, flag_or, optional_str, required_str};
use crate::budget::Meter;
use crate::checks::check;
use crate::error::{PromptError, fault, unsupported};
use crate::ops;
use crate::print::to_text;
use crate::strings;
use crate::text::Text;
use crate::value::Value;

pub(crate) fn apply(name: &str, input: &Value, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    let items = || input.items(meter);
    match name {
        "list" => {
            args.bind(name, [])?;
            Value::list(items()?, meter)
        }
        "first" => Ok(items()?.into_iter().next().unwrap_or_else(|| Value::undefined("first item"))),
        "last" => Ok(items()?.pop().unwrap_or_else(|| Value::undefined("last item"))),
        "reverse" => {
            let mut items = items()?;
            items.reverse();
            Value::list(items, meter)
        }
        "join" => {
            let [separator, path] = args.bind(name, ["d", "attribute"])?;
            let separator = separator.map_or(Ok(Text::literal("")), |value| to_text(&value, meter))?;
            let items = with_attribute(items()?, &path, meter)?;
            Ok(Value::Str(strings::join(&items, &separator, meter)?))
        }
        "sum" => {
            let [path, start] = args.bind(name, ["attribute", "start"])?;
            let start = start.unwrap_or(Value::Int(0));
            if start.as_str().is_some() {
                return Err(fault("sum cannot add str"));
            }
            with_attribute(items()?, &path, meter)?
                .iter()
                .try_fold(start, |sum, item| ops::add(&sum, item, meter))
        }
        "map" => map(items()?, args, meter),
        "select" | "reject" | "selectattr" | "rejectattr" => choose(name, items()?, args, meter),
        "sort" => {
            let [reverse, case, path] = args.bind(name, ["reverse", "case_sensitive", "attribute"])?;
            let keyed = keyed(items()?, &path, flag_or(&case, false), meter)?;
            sorted(keyed, flag_or(&reverse, false), meter)
        }
        "dictsort" => dictsort(input, args, meter),
        "unique" => {
            let [case, path] = args.bind(name, ["case_sensitive", "attribute"])?;
            unique(keyed(items()?, &path, flag_or(&case, false), meter)?, meter)
        }
        "min" | "max" => {
            let [case, path] = args.bind(name, ["case_sensitive", "attribute"])?;
            extreme(name, keyed(items()?, &path, flag_or(&case, false), meter)?, meter)
        }
        _ => Err(unsupported(format!("the filter {name:?}"))),
    }
}

/// `a.b.0` looked up step by step, as filters take it.
pub(crate) fn attribute(value: &Value, path: &str, meter: &Meter) -> Result<Value, PromptError> {
    let mut value = value.clone();
    for part in path.split('.') {
        meter.step()?;
        value = match (part.parse::<usize>(), &value) {
            (Ok(index), Value::List(seq) | Value::Tuple(seq)) => seq.items.get(index).cloned(),
            (_, Value::Dict(dict)) => dict.get_str(part, meter)?,
            (_, Value::Undefined(_)) => {
                value.defined()?;
                None
            }
            _ => None,
        }
        .unwrap_or_else(|| Value::undefined(part));
    }
    Ok(value)
}

fn with_attribute(items: Vec<Value>, path: &Option<Value>, meter: &Meter) -> Result<Vec<Value>, PromptError> {
    match path {
        None | Some(Value::None) => Ok(items),
        Some(Value::Int(index)) => {
            let path = index.to_string();
            items.iter().map(|item| attribute(item, &path, meter)).collect()
        }
        Some(path) => {
            let path = required_str(Some(path), "attribute")?;
            items.iter().map(|item| attribute(item, path, meter)).collect()
        }
    }
}

fn map(items: Vec<Value>, mut args: Args, meter: &Meter) -> Result<Value, PromptError> {
    if args.positional.is_empty() {
        let [path, default] = args.bind("map", ["attribute", "default"])?;
        let mut values = with_attribute(items, &path, meter)?;
        if let Some(default) = default {
            for value in &mut values {
                if matches!(value, Value::Undefined(_)) {
                    *value = default.clone();
                }
            }
        }
        return Value::list(values, meter);
    }
    let filter = args.positional.remove(0);
    let filter = required_str(Some(&filter), "map")?;
    if matches!(filter, "map" | "select" | "reject" | "selectattr" | "rejectattr") {
        return Err(unsupported("map of a filter that takes a filter"));
    }
    let mut values = Vec::new();
    for item in items {
        meter.step()?;
        let copy = Args { positional: args.positional.clone(), named: args.named.clone() };
        values.push(crate::filters::apply(filter, &item, copy, meter)?);
    }
    Value::list(values, meter)
}

fn choose(name: &str, items: Vec<Value>, mut args: Args, meter: &Meter) -> Result<Value, PromptError> {
    let by_attribute = name.ends_with("attr");
    let path = if by_attribute {
        if args.positional.is_empty() {
            return Err(fault(format!("{name} needs the name of an attribute")));
        }
        Some(args.positional.remove(0))
    } else {
        None
    };
    let test = if args.positional.is_empty() { None } else { Some(args.positional.remove(0)) };
    let wanted = name.starts_with("select");
    let mut kept = Vec::new();
    for item in items {
        meter.step()?;
        let subject = match &path {
            Some(path) => attribute(&item, to_text(path, meter)?.as_str(), meter)?,
            None => item.clone(),
        };
        let passes = match &test {
            None => subject.is_true(),
            Some(test) => {
                let copy = Args { positional: args.positional.clone(), named: args.named.clone() };
                check(required_str(Some(test), name)?, &subject, copy, meter)?
            }
        };
        if passes == wanted {
            kept.push(item);
        }
    }
    Value::list(kept, meter)
}

type Keyed = Vec<(Value, Value)>;

/// Sort keys with their items; strings are compared without regard to case unless asked.
fn keyed(
    items: Vec<Value>,
    path: &Option<Value>,
    case_sensitive: bool,
    meter: &Meter,
) -> Result<Keyed, PromptError> {
    meter.create_items(items.len())?;
    let keys = with_attribute(items.clone(), path, meter)?;
    let keys: Result<Vec<Value>, PromptError> = keys
        .into_iter()
        .map(|key| match key {
            Value::Str(text) if !case_sensitive => Ok(Value::Str(strings::lower(&text, meter)?)),
            key => Ok(key),
        })
        .collect();
    Ok(keys?.into_iter().zip(items).collect())
}

fn dictsort(input: &Value, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    let [case, by, reverse] = args.bind("dictsort", ["case_sensitive", "by", "reverse"])?;
    let Value::Dict(dict) = input else { return Err(fault(format!("dictsort of a {}", input.type_name()))) };
    let by = match optional_str(&by, "dictsort")? {
        None | Some("key") => 0,
        Some("value") => 1,
        Some(other) => return Err(fault(format!("dictsort by {other:?}"))),
    };
    let items = crate::methods::pairs(&dict.entries, meter)?.items(meter)?;
    let keyed = keyed(items, &Some(Value::Int(by)), flag_or(&case, false), meter)?;
    sorted(keyed, flag_or(&reverse, false), meter)
}

fn sorted(keyed: Keyed, reverse: bool, meter: &Meter) -> Result<Value, PromptError> {
    let mut order = merge_sort(keyed, reverse, meter)?;
    Value::list(order.drain(..).map(|pair| pair.1).collect(), meter)
}

/// A stable sort whose comparison may fail. (The library's may panic when a comparison is inconsistent, and values
/// from a template can be: NaN, mixed types.)
fn merge_sort(mut keyed: Keyed, reverse: bool, meter: &Meter) -> Result<Keyed, PromptError> {
    if keyed.len() < 2 {
        return Ok(keyed);
    }
    meter.create_items(2 * keyed.len())?;
    let right = keyed.split_off(keyed.len() / 2);
    let mut left = merge_sort(keyed, reverse, meter)?.into_iter().peekable();
    let mut right = merge_sort(right, reverse, meter)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let order = b.0.compare(&a.0, meter)?;
        let right_first = order == if reverse { Ordering::Greater } else { Ordering::Less };
        merged.extend(if right_first { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

fn unique(keyed: Keyed, meter: &Meter) -> Result<Value, PromptError> {
    let mut seen: Vec<Value> = Vec::new();
    let mut kept = Vec::new();
    'items: for (key, item) in keyed {
        for known in &seen {
            if known.equals(&key, meter)? {
                continue 'items;
            }
        }
        seen.push(key);
        kept.push(item);
    }
    Value::list(kept, meter)
}

fn extreme(name: &str, keyed: Keyed, meter: &Meter) -> Result<Value, PromptError> {
    let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
    let mut best: Option<(Value, Value)> = None;
    for pair in keyed {
        let better = match &best {
            Some(best) => pair.0.compare(&best.0, meter)? == wanted,
            None => true,
        };
        if better {
            best = Some(pair);
        }
    }
    Ok(best.map_or_else(|| Value::undefined("item of an empty sequence"), |pair| pair.1))
}
