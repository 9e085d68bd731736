//! A strategy's parameters, by name, with their ranges.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::Value;

use crate::DecodeError;

/// The parameters that were given to a strategy. Each is taken once, by name; what is left at the end is an error.
#[derive(Debug)]
pub struct Args {
    method: &'static str,
    given: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Args {
    /// `key=value,key=value`.
    pub(crate) fn from_text(method: &'static str, list: &str) -> Result<Self, DecodeError> {
        let pair = |part: &str| match part.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
            None => Err(DecodeError::BadSpec { part: part.to_owned() }),
        };
        let parts = list.split(',').filter(|part| !part.trim().is_empty());
        Ok(Self { method, given: parts.map(pair).collect::<Result<_, _>>()?, known: Vec::new() })
    }

    /// The members of an object, beside `name`.
    pub(crate) fn from_json(method: &'static str, object: &Value) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let members = object.as_object().into_iter().flatten().filter(|(key, _)| *key != "name");
        let given = members.map(|(key, value)| (key.clone(), text(value))).collect();
        Self { method, given, known: Vec::new() }
    }

    /// The strategy's name.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// A real number.
    ///
    /// # Errors
    /// [`DecodeError::InvalidParameter`].
    pub fn number(
        &mut self,
        name: &'static str,
        default: f32,
        range: RangeInclusive<f32>,
    ) -> Result<f32, DecodeError> {
        self.value(name, default, &range, |value| range.contains(value))
    }

    /// A whole number.
    ///
    /// # Errors
    /// [`DecodeError::InvalidParameter`].
    pub fn count(
        &mut self,
        name: &'static str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> Result<usize, DecodeError> {
        self.value(name, default, &range, |value| range.contains(value))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`DecodeError::InvalidParameter`].
    pub fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, DecodeError> {
        Ok(self.one_of(name, if default { "true" } else { "false" }, &["true", "false"])? == "true")
    }

    /// One of several words.
    ///
    /// # Errors
    /// [`DecodeError::InvalidParameter`].
    pub fn one_of(
        &mut self,
        name: &'static str,
        default: &'static str,
        words: &[&'static str],
    ) -> Result<&'static str, DecodeError> {
        let Some(value) = self.take(name) else { return Ok(default) };
        let found = words.iter().find(|word| **word == value);
        found.copied().ok_or_else(|| self.invalid(name, value, &words.join(", ")))
    }

    /// Any text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.take(name)
    }

    /// Refuses what no one took.
    ///
    /// # Errors
    /// [`DecodeError::UnknownParameter`].
    pub fn done(self) -> Result<(), DecodeError> {
        let known = if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
        match self.given.into_iter().next() {
            Some((name, _)) => Err(DecodeError::UnknownParameter { method: self.method, name, known }),
            None => Ok(()),
        }
    }

    /// An error about a parameter.
    #[must_use]
    pub fn invalid(&self, name: &'static str, value: impl ToString, allowed: &str) -> DecodeError {
        let (value, allowed) = (value.to_string(), allowed.to_owned());
        DecodeError::InvalidParameter { method: self.method, name, value, allowed }
    }

    fn value<T: FromStr + Display>(
        &mut self,
        name: &'static str,
        default: T,
        range: &RangeInclusive<T>,
        fits: impl Fn(&T) -> bool,
    ) -> Result<T, DecodeError> {
        let Some(text) = self.take(name) else { return Ok(default) };
        match text.parse().ok().filter(|value| fits(value)) {
            Some(value) => Ok(value),
            None => Err(self.invalid(name, text, &format!("{} to {}", range.start(), range.end()))),
        }
    }

    fn take(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let at = self.given.iter().position(|(key, _)| key == name)?;
        Some(self.given.remove(at).1)
    }
}
