//! `goldcrest template`: a conversation as the model's chat template writes it.

use std::path::{Path, PathBuf};

use goldcrest::prompt::RenderInput;
use serde_json::{Map, Value, json};

use super::tokenize;
use crate::context::Context;
use crate::error::CliError;
use crate::loading::ModelArg;
use crate::{given, output};

/// Show a conversation as the model's chat template writes it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArg,
    /// A JSON file {"messages": […], "tools": […]}; further keys are handed to the template; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Do not open the assistant's turn at the end
    #[arg(long)]
    no_generation_prompt: bool,
    /// Print one JSON object with text and tokens instead of the bare text
    #[arg(long)]
    json: bool,
}

/// Prints the text and nothing else, not even a line end.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let mut input = conversation(&args.file)?;
    input.add_generation_prompt = !args.no_generation_prompt;
    let text = tokenize::of_model(&args.model, context)?;
    let rendered = text.render(input)?;
    if args.json {
        let tokens = text.encode_rendered(&rendered);
        return output::json(&json!({ "text": rendered.text, "tokens": tokens }));
    }
    output::exactly(&rendered.text)
}

fn conversation(path: &Path) -> Result<RenderInput, CliError> {
    let Value::Object(mut extra) = given::json_file(path)? else {
        return Err(given::bad_file(path, "is not an object with the key \"messages\""));
    };
    let messages = take(&mut extra, "messages");
    let messages = messages.ok_or_else(|| given::bad_file(path, "has no key \"messages\""))?;
    let (tools, documents) = (take(&mut extra, "tools"), take(&mut extra, "documents"));
    Ok(RenderInput { messages, tools, documents, extra, ..RenderInput::default() })
}

fn take(map: &mut Map<String, Value>, key: &str) -> Option<Value> {
    map.shift_remove(key)
}
