//! The form that an answer has to have: a JSON schema, a regular expression, a grammar.

use std::fs;
use std::sync::Arc;

use goldcrest::Text;
use goldcrest::gguf::Gguf;
use goldcrest::grammar::{Compiler, Grammar, Layout, Vocabulary};
use goldcrest::record::{Form, FormKind as Kind};
use goldcrest::sample::Constraint;

use crate::error::CliError;

/// Options for the form of an answer.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "The answer's form")]
pub(crate) struct FormArgs {
    /// JSON that this schema accepts: a file, or the schema itself. What cannot be enforced is refused
    #[arg(long, value_name = "FILE_OR_TEXT", conflicts_with_all = ["regex", "grammar", "json_object"])]
    json_schema: Option<String>,
    /// Any JSON object
    #[arg(long, conflicts_with_all = ["regex", "grammar"])]
    json_object: bool,
    /// Text that matches this regular expression as a whole
    #[arg(long, value_name = "R", allow_hyphen_values = true, conflicts_with_all = ["grammar"])]
    regex: Option<String>,
    /// Text of a grammar: a file in llguidance's Lark (rules with `:`), or in GBNF (with `::=`)
    #[arg(long, value_name = "FILE")]
    grammar: Option<String>,
}

impl FormArgs {
    /// What was asked for, read before anything is loaded.
    pub(crate) fn read(&self) -> Result<Option<Form>, CliError> {
        let form = |kind, text| Ok(Some(Form { kind, text }));
        if let Some(given) = &self.json_schema {
            return form(Kind::JsonSchema, schema(given)?.to_string());
        }
        if self.json_object {
            return form(Kind::JsonObject, String::new());
        }
        if let Some(expression) = &self.regex {
            return form(Kind::Regex, expression.clone());
        }
        match &self.grammar {
            Some(path) => form(Kind::Grammar, read(path)?),
            None => Ok(None),
        }
    }
}

/// The form over the tokens of a model, of which only the header is read: what is refused costs no loading.
pub(crate) fn compile(form: &Form, gguf: &Gguf) -> Result<Box<dyn Constraint>, CliError> {
    let text = Text::from_gguf(gguf, None)?;
    let vocabulary = Vocabulary::new(Arc::clone(text.tokenizer()))?;
    Ok(Box::new(Compiler::new(&vocabulary)?.compile(&grammar(form)?)?))
}

fn grammar(form: &Form) -> Result<Grammar, CliError> {
    let (layout, text) = (Layout::default(), form.text.clone());
    Ok(match form.kind {
        Kind::JsonSchema => Grammar::JsonSchema { schema: parse("the schema", &text)?, layout },
        Kind::JsonObject => Grammar::JsonObject { layout },
        Kind::Regex => Grammar::Regex(text),
        Kind::Grammar => Grammar::detect(text),
        Kind::Asked => Grammar::from_json(parse("the form", &text)?)
            .map_err(|error| CliError::BadFile { place: "the form".to_owned(), what: error.to_string() })?,
    })
}

fn schema(given: &str) -> Result<serde_json::Value, CliError> {
    match given.trim_start().starts_with('{') {
        true => parse("--json-schema", given),
        false => parse(given, &read(given)?),
    }
}

fn parse(place: &str, text: &str) -> Result<serde_json::Value, CliError> {
    serde_json::from_str(text)
        .map_err(|error| CliError::BadFile { place: place.to_owned(), what: error.to_string() })
}

fn read(path: &str) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|cause| CliError::File { path: path.to_owned(), cause })
}
