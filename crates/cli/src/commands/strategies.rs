//! `goldcrest strategies`: the names that `--strategy` takes.

use goldcrest::decode::Method;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::output;

/// List the decoding strategies
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Prints name and one line of each.
pub(crate) fn run(args: Args, _context: &Context) -> Result<(), CliError> {
    if args.json {
        let entry = |(name, summary): &(&str, &str)| json!({ "name": name, "summary": summary });
        return output::json(
            &json!({ "strategies": Method::LIST.iter().map(entry).collect::<Vec<Value>>() }),
        );
    }
    let width = Method::LIST.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    Method::LIST.iter().try_for_each(|(name, summary)| output::line(&format!("{name:width$}  {summary}")))
}
