//! Forms as JavaScript asks for them.

use goldcrest_grammar::Grammar;

use crate::error::Failure;

/// Reads `{type, …}`.
pub(crate) fn grammar(asked: &str) -> Result<Grammar, Failure> {
    let asked = serde_json::from_str(asked).map_err(|error| Failure::Request(error.to_string()))?;
    Grammar::from_json(asked).map_err(|error| Failure::Request(error.to_string()))
}
