//! The filters behind `|` that work on one value; those that work on its items are in `list_filters`.

use crate::args::{Args, flag_or, int_or, optional_str, required_str};
use crate::budget::Meter;
use crate::error::{PromptError, fault, unsupported};
use crate::list_filters;
use crate::methods::pairs;
use crate::print::{JsonStyle, to_text, write_escaped, write_json};
use crate::strings::{self, Ends};
use crate::text::{Text, TextBuf};
use crate::value::Value;

/// Filters that templates may use.
pub const FILTERS: [&str; 40] = [
    "abs",
    "attr",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "sort",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
];

pub(crate) fn apply(name: &str, input: &Value, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    if !FILTERS.contains(&name) {
        return Err(unsupported(format!("the filter {name:?}")));
    }
    args.scan(meter)?;
    let text = || to_text(input, meter);
    let value = match name {
        "default" | "d" => {
            let [default, falsy] = args.bind(name, ["default_value", "boolean"])?;
            let replace =
                matches!(input, Value::Undefined(_)) || (flag_or(&falsy, false) && !input.is_true());
            if replace { default.unwrap_or_else(|| Value::literal("")) } else { input.clone() }
        }
        "length" | "count" => {
            no_args(args, name)?;
            let wrong = || fault(format!("object of type {:?} has no length", input.type_name()));
            Value::Int(i64::try_from(input.length(meter)?.ok_or_else(wrong)?).unwrap_or(i64::MAX))
        }
        "string" => Value::Str(text()?),
        "safe" => input.clone(),
        "upper" => Value::Str(strings::upper(&text()?, meter)?),
        "lower" => Value::Str(strings::lower(&text()?, meter)?),
        "capitalize" => Value::Str(strings::capitalize(&text()?, meter)?),
        "title" => {
            let is_border = |character: char| character.is_whitespace() || "-({[<".contains(character);
            Value::Str(strings::title(&text()?, is_border, meter)?)
        }
        "trim" => {
            let [chars] = args.bind(name, ["chars"])?;
            let ends = Ends { left: true, right: true };
            Value::Str(strings::strip(&text()?, optional_str(&chars, name)?, ends, meter)?)
        }
        "replace" => {
            let [old, new, count] = args.bind(name, ["old", "new", "count"])?;
            let new = to_text(&new.ok_or_else(|| fault("replace needs two arguments"))?, meter)?;
            let old = required_str(old.as_ref(), name)?;
            let count = if matches!(count, Some(Value::None)) { None } else { count };
            Value::Str(strings::replace(&text()?, old, &new, int_or(&count, -1, name)?, meter)?)
        }
        "tojson" => tojson(input, args, meter)?,
        "indent" => indent(&text()?, args, meter)?,
        "center" => {
            let [width] = args.bind(name, ["width"])?;
            center(&text()?, int_or(&width, 80, name)?, meter)?
        }
        "escape" | "e" => escape(&text()?, meter)?,
        "format" => {
            let arguments = Value::tuple(args.positional, meter)?;
            crate::ops::percent_format(&text()?, &arguments, meter)?
        }
        "int" | "float" => number(name, input, args, meter)?,
        "abs" => match input {
            Value::Float(float) => Value::Float(float.abs()),
            _ => {
                let int = input.as_int().and_then(i64::checked_abs);
                Value::Int(int.ok_or_else(|| fault(format!("abs of {}", input.type_name())))?)
            }
        },
        "round" => round(input, args)?,
        "items" => match input {
            Value::Dict(dict) => pairs(&dict.entries, meter)?,
            Value::Undefined(_) => Value::list(Vec::new(), meter)?,
            other => return Err(fault(format!("items of a {}", other.type_name()))),
        },
        "attr" => {
            let [attribute] = args.bind(name, ["name"])?;
            list_filters::attribute(input, required_str(attribute.as_ref(), name)?, meter)?
        }
        "reverse" if input.as_str().is_some() => crate::ops::slice(input, None, None, Some(-1), meter)?,
        _ => return list_filters::apply(name, input, args, meter),
    };
    Ok(value)
}

fn tojson(input: &Value, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    let names = ["indent", "ensure_ascii", "separators", "sort_keys"];
    let [indent, ascii, separators, sort_keys] = args.bind("tojson", names)?;
    let indent = match &indent {
        None | Some(Value::None) => None,
        Some(Value::Str(text)) => {
            meter.create(text.as_str().len())?;
            Some(text.as_str().to_owned())
        }
        Some(width) => {
            let width =
                usize::try_from(int_or(&Some(width.clone()), 0, "indent")?.max(0)).unwrap_or(usize::MAX);
            meter.create(width)?;
            Some(" ".repeat(width))
        }
    };
    let (item_separator, key_separator) = match &separators {
        None | Some(Value::None) => (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()),
        Some(given) => match given.items(meter)?.as_slice() {
            [Value::Str(item), Value::Str(key)] => {
                meter.create(item.as_str().len() + key.as_str().len())?;
                (item.as_str().to_owned(), key.as_str().to_owned())
            }
            _ => return Err(fault("separators must be two str")),
        },
    };
    let style = JsonStyle {
        indent,
        item_separator,
        key_separator,
        ascii: flag_or(&ascii, false),
        sort_keys: flag_or(&sort_keys, false),
    };
    let mut out = TextBuf::new(meter);
    write_json(input, &style, 0, &mut out)?;
    Ok(Value::Str(out.finish()))
}

