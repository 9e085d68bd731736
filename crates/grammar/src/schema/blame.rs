//! Which keyword, and where, makes a schema refused: the compiler's own messages name neither.

use llguidance::{GrammarBuilder, JsonCompileOptions};
use serde_json::{Map, Value};

use super::keywords::{Keyword, keyword};
use super::{OPTIONS, pointer};
use crate::GrammarError;
use crate::limits;

/// Compilations of parts, at most; a refused schema is then named as a whole.
const MAX_TRIALS: usize = 200;

/// Compiles the schema as far as no tokens are needed.
pub(crate) fn check_compiles(schema: &Value) -> Result<(), GrammarError> {
    let Err(message) = compile(schema) else { return Ok(()) };
    if let Some((_, reason)) = message.split_once("Unsatisfiable schema: ") {
        return Err(GrammarError::Unsatisfiable {
            reason: reason.lines().next().unwrap_or_default().to_owned(),
        });
    }
    let mut search = Search { root: schema, trials: 0 };
    let (at, message) = search.deepest(String::new(), message);
    let keyword = search.keyword(&at);
    let path = match &keyword {
        Some(keyword) => pointer::below(&format!("#{at}"), keyword),
        None => format!("#{at}"),
    };
    let reason = in_words(&message);
    Err(match keyword {
        Some(keyword) => GrammarError::SchemaUnsupported { keyword, path, reason },
        None => GrammarError::SchemaInvalid { path, reason },
    })
}

struct Search<'a> {
    root: &'a Value,
    trials: usize,
}

impl Search<'_> {
    /// The innermost schema that is refused by itself, from the refused one at `at`.
    fn deepest(&mut self, mut at: String, mut message: String) -> (String, String) {
        'deeper: loop {
            for child in children(self.root, &at) {
                if let Some(found) = pointer::get(self.root, &child).and_then(|schema| self.refuses(schema)) {
                    (at, message) = (child, found);
                    continue 'deeper;
                }
            }
            return (at, message);
        }
    }

    /// The keyword without which the schema at `at` is accepted.
    fn keyword(&mut self, at: &str) -> Option<String> {
        let map = pointer::get(self.root, at)?.as_object()?;
        let names = map.keys().filter(|name| keyword(name).is_some_and(|k| k != Keyword::Annotation));
        let without = |name: &String| {
            let mut rest: Map<String, Value> = map.clone();
            rest.shift_remove(name);
            Value::Object(rest)
        };
        let culprit = names.clone().find(|name| self.refuses(&without(name)).is_none());
        culprit.or_else(|| names.clone().next()).cloned()
    }

    /// Why the schema is refused by itself, with the whole one's definitions at hand.
    fn refuses(&mut self, schema: &Value) -> Option<String> {
        self.trials += 1;
        if self.trials > MAX_TRIALS {
            return None;
        }
        let mut alone = schema.as_object()?.clone();
        let root = self.root.as_object()?;
        for name in ["$defs", "definitions", "$schema", OPTIONS] {
            if let Some(value) = root.get(name) {
                alone.entry(name).or_insert_with(|| value.clone());
            }
        }
        compile(&Value::Object(alone)).err().filter(|message| !message.contains("Unsatisfiable schema"))
    }
}

/// Pointers of the schemas directly inside the one at `at`.
fn children(root: &Value, at: &str) -> Vec<String> {
    let Some(map) = pointer::get(root, at).and_then(Value::as_object) else { return Vec::new() };
    let mut out = Vec::new();
    for (name, value) in map {
        let here = pointer::below(at, name);
        match (keyword(name), value) {
            (Some(Keyword::Schemas | Keyword::SchemaOrSchemas), Value::Array(items)) => {
                out.extend((0..items.len()).map(|i| format!("{here}/{i}")));
            }
            (Some(Keyword::SchemaMap), Value::Object(items)) => {
                out.extend(items.keys().map(|key| pointer::below(&here, key)));
            }
            (Some(Keyword::Schema | Keyword::SchemaOrSchemas), Value::Object(_)) => out.push(here),
            _ => {}
        }
    }
    out
}

fn compile(schema: &Value) -> Result<(), String> {
    let builder = GrammarBuilder::new(None, limits::parser());
    let options = JsonCompileOptions::default();
    options
        .json_to_llg_with_overrides(builder, schema.clone())
        .map(drop)
        .map_err(|error| format!("{error:#}"))
}

fn in_words(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    if line.contains("oneOf constraints are not supported") {
        return "its alternatives are not provably disjoint; use `anyOf`, or give each a `const` of its own"
            .to_owned();
    }
    line.to_owned()
}
