//! The form that an answer has to have: a JSON schema, a regular expression, a grammar.

use std::fs;
use std::sync::Arc;

use goldcrest::Text;
use goldcrest::grammar::{Compiler, Grammar, Layout, Vocabulary};
use goldcrest::sample::Constraint;

use crate::error::CliError;

/// Options for the form of an answer.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "The answer's form")]
pub(crate) struct FormArgs {
    /// JSON that this schema accepts: a file, or the schema itself. What cannot be enforced is refused
    #[arg(long, value_name = "FILE_OR_TEXT", conflicts_with_all = ["regex", "grammar", "json_object", "strategy"])]
    json_schema: Option<String>,
    /// Any JSON object
    #[arg(long, conflicts_with_all = ["regex", "grammar", "strategy"])]
    json_object: bool,
    /// Text that matches this regular expression as a whole
    #[arg(long, value_name = "R", allow_hyphen_values = true, conflicts_with_all = ["grammar", "strategy"])]
    regex: Option<String>,
    /// Text of a grammar: a file in llguidance's Lark (rules with `:`), or in GBNF (with `::=`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["strategy"])]
    grammar: Option<String>,
}

impl FormArgs {
    /// What was asked for, read before anything is loaded.
    pub(crate) fn read(&self) -> Result<Option<Grammar>, CliError> {
        let layout = Layout::default();
        if let Some(given) = &self.json_schema {
            return Ok(Some(Grammar::JsonSchema { schema: schema(given)?, layout }));
        }
        if self.json_object {
            return Ok(Some(Grammar::JsonObject { layout }));
        }
        if let Some(expression) = &self.regex {
            return Ok(Some(Grammar::Regex(expression.clone())));
        }
        self.grammar.as_deref().map(|path| Ok(Grammar::detect(read(path)?))).transpose()
    }
}

/// The grammar over a model's tokens.
pub(crate) fn compile(grammar: &Grammar, text: &Text) -> Result<Box<dyn Constraint>, CliError> {
    let vocabulary = Vocabulary::new(Arc::clone(text.tokenizer()))?;
    Ok(Box::new(Compiler::new(&vocabulary)?.compile(grammar)?))
}

fn schema(given: &str) -> Result<serde_json::Value, CliError> {
    let inline = given.trim_start().starts_with('{');
    let (place, text) = if inline {
        ("--json-schema".to_owned(), given.to_owned())
    } else {
        (given.to_owned(), read(given)?)
    };
    serde_json::from_str(&text).map_err(|error| CliError::BadFile { place, what: error.to_string() })
}

fn read(path: &str) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|cause| CliError::File { path: path.to_owned(), cause })
}