fn indent(text: &Text, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    let [width, first, blank] = args.bind("indent", ["width", "first", "blank"])?;
    let pad = match &width {
        Some(Value::Str(pad)) => {
            meter.create(pad.as_str().len())?;
            pad.as_str().to_owned()
        }
        other => {
            let width = usize::try_from(int_or(other, 4, "indent")?.max(0)).unwrap_or(usize::MAX);
            meter.create(width)?;
            " ".repeat(width)
        }
    };
    let (first, blank) = (flag_or(&first, false), flag_or(&blank, false));
    let string = text.as_str();
    let mut out = TextBuf::new(meter);
    let mut at = 0;
    for (i, line) in string.split_inclusive('\n').enumerate() {
        let is_blank = line.trim_end_matches(['\n', '\r']).is_empty();
        if (i > 0 || first) && (blank || !is_blank) {
            out.push(&pad, false)?;
        }
        out.push_range(text, at..at + line.len())?;
        at += line.len();
    }
    Ok(Value::Str(out.finish()))
}

/// Python's `str.center`: the odd space goes left when the width is odd.
fn center(text: &Text, width: i64, meter: &Meter) -> Result<Value, PromptError> {
    meter.scan(text.as_str().len())?;
    let length = text.as_str().chars().count();
    let width = usize::try_from(width.max(0)).unwrap_or(usize::MAX);
    let margin = width.saturating_sub(length);
    let left = margin / 2 + (margin & width & 1);
    meter.create(margin)?;
    let mut out = TextBuf::new(meter);
    out.push(&" ".repeat(left), false)?;
    out.push_text(text)?;
    out.push(&" ".repeat(margin - left), false)?;
    Ok(Value::Str(out.finish()))
}

fn escape(text: &Text, meter: &Meter) -> Result<Value, PromptError> {
    let mut out = TextBuf::new(meter);
    write_escaped(text, &mut out, |character| {
        let entity = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '\'' => "&#39;",
            '"' => "&#34;",
            _ => return None,
        };
        Some(entity.into())
    })?;
    Ok(Value::Str(out.finish()))
}

fn number(name: &str, input: &Value, args: Args, meter: &Meter) -> Result<Value, PromptError> {
    // Two attempts, each over a copy.
    meter.scan(input.as_str().map_or(0, |string| 4 * string.len()))?;
    let [default, base] = args.bind(name, ["default", "base"])?;
    let base = u32::try_from(int_or(&base, 10, name)?).ok().filter(|base| (2..=36).contains(base));
    let base = base.ok_or_else(|| fault("a base outside 2 to 36"))?;
    let parsed = match (name, input) {
        ("int", Value::Str(text)) => {
            let string = text.as_str().trim();
            let int = i64::from_str_radix(&string.replace('_', ""), base).ok();
            int.or_else(|| string.parse::<f64>().ok().filter(|f| f.is_finite()).map(|f| f as i64))
                .map(Value::Int)
        }
        ("int", Value::Float(float)) => float.is_finite().then_some(Value::Int(*float as i64)),
        ("int", _) => input.as_int().map(Value::Int),
        (_, Value::Str(text)) => text.as_str().trim().parse().ok().map(Value::Float),
        _ => input.as_number().map(Value::Float),
    };
    let zero = if name == "int" { Value::Int(0) } else { Value::Float(0.0) };
    Ok(parsed.or(default).unwrap_or(zero))
}

fn round(input: &Value, args: Args) -> Result<Value, PromptError> {
    let [precision, method] = args.bind("round", ["precision", "method"])?;
    let wrong = || fault(format!("round of {}", input.type_name()));
    let number = input.as_number().ok_or_else(wrong)?;
    let precision = i32::try_from(int_or(&precision, 0, "round")?.clamp(-300, 300)).unwrap_or(0);
    let scale = 10f64.powi(precision);
    let scaled = number * scale;
    let rounded = match optional_str(&method, "round")?.unwrap_or("common") {
        "common" => scaled.round_ties_even(),
        "ceil" => scaled.ceil(),
        "floor" => scaled.floor(),
        other => return Err(unsupported(format!("the rounding method {other:?}"))),
    };
    Ok(Value::Float(if scaled.is_finite() { rounded / scale } else { number }))
}

fn no_args(args: Args, name: &str) -> Result<(), PromptError> {
    args.bind(name, []).map(drop)
}
