//! Forms as JavaScript asks for them.

use goldcrest_grammar::{Grammar, Layout, ToolChoice, ToolFormat, Tools};
use serde_json::Value;

use crate::error::Failure;

/// Reads `{type, …}`.
pub(crate) fn grammar(asked: &str) -> Result<Grammar, Failure> {
    let asked: Value = serde_json::from_str(asked).map_err(|error| Failure::Request(error.to_string()))?;
    match asked["type"].as_str() {
        Some("json_schema") => {
            let schema = asked.get("schema").cloned().ok_or_else(|| wrong("schema", "a JSON schema"))?;
            Ok(Grammar::JsonSchema { schema, layout: layout(&asked["layout"])? })
        }
        Some("json_object") => Ok(Grammar::JsonObject { layout: layout(&asked["layout"])? }),
        Some("regex") => Ok(Grammar::Regex(text(&asked, "pattern")?)),
        Some("grammar") => match asked["syntax"].as_str() {
            Some("lark") => Ok(Grammar::Lark(text(&asked, "text")?)),
            Some("gbnf") => Ok(Grammar::Gbnf(text(&asked, "text")?)),
            _ => Ok(Grammar::detect(text(&asked, "text")?)),
        },
        Some("tools") => tools(asked),
        _ => Err(wrong("type", "json_schema, json_object, regex, grammar or tools")),
    }
}

fn tools(mut asked: Value) -> Result<Grammar, Failure> {
    let format = asked["format"].as_str().and_then(ToolFormat::named);
    let choice = match (asked["choice"].as_str(), asked["choice"]["name"].as_str()) {
        (Some("auto"), _) => ToolChoice::Auto,
        (Some("required"), _) => ToolChoice::Required,
        (None, Some(name)) => ToolChoice::Named(name.to_owned()),
        _ => return Err(wrong("choice", "auto, required or { name }")),
    };
    Ok(Grammar::Tools(Tools {
        format: format.ok_or_else(|| wrong("format", "hermes, llama3 or json"))?,
        choice,
        parallel: asked["parallel"].as_bool().unwrap_or(true),
        tools: asked["tools"].take(),
    }))
}

fn text(asked: &Value, name: &'static str) -> Result<String, Failure> {
    asked[name].as_str().map(str::to_owned).ok_or_else(|| wrong(name, "a string"))
}

fn layout(given: &Value) -> Result<Layout, Failure> {
    match given.as_str() {
        Some("spaced") => Ok(Layout::Spaced),
        Some("compact") => Ok(Layout::Compact),
        None if given.is_null() => Ok(Layout::default()),
        _ => Err(wrong("layout", "spaced or compact")),
    }
}

fn wrong(name: &str, allowed: &str) -> Failure {
    Failure::Request(format!("{name} is not allowed; allowed: {allowed}"))
}
