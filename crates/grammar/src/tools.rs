//! Calls of tools: the forms in which models write them, and grammars that allow no others.

use goldcrest_prompt::ToolFormat;
use serde_json::{Value, json};

use crate::{GrammarError, Layout, schema};

/// Which tools may, or must, be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// Text, or calls.
    Auto,
    /// At least one call.
    Required,
    /// A call of this tool.
    Named(String),
}

/// Tools, and how they may be called.
#[derive(Debug, Clone, PartialEq)]
pub struct Tools {
    /// A list of `{"type": "function", "function": {"name", "parameters"?}}`.
    pub tools: Value,
    /// How calls are written.
    pub format: ToolFormat,
    /// Which calls there may be.
    pub choice: ToolChoice,
    /// Several calls in one answer, where the format can write them.
    pub parallel: bool,
}

/// The Lark grammar of an answer, its schemas prepared.
pub(crate) fn to_lark(given: &Tools) -> Result<String, GrammarError> {
    let functions = functions(&given.tools)?;
    let chosen: Vec<&Function> = match &given.choice {
        ToolChoice::Named(name) => functions.iter().filter(|f| f.name == *name).collect(),
        _ => functions.iter().collect(),
    };
    if chosen.is_empty() {
        let reason = match &given.choice {
            ToolChoice::Named(name) => format!("there is no tool `{name}`"),
            _ => "it names no tool".to_owned(),
        };
        return Err(GrammarError::SchemaInvalid { path: "#".to_owned(), reason });
    }
    let mut out = String::new();
    let several = given.parallel && given.format == ToolFormat::Hermes;
    let auto = given.choice == ToolChoice::Auto;
    out.push_str(match (given.format, auto, several) {
        (ToolFormat::Hermes, false, false) => "start: open call\nopen: \"<tool_call>\"\n",
        (ToolFormat::Hermes, false, true) => {
            "start: open call (\"\\n\" open call)*\nopen: \"<tool_call>\"\n"
        }
        // The text before a call ends where the mark does; text that never has the mark is an answer of its own.
        (ToolFormat::Hermes, true, false) => "start: TEXT | open call\nopen[lazy]: /(?s:.*)<tool_call>/\n",
        (ToolFormat::Hermes, true, true) => {
            "start: TEXT | open call (\"\\n\" mark call)*\nopen[lazy]: /(?s:.*)<tool_call>/\nmark: \"<tool_call>\"\n"
        }
        (_, false, _) => "start: call\n",
        // A whole answer that begins as a call does is one.
        (_, true, _) => "start: TEXT | call\n",
    });
    if auto {
        out.push_str(match given.format {
            ToolFormat::Hermes => "TEXT: /(?s:.*)/ & ~/(?s:.*<tool_call>.*)/\n",
            _ => "TEXT: /[^{](?s:.*)/\n",
        });
    }
    let (before, behind) =
        if given.format == ToolFormat::Hermes { ("\"\\n\" ", " \"\\n</tool_call>\"") } else { ("", "") };
    let names: Vec<String> = (0..chosen.len()).map(|i| format!("call{i}")).collect();
    out.push_str(&format!("call: {before}({}){behind}\n", names.join(" | ")));
    for (i, function) in chosen.iter().enumerate() {
        let head = format!(
            "{{\"name\": {}, \"{}\": ",
            Value::from(function.name.as_str()),
            given.format.arguments()
        );
        let schema = schema::prepare(function.parameters.clone(), Layout::Spaced)?;
        schema::check_compiles(&schema)?;
        out.push_str(&format!("call{i}: {} arguments{i} \"}}\"\n", Value::from(head)));
        out.push_str(&format!("arguments{i}: %json {schema}\n"));
    }
    Ok(out)
}

struct Function {
    name: String,
    parameters: Value,
}

fn functions(tools: &Value) -> Result<Vec<Function>, GrammarError> {
    let wrong = |at: usize, reason: &str| GrammarError::SchemaInvalid {
        path: format!("#/{at}"),
        reason: reason.to_owned(),
    };
    let list = tools.as_array().ok_or_else(|| wrong(0, "tools are a list"))?;
    let function = |(at, tool): (usize, &Value)| {
        let function = tool.get("function").unwrap_or(tool);
        let name = function.get("name").and_then(Value::as_str);
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| wrong(at, "a tool needs a name"))?;
        let parameters = function
            .get("parameters")
            .cloned()
            .unwrap_or_else(|| json!({ "type": "object", "properties": {}, "additionalProperties": false }));
        Ok(Function { name: name.to_owned(), parameters })
    };
    list.iter().enumerate().map(function).collect()
}
