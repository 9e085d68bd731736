//! One pass over every place of a schema where a schema stands, references included.

use std::collections::HashSet;

use llguidance::derivre::{RegexAst, RegexBuilder};
use llguidance::regex_to_lark;
use serde_json::{Map, Value, json};

use super::formats::{Format, format};
use super::keywords::{Keyword, keyword};
use super::{OPTIONS, kind, pointer};
use crate::GrammarError;
use crate::limits::MAX_COUNT;
use crate::regex;

/// Whole numbers beyond this are not told apart by the compiler's arithmetic.
const MAX_EXACT: u64 = 1 << 53;

/// Checks and rewrites the schema in place.
pub(super) fn walk(root: &mut Value) -> Result<(), GrammarError> {
    let mut seen = HashSet::from([String::new()]);
    let mut todo = vec![String::new()];
    let (mut references, mut ids) = (Vec::new(), Vec::new());
    while let Some(at) = todo.pop() {
        let place = Place { path: format!("#{at}") };
        let Some(schema) = root.pointer_mut(&at) else {
            return Err(place.invalid("there is nothing".to_owned()));
        };
        let map = match schema {
            Value::Bool(_) => continue,
            Value::Object(map) => map,
            other => {
                return Err(place.invalid(format!("a schema is an object or a boolean, not {}", kind(other))));
            }
        };
        let children = place.check(map)?;
        if !at.is_empty() && ["$id", "id"].iter().any(|key| is_base(map.get(*key))) {
            ids.push(at.clone());
        }
        let target = map.get("$ref").and_then(Value::as_str).map(str::to_owned);
        if let Some(reference) = target {
            references.push(at.clone());
            let name = format!("goldcrest-reference-{}", references.len());
            if let Some(target) = place.reference(root, &at, &reference, &name)? {
                children_push(&mut seen, &mut todo, target);
            }
        }
        children.into_iter().for_each(|child| children_push(&mut seen, &mut todo, child));
    }
    // An identifier inside the schema moves what references below it mean.
    let moved = ids.iter().find(|id| references.iter().any(|at| at.starts_with(id.as_str())));
    match moved {
        Some(id) => Err(Place { path: format!("#{id}") }
            .refuse("$id", "references below an inner identifier are not followed".to_owned())),
        None => Ok(()),
    }
}

fn children_push(seen: &mut HashSet<String>, todo: &mut Vec<String>, at: String) {
    if seen.insert(at.clone()) {
        todo.push(at);
    }
}

fn is_base(id: Option<&Value>) -> bool {
    id.and_then(Value::as_str).is_some_and(|id| !id.starts_with('#'))
}

/// Where a schema stands.
struct Place {
    path: String,
}

impl Place {
    fn invalid(&self, reason: String) -> GrammarError {
        GrammarError::SchemaInvalid { path: self.path.clone(), reason }
    }

    fn refuse(&self, keyword: &str, reason: String) -> GrammarError {
        let path = pointer::below(&self.path, keyword);
        GrammarError::SchemaUnsupported { keyword: keyword.to_owned(), path, reason }
    }

    /// Checks one schema and returns the pointers of those directly inside.
    fn check(&self, map: &mut Map<String, Value>) -> Result<Vec<String>, GrammarError> {
        map.shift_remove(OPTIONS);
        map.retain(|name, value| !says_nothing(name, value));
        let mut children = Vec::new();
        let at = self.path.trim_start_matches('#');
        for (name, value) in map.iter() {
            let here = pointer::below(at, name);
            match (keyword(name), value) {
                (None | Some(Keyword::Annotation | Keyword::Enforced | Keyword::Reference), _) => {}
                (Some(Keyword::Refused(reason)), _) => return Err(self.refuse(name, reason.to_owned())),
                (Some(Keyword::Schemas | Keyword::SchemaOrSchemas), Value::Array(items)) => {
                    children.extend((0..items.len()).map(|i| format!("{here}/{i}")));
                }
                (Some(Keyword::SchemaMap), Value::Object(items)) => {
                    children.extend(items.keys().map(|key| pointer::below(&here, key)));
                }
                (Some(Keyword::Schema | Keyword::SchemaOrSchemas), _) => children.push(here),
                (Some(Keyword::Schemas), other) => {
                    return Err(self.invalid(format!("`{name}` is a list, not {}", kind(other))));
                }
                (Some(Keyword::SchemaMap), other) => {
                    return Err(self.invalid(format!("`{name}` is an object, not {}", kind(other))));
                }
            }
        }
        self.check_literals(map)?;
        self.check_counts(map)?;
        self.check_patterns(map)?;
        self.rewrite_format(map)?;
        if map.contains_key("prefixItems") && map.contains_key("additionalItems") {
            return Err(self.refuse("additionalItems", "with `prefixItems` it has no meaning".to_owned()));
        }
        Ok(children)
    }

