//! `goldcrest rm`: removes models from the store.

use crate::context::Context;
use crate::error::CliError;
use crate::output;

/// Remove models and unfinished downloads from the store
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names as `goldcrest list` shows them
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

/// Removes all the names, or none when one is unknown.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    for (name, freed) in context.store.remove(&args.names)? {
        context.store.notice(&format!("{name}: removed, {} freed", output::size(freed)));
    }
    Ok(())
}
