//! What text is wanted, as JSON.

use serde_json::Value;

use crate::{Grammar, Layout, ToolChoice, ToolFormat, Tools};

/// A member of the JSON that is missing or of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not allowed; allowed: {allowed}")]
pub struct AskedError {
    /// The member.
    pub name: &'static str,
    /// What it may be.
    pub allowed: &'static str,
}

impl Grammar {
    /// Reads `{type, …}` with what belongs to the type: `schema` and `layout`, `pattern`, `text` and `syntax`, or `tools` with
    /// `format`, `choice` and `parallel`.
    ///
    /// # Errors
    /// [`AskedError`] with the member's name.
    pub fn from_json(mut asked: Value) -> Result<Self, AskedError> {
        match asked["type"].as_str() {
            Some("json_schema") => {
                let schema = asked.get_mut("schema").ok_or(wrong("schema", "a JSON schema"))?.take();
                Ok(Self::JsonSchema { schema, layout: layout(&asked["layout"])? })
            }
            Some("json_object") => Ok(Self::JsonObject { layout: layout(&asked["layout"])? }),
            Some("regex") => Ok(Self::Regex(text(&asked, "pattern")?)),
            Some("grammar") => match asked["syntax"].as_str() {
                Some("lark") => Ok(Self::Lark(text(&asked, "text")?)),
                Some("gbnf") => Ok(Self::Gbnf(text(&asked, "text")?)),
                _ => Ok(Self::detect(text(&asked, "text")?)),
            },
            Some("tools") => tools(asked),
            _ => Err(wrong("type", "json_schema, json_object, regex, grammar or tools")),
        }
    }
}

fn tools(mut asked: Value) -> Result<Grammar, AskedError> {
    let format = asked["format"].as_str().and_then(ToolFormat::named);
    let choice = match (asked["choice"].as_str(), asked["choice"]["name"].as_str()) {
        (Some("auto"), _) => ToolChoice::Auto,
        (Some("required"), _) => ToolChoice::Required,
        (None, Some(name)) => ToolChoice::Named(name.to_owned()),
        _ => return Err(wrong("choice", "auto, required or { name }")),
    };
    Ok(Grammar::Tools(Tools {
        format: format.ok_or(wrong("format", "hermes, llama3 or json"))?,
        choice,
        parallel: asked["parallel"].as_bool().unwrap_or(true),
        tools: asked["tools"].take(),
    }))
}

fn text(asked: &Value, name: &'static str) -> Result<String, AskedError> {
    asked[name].as_str().map(str::to_owned).ok_or(wrong(name, "a string"))
}

fn layout(given: &Value) -> Result<Layout, AskedError> {
    match given.as_str() {
        Some("spaced") => Ok(Layout::Spaced),
        Some("compact") => Ok(Layout::Compact),
        None if given.is_null() => Ok(Layout::default()),
        _ => Err(wrong("layout", "spaced or compact")),
    }
}

const fn wrong(name: &'static str, allowed: &'static str) -> AskedError {
    AskedError { name, allowed }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
    use super::*;
    use serde_json::json;

    #[test]
    fn every_type_is_read() {
        let schema = json!({ "type": "object" });
        for (asked, want) in [
            (
                json!({ "type": "json_schema", "schema": schema, "layout": "compact" }),
                Grammar::JsonSchema { schema: schema.clone(), layout: Layout::Compact },
            ),
            (json!({ "type": "json_object" }), Grammar::JsonObject { layout: Layout::Spaced }),
            (json!({ "type": "regex", "pattern": "a+" }), Grammar::Regex("a+".to_owned())),
            (json!({ "type": "grammar", "text": "start: \"a\"" }), Grammar::Lark("start: \"a\"".to_owned())),
            (json!({ "type": "grammar", "text": "x", "syntax": "gbnf" }), Grammar::Gbnf("x".to_owned())),
            (
                json!({ "type": "tools", "format": "hermes", "choice": { "name": "f" }, "parallel": false, "tools": [] }),
                Grammar::Tools(Tools {
                    format: ToolFormat::named("hermes").unwrap(),
                    choice: ToolChoice::Named("f".to_owned()),
                    parallel: false,
                    tools: json!([]),
                }),
            ),
        ] {
            assert_eq!(Grammar::from_json(asked), Ok(want));
        }
        for (asked, name) in [
            (json!({}), "type"),
            (json!({ "type": "json_schema" }), "schema"),
            (json!({ "type": "json_object", "layout": "wide" }), "layout"),
            (json!({ "type": "regex" }), "pattern"),
            (json!({ "type": "tools", "format": "hermes" }), "choice"),
            (json!({ "type": "tools", "format": "x", "choice": "auto" }), "format"),
        ] {
            assert_eq!(Grammar::from_json(asked).unwrap_err().name, name);
        }
    }
}
