//! `goldcrest strategies`: the names that `--strategy` and `--speculate` take.

use goldcrest::decode::Method;
use goldcrest::decode::speculate::Speculate;
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
        let [strategies, drafters] =
            [Method::LIST, Speculate::DRAFTERS].map(|names| names.iter().map(entry).collect::<Value>());
        return output::json(&json!({ "strategies": strategies, "drafters": drafters }));
    }
    print(Method::LIST)?;
    output::line("\nDrafters of --speculate:")?;
    print(Speculate::DRAFTERS)
}

fn print(names: &[(&str, &str)]) -> Result<(), CliError> {
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    names.iter().try_for_each(|(name, summary)| output::line(&format!("{name:width$}  {summary}")))
}