    fn check_literals(&self, map: &Map<String, Value>) -> Result<(), GrammarError> {
        for name in
            ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "enum"]
        {
            let mut todo: Vec<&Value> = map.get(name).into_iter().collect();
            while let Some(value) = todo.pop() {
                match value {
                    Value::Array(items) => todo.extend(items),
                    Value::Object(items) => todo.extend(items.values()),
                    Value::String(text) if text.chars().any(is_unwritable) => {
                        return Err(
                            self.refuse(name, "it has control characters, which are not written".to_owned())
                        );
                    }
                    Value::Number(n) if !is_exact(n) => {
                        return Err(
                            self.refuse(name, format!("{n} is beyond 2^53, where numbers lose digits"))
                        );
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn check_counts(&self, map: &Map<String, Value>) -> Result<(), GrammarError> {
        for name in ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"] {
            match map.get(name) {
                None => {}
                Some(Value::Number(n)) if n.as_u64().is_some_and(|n| n <= MAX_COUNT) => {}
                Some(Value::Number(n)) if n.as_u64().is_some() => {
                    return Err(self.refuse(name, format!("{n} is more than {MAX_COUNT}")));
                }
                Some(other) => {
                    return Err(self.invalid(format!("`{name}` is a whole number from 0, not {other}")));
                }
            }
        }
        // The same key written twice counts once, and whether it was written cannot be looked up.
        let required = map.get("required").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        let least = map.get("minProperties").and_then(Value::as_u64).unwrap_or(0);
        let closed = map.get("additionalProperties") == Some(&Value::Bool(false))
            && map.get("patternProperties").is_none();
        if least > 1 && least > required && !closed {
            let reason = "with keys that are not named, equal keys cannot be told apart".to_owned();
            return Err(self.refuse("minProperties", reason));
        }
        Ok(())
    }

    fn check_patterns(&self, map: &Map<String, Value>) -> Result<(), GrammarError> {
        let alone = map.get("pattern").and_then(Value::as_str).map(|pattern| ("pattern", pattern));
        let keys = map.get("patternProperties").and_then(Value::as_object).map(Map::keys);
        let of_keys = keys.into_iter().flatten().map(|key| ("patternProperties", key.as_str()));
        for (name, pattern) in alone.into_iter().chain(of_keys) {
            let readable = regex::check(pattern).map_err(|error| error.to_string()).and_then(|()| {
                let ast = RegexAst::SearchRegex(regex_to_lark(pattern, "dw"));
                RegexBuilder::new().mk(&ast).map(drop).map_err(|error| error.to_string())
            });
            if let Err(reason) = readable {
                // The parser of expressions draws them first and says what is wrong last.
                let reason = reason.lines().last().unwrap_or_default().to_owned();
                return Err(
                    self.refuse(name, format!("the expression {pattern:?} cannot be enforced: {reason}"))
                );
            }
        }
        Ok(())
    }

    fn rewrite_format(&self, map: &mut Map<String, Value>) -> Result<(), GrammarError> {
        let Some(Value::String(name)) = map.get("format") else { return Ok(()) };
        let strings = match map.get("type") {
            None => true,
            Some(Value::String(one)) => one == "string",
            Some(Value::Array(several)) => several.iter().any(|one| one == "string"),
            Some(_) => true,
        };
        let pattern = match format(name) {
            // Formats speak of strings only.
            _ if !strings => None,
            Format::Known => return Ok(()),
            Format::Pattern(pattern) => Some(pattern),
            Format::Unknown => return Err(self.refuse("format", format!("the format `{name}` is not known"))),
        };
        map.shift_remove("format");
        match pattern {
            Some(pattern) if !map.contains_key("pattern") => {
                map.insert("pattern".to_owned(), pattern.into());
            }
            Some(pattern) => {
                let also = map.entry("allOf").or_insert_with(|| json!([]));
                if let Value::Array(items) = also {
                    items.push(json!({ "pattern": pattern }));
                }
            }
            None => {}
        }
        Ok(())
    }

    /// The pointer that a reference names, made plain for the compiler under `name` where its spelling is not.
    fn reference(
        &self,
        root: &mut Value,
        at: &str,
        reference: &str,
        name: &str,
    ) -> Result<Option<String>, GrammarError> {
        let refuse = |reason: &str| Err(self.refuse("$ref", format!("`{reference}`: {reason}")));
        let Some(target) = pointer::of_reference(reference) else {
            return refuse("only references within the schema (#/…) are followed");
        };
        let Some(value) = pointer::get(root, &target).cloned() else {
            return refuse("there is nothing");
        };
        if pointer::is_plain(reference, &target) {
            return Ok(Some(target));
        }
        let moved = format!("/$defs/{name}");
        if let Some(schema) = root.pointer_mut(at) {
            schema["$ref"] = format!("#{moved}").into();
        }
        if let Some(defs) = root
            .as_object_mut()
            .map(|map| map.entry("$defs").or_insert_with(|| json!({})))
            .and_then(Value::as_object_mut)
        {
            defs.insert(name.to_owned(), value);
        }
        Ok(Some(moved))
    }
}

/// Keywords that the compiler refuses by name although this value of theirs forbids nothing.
fn says_nothing(name: &str, value: &Value) -> bool {
    let empty = value.as_object().is_some_and(Map::is_empty);
    match name {
        "uniqueItems" => *value == Value::Bool(false),
        "unevaluatedProperties" | "unevaluatedItems" | "propertyNames" | "contentSchema" => {
            *value == Value::Bool(true) || empty
        }
        "dependencies" | "dependentRequired" | "dependentSchemas" => empty,
        "$vocabulary" | "deprecated" => true,
        _ => false,
    }
}

/// Characters that JSON writes as `\u00XX`, an escape that is switched off, or that the compiler drops.
fn is_unwritable(c: char) -> bool {
    c.is_ascii_control() && !"\u{8}\t\n\u{c}\r".contains(c)
}

fn is_exact(n: &serde_json::Number) -> bool {
    match (n.as_i64(), n.as_u64()) {
        (Some(n), _) => n.unsigned_abs() <= MAX_EXACT,
        (None, Some(_)) => false,
        (None, None) => n.as_f64().is_some_and(|n| n.abs() <= MAX_EXACT as f64),
    }
}
