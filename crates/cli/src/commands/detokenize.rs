//! `goldcrest detokenize`: the text of tokens.

use serde_json::json;

use super::tokenize;
use crate::context::Context;
use crate::error::CliError;
use crate::given::TokenList;
use crate::loading::ModelArg;
use crate::output;

/// Show the text that tokens stand for
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArg,
    /// Token ids parted by commas
    #[arg(long, value_name = "LIST")]
    tokens: TokenList,
    /// Print one JSON object instead of the bare text
    #[arg(long)]
    json: bool,
}

/// Prints the text and nothing else, not even a line end. Special tokens appear by their names.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let text = tokenize::of_model(&args.model, context)?;
    let decoded = text.tokenizer().decode(&args.tokens.within(&text)?, false);
    if args.json { output::json(&json!({ "text": decoded })) } else { output::exactly(&decoded) }
}
