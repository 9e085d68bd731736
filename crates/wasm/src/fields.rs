//! Named values of a JSON object, each taken once and checked; whatever is left over was misspelt.

use serde_json::{Map, Value};

use crate::error::Failure;

/// The fields that have not been taken yet.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        Self::of("the argument", serde_json::from_str(text).map_err(Failure::Json)?)
    }

    pub(crate) fn of(name: &str, value: Value) -> Result<Self, Failure> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            other => Err(refused(name, &other, "an object")),
        }
    }

    /// A value of any kind; `null` is as good as none.
    pub(crate) fn any(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name).filter(|value| !value.is_null())
    }

    /// A value that `convert` accepts.
    pub(crate) fn take<T>(
        &mut self,
        name: &str,
        allowed: &'static str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.any(name) else { return Ok(None) };
        convert(&value).map(Some).ok_or_else(|| refused(name, &value, allowed))
    }

    pub(crate) fn count<T: TryFrom<u64>>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        self.take(name, "a whole number from 0", |v| T::try_from(v.as_u64()?).ok())
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Failure> {
        self.take(name, "true or false", Value::as_bool)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        self.take(name, "a string", |v| v.as_str().map(str::to_owned))
    }

    /// What was not taken, for those who take any name.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.0
    }

    /// Refuses what was not taken.
    pub(crate) fn end(self) -> Result<(), Failure> {
        match self.0.into_iter().next() {
            Some((name, value)) => Err(refused(&name, &value, "nothing: there is no such parameter")),
            None => Ok(()),
        }
    }
}

pub(crate) fn refused(name: &str, value: &Value, allowed: &'static str) -> Failure {
    Failure::Parameter { name: name.to_owned(), value: value.to_string(), allowed }
}

/// A list whose every element `convert` accepts.
pub(crate) fn list<T>(value: &Value, convert: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(convert).collect()
}
