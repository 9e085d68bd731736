//! The values of a template: Python's, as far as chat templates use them.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;

use crate::budget::{MAX_DEPTH, Meter};
use crate::error::{PromptError, fault};
use crate::text::Text;

/// A value; copies share their contents.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Not set; the name of what was looked up.
    Undefined(Rc<str>),
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Text),
    List(Rc<Seq>),
    Tuple(Rc<Seq>),
    Dict(Rc<Dict>),
    Range(Rc<IntRange>),
    Namespace(Rc<RefCell<Vec<(Text, Value)>>>),
    Loop(Rc<LoopState>),
    /// A macro of the template, by its number in the interpreter.
    Macro(usize),
    /// A function of the engine, by name, or a method that was named but not called.
    Function(&'static str),
}

/// Items with the depth of their nesting.
#[derive(Debug, Default)]
pub(crate) struct Seq {
    pub(crate) items: Vec<Value>,
    depth: usize,
}

/// Entries in order of insertion.
#[derive(Debug, Default)]
pub(crate) struct Dict {
    pub(crate) entries: Vec<(Value, Value)>,
    depth: usize,
}

/// `range(start, stop, step)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntRange {
    pub(crate) start: i64,
    pub(crate) step: i64,
    pub(crate) len: usize,
}

/// The variable `loop` of one loop.
#[derive(Debug)]
pub(crate) struct LoopState {
    pub(crate) items: Rc<Seq>,
    pub(crate) index0: usize,
}

impl Value {
    pub(crate) fn literal(string: &str) -> Self {
        Self::Str(Text::literal(string))
    }

    pub(crate) fn undefined(name: &str) -> Self {
        Self::Undefined(Rc::from(name))
    }

    pub(crate) fn list(items: Vec<Value>, meter: &Meter) -> Result<Self, PromptError> {
        Ok(Self::List(Rc::new(Seq::new(items, meter)?)))
    }

    pub(crate) fn tuple(items: Vec<Value>, meter: &Meter) -> Result<Self, PromptError> {
        Ok(Self::Tuple(Rc::new(Seq::new(items, meter)?)))
    }

    pub(crate) fn dict(entries: Vec<(Value, Value)>, meter: &Meter) -> Result<Self, PromptError> {
        meter.create_items(2 * entries.len())?;
        let depth = nesting(entries.iter().map(|entry| &entry.1))?;
        Ok(Self::Dict(Rc::new(Dict { entries, depth })))
    }

