//! `goldcrest tokenize`: the tokens of a text.

use goldcrest::Text;
use goldcrest::tokenizer::Encode;
use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::loading::{ModelArg, describe};
use crate::{given, output};

/// Show the tokens that a model makes of a text
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArg,
    /// The text; without it standard input is read
    #[arg(short = 'p', long = "prompt", value_name = "TEXT", allow_hyphen_values = true)]
    prompt: Option<String>,
    /// Names of special tokens in the text, such as <|im_end|>, stand for those tokens
    #[arg(long)]
    parse_special: bool,
    /// Add the tokens that the model wants before and after a text
    #[arg(long)]
    add_special: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Only the header of the model's file is read.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let text = of_model(&args.model, context)?;
    let prompt = given::text_or_stdin(args.prompt, context)?;
    let options = Encode { add_special: args.add_special, parse_special: args.parse_special };
    let tokens = text.tokenizer().encode(&prompt, options);
    if args.json {
        let pieces: Vec<String> = tokens.iter().map(|id| piece(&text, *id)).collect();
        return output::json(&json!({ "tokens": tokens, "pieces": pieces }));
    }
    for id in tokens {
        output::line(&format!("{id:>7}  {:?}", piece(&text, id)))?;
    }
    Ok(())
}

/// Tokenizer and template of a model, from its file's header.
pub(crate) fn of_model(model: &ModelArg, context: &Context) -> Result<Text, CliError> {
    let (gguf, _) = describe(&model.resolve(context)?)?;
    Ok(Text::from_gguf(&gguf, None)?)
}

/// The text of one token; bytes that are no UTF-8 by themselves become U+FFFD.
pub(crate) fn piece(text: &Text, id: u32) -> String {
    String::from_utf8_lossy(text.tokenizer().piece(id).unwrap_or_default()).into_owned()
}
