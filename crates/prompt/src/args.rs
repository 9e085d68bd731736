//! Arguments of a call, given by place or by name.

use crate::budget::Meter;
use crate::error::{PromptError, fault};
use crate::value::Value;

/// Evaluated arguments.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(String, Value)>,
}

impl Args {
    /// Announces that the strings among the arguments are about to be read. Preparing to search for a string takes
    /// several times as long as copying it.
    pub(crate) fn scan(&self, meter: &Meter) -> Result<(), PromptError> {
        let values = self.positional.iter().chain(self.named.iter().map(|named| &named.1));
        values.filter_map(Value::as_str).try_for_each(|string| meter.scan(string.len().saturating_mul(8)))
    }

    /// The arguments in the order of `names`, absent ones as `None`.
    pub(crate) fn bind<const N: usize>(
        self,
        callee: &str,
        names: [&str; N],
    ) -> Result<[Option<Value>; N], PromptError> {
        let mut bound: [Option<Value>; N] = std::array::from_fn(|_| None);
        let given = self.positional.len();
        if given > N {
            return Err(fault(format!("{callee} takes at most {N} arguments, {given} were given")));
        }
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let slot = names.iter().position(|known| *known == name).and_then(|i| bound.get_mut(i));
            match slot {
                Some(slot) if slot.is_none() => *slot = Some(value),
                _ => return Err(fault(format!("{callee} got an unexpected argument {name:?}"))),
            }
        }
        Ok(bound)
    }
}

/// The argument as a string, if it was given.
pub(crate) fn optional_str<'v>(
    value: &'v Option<Value>,
    callee: &str,
) -> Result<Option<&'v str>, PromptError> {
    match value {
        None | Some(Value::None) => Ok(None),
        Some(value) => required_str(Some(value), callee).map(Some),
    }
}

pub(crate) fn required_str<'v>(value: Option<&'v Value>, callee: &str) -> Result<&'v str, PromptError> {
    match value {
        Some(value) => {
            value.defined()?;
            let wrong = || fault(format!("{callee} needs a str, not {}", value.type_name()));
            value.as_str().ok_or_else(wrong)
        }
        None => Err(fault(format!("{callee} needs an argument"))),
    }
}

/// The argument as an integer, or `default`.
pub(crate) fn int_or(value: &Option<Value>, default: i64, callee: &str) -> Result<i64, PromptError> {
    match value {
        None => Ok(default),
        Some(value) => {
            value.as_int().ok_or_else(|| fault(format!("{callee} needs an int, not {}", value.type_name())))
        }
    }
}

/// The truth of an argument, or `default`.
pub(crate) fn flag_or(value: &Option<Value>, default: bool) -> bool {
    value.as_ref().map_or(default, Value::is_true)
}