    /// A value of the conversation. Its strings are marked as the user's unless they are the name of a usual role.
    pub(crate) fn from_json(json: &serde_json::Value, meter: &Meter) -> Result<Self, PromptError> {
        meter.enter()?;
        let value = match json {
            serde_json::Value::Null => Self::None,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(int) => Self::Int(int),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(string) => Self::Str(Text::input(string, true)),
            serde_json::Value::Array(items) => {
                let items: Result<Vec<_>, _> =
                    items.iter().map(|item| Self::from_json(item, meter)).collect();
                Self::List(Rc::new(Seq::of(items?)?))
            }
            serde_json::Value::Object(map) => {
                let mut entries = Vec::with_capacity(map.len());
                for (key, item) in map {
                    let value = match item {
                        serde_json::Value::String(role) if key == "role" => {
                            Self::Str(Text::input(role, !is_usual_role(role)))
                        }
                        _ => Self::from_json(item, meter)?,
                    };
                    entries.push((Self::Str(Text::input(key, true)), value));
                }
                let depth = nesting(entries.iter().map(|entry| &entry.1))?;
                Self::Dict(Rc::new(Dict { entries, depth }))
            }
        };
        meter.leave();
        Ok(value)
    }

    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(flag) => *flag,
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Str(text) => !text.as_str().is_empty(),
            Self::List(seq) | Self::Tuple(seq) => !seq.items.is_empty(),
            Self::Dict(dict) => !dict.entries.is_empty(),
            Self::Range(range) => range.len > 0,
            Self::Namespace(_) | Self::Loop(_) | Self::Macro(_) | Self::Function(_) => true,
        }
    }

    /// Python's name of the type, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Range(_) => "range",
            Self::Namespace(_) => "Namespace",
            Self::Loop(_) => "LoopContext",
            Self::Macro(_) => "Macro",
            Self::Function(_) => "function",
        }
    }

    pub(crate) fn as_text(&self) -> Option<&Text> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        self.as_text().map(Text::as_str)
    }

    /// Integers and booleans.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(int) => Some(*int),
            Self::Bool(flag) => Some(i64::from(*flag)),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Float(float) => Some(*float),
            _ => self.as_int().map(|int| int as f64),
        }
    }

    /// The error of using an undefined value, if it is one.
    pub(crate) fn defined(&self) -> Result<(), PromptError> {
        match self {
            Self::Undefined(name) => Err(fault(format!("{name:?} is undefined"))),
            _ => Ok(()),
        }
    }

    /// The items that a loop over the value visits.
    pub(crate) fn items(&self, meter: &Meter) -> Result<Vec<Value>, PromptError> {
        match self {
            Self::Undefined(_) => Ok(Vec::new()),
            Self::List(seq) | Self::Tuple(seq) => {
                meter.create_items(seq.items.len())?;
                Ok(seq.items.clone())
            }
            Self::Dict(dict) => {
                meter.create_items(dict.entries.len())?;
                Ok(dict.entries.iter().map(|entry| entry.0.clone()).collect())
            }
            Self::Range(range) => {
                meter.create_items(range.len)?;
                Ok((0..range.len).map(|i| Self::Int(range.at(i))).collect())
            }
            Self::Str(text) => {
                let mut items = Vec::new();
                for (at, character) in text.as_str().char_indices() {
                    // A string of its own each, with its two headers.
                    meter.create_items(4)?;
                    items.push(Self::Str(text.slice(at..at + character.len_utf8(), meter)?));
                }
                Ok(items)
            }
            other => Err(fault(format!("{:?} object is not iterable", other.type_name()))),
        }
    }

    /// Number of items; `None` for values without a length.
    pub(crate) fn length(&self, meter: &Meter) -> Result<Option<usize>, PromptError> {
        Ok(match self {
            Self::Undefined(_) => Some(0),
            Self::Str(text) => {
                meter.scan(text.as_str().len())?;
                Some(text.as_str().chars().count())
            }
            Self::List(seq) | Self::Tuple(seq) => Some(seq.items.len()),
            Self::Dict(dict) => Some(dict.entries.len()),
            Self::Range(range) => Some(range.len),
            Self::Loop(state) => Some(state.items.items.len()),
            _ => None,
        })
    }

    /// Python's `==`.
    pub(crate) fn equals(&self, other: &Self, meter: &Meter) -> Result<bool, PromptError> {
        meter.scan(8)?;
        Ok(match (self, other) {
            (Self::Undefined(_), Self::Undefined(_)) | (Self::None, Self::None) => true,
            (Self::Str(a), Self::Str(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                meter.scan(if a.len() == b.len() { a.len() } else { 0 })?;
                a == b
            }
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => {
                if a.items.len() != b.items.len() {
                    return Ok(false);
                }
                for (a, b) in a.items.iter().zip(&b.items) {
                    if !a.equals(b, meter)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Dict(a), Self::Dict(b)) => {
                if a.entries.len() != b.entries.len() {
                    return Ok(false);
                }
                for (key, value) in &a.entries {
                    match b.get(key, meter)? {
                        Some(other) if value.equals(&other, meter)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            (Self::Namespace(a), Self::Namespace(b)) => Rc::ptr_eq(a, b),
            (Self::Macro(a), Self::Macro(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            _ => match (self.as_number(), other.as_number()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        })
    }

    /// Python's `<` and its kin.
    pub(crate) fn compare(&self, other: &Self, meter: &Meter) -> Result<Ordering, PromptError> {
        meter.scan(8)?;
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => {
                meter.scan(a.as_str().len().min(b.as_str().len()))?;
                // UTF-8 keeps the order of code points, which is Python's.
                return Ok(a.as_str().cmp(b.as_str()));
            }
            (Self::Int(a), Self::Int(b)) => return Ok(a.cmp(b)),
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => {
                for (a, b) in a.items.iter().zip(&b.items) {
                    match a.compare(b, meter)? {
                        Ordering::Equal => {}
                        unequal => return Ok(unequal),
                    }
                }
                return Ok(a.items.len().cmp(&b.items.len()));
            }
            _ => {}
        }
        self.defined()?;
        other.defined()?;
        if let (Some(a), Some(b)) = (self.as_number(), other.as_number())
            && let Some(order) = a.partial_cmp(&b)
        {
            return Ok(order);
        }
        Err(fault(format!("{:?} and {:?} cannot be ordered", self.type_name(), other.type_name())))
    }

    /// Depth of the nesting of lists and dicts.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::List(seq) | Self::Tuple(seq) => seq.depth,
            Self::Dict(dict) => dict.depth,
            Self::Loop(state) => state.items.depth,
            // A namespace is filled after it is made; its contents may be half as deep as allowed.
            Self::Namespace(_) => MAX_DEPTH / 2,
            _ => 0,
        }
    }
}

impl Seq {
    /// Charges the items and measures their nesting.
    pub(crate) fn new(items: Vec<Value>, meter: &Meter) -> Result<Self, PromptError> {
        meter.create_items(items.len())?;
        Self::of(items)
    }

    fn of(items: Vec<Value>) -> Result<Self, PromptError> {
        let depth = nesting(items.iter())?;
        Ok(Self { items, depth })
    }
}

impl Dict {
    pub(crate) fn get(&self, key: &Value, meter: &Meter) -> Result<Option<Value>, PromptError> {
        for (known, value) in &self.entries {
            if known.equals(key, meter)? {
                return Ok(Some(value.clone()));
            }
        }
        Ok(None)
    }

    pub(crate) fn get_str(&self, key: &str, meter: &Meter) -> Result<Option<Value>, PromptError> {
        meter.scan(8 * self.entries.len())?;
        Ok(self.entries.iter().find(|entry| entry.0.as_str() == Some(key)).map(|entry| entry.1.clone()))
    }
}

impl IntRange {
    pub(crate) fn at(&self, index: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX)))
    }
}

/// Names that chat templates put inside their control tokens. A role outside this list is treated as any other
/// text of the user, so that it cannot complete a control token.
fn is_usual_role(role: &str) -> bool {
    matches!(
        role,
        "system"
            | "user"
            | "assistant"
            | "tool"
            | "developer"
            | "function"
            | "model"
            | "ipython"
            | "tool_call"
            | "tool_response"
            | "observation"
            | "documents"
            | "context"
            | "critic"
    )
}

fn nesting<'v>(items: impl Iterator<Item = &'v Value>) -> Result<usize, PromptError> {
    let depth = 1 + items.map(Value::depth).max().unwrap_or(0);
    if depth > MAX_DEPTH { Err(PromptError::TooDeep { limit: MAX_DEPTH }) } else { Ok(depth) }
}
