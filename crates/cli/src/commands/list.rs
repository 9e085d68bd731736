//! `goldcrest list`: what the store holds.

use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::output;
use crate::store::{StoreError, Stored};

/// List the models in the store
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read every file and compare its sha256 with the recorded one
    #[arg(long)]
    verify: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Prints the models on stdout. With `--verify` it fails when one is damaged, after listing all.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let mut rows = Vec::new();
    for stored in context.store.stored() {
        let state = match (args.verify, stored.whole) {
            (_, false) => "damaged",
            (false, true) => "ok",
            (true, true) if context.store.is_intact(&stored)? => "verified",
            (true, true) => "damaged",
        };
        rows.push((stored, state));
    }
    if args.json {
        print_json(&rows, context)?
    } else {
        print_table(&rows, context)?
    }
    let damaged = |(stored, state): &(Stored, &str)| (*state == "damaged").then(|| name(stored).to_owned());
    let names: Vec<String> = rows.iter().filter_map(damaged).collect();
    if args.verify && !names.is_empty() {
        return Err(StoreError::Damaged { names }.into());
    }
    Ok(())
}

fn print_table(rows: &[(Stored, &str)], context: &Context) -> Result<(), CliError> {
    let mut table = vec![["NAME", "SIZE", "STATE", "SOURCE", "PATH"].map(str::to_owned)];
    table.extend(rows.iter().map(|(stored, state)| {
        let path = stored.path.to_string_lossy().into_owned();
        let size = output::size(stored.record.size);
        [name(stored).to_owned(), size, (*state).to_owned(), origin(&stored.record.source), path]
    }));
    if rows.is_empty() {
        context.store.notice("no models yet");
    } else {
        let width = |column: usize| {
            table.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..5).map(width).collect();
        for row in &table {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            output::line(cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
    }
    for part in context.store.unfinished() {
        let total = part.total.map_or_else(String::new, |total| format!(" of {}", output::size(total)));
        let size = output::size(part.size);
        context
            .store
            .notice(&format!("unfinished: {0}, {size}{total}; `goldcrest pull {0}` goes on", part.name));
    }
    let catalogue = context.store.catalogue()?;
    for model in &catalogue.models {
        if !rows.iter().any(|(stored, _)| stored.record.names.contains(&model.name)) {
            let size = output::size(model.size);
            let default = if model.name == catalogue.default { " (the default)" } else { "" };
            let text = format!("available: {}{default}, {size}. {}", model.name, model.description);
            context.store.notice(&text);
        }
    }
    Ok(())
}

fn print_json(rows: &[(Stored, &str)], context: &Context) -> Result<(), CliError> {
    let models = rows.iter().map(|(stored, state)| {
        json!({
            "name": name(stored),
            "names": stored.record.names,
            "size": stored.record.size,
            "sha256": stored.record.sha256,
            "source": stored.record.source,
            "fetched": stored.record.fetched,
            "path": stored.path.to_string_lossy(),
            "state": state,
        })
    });
    let unfinished = context.store.unfinished().into_iter().map(|part| {
        json!({ "name": part.name, "size": part.size, "total": part.total, "path": part.path.to_string_lossy() })
    });
    output::json(&json!({
        "folder": context.store.models_folder().to_string_lossy(),
        "models": models.collect::<Vec<Value>>(),
        "unfinished": unfinished.collect::<Vec<Value>>(),
    }))
}

fn name(stored: &Stored) -> &str {
    stored.record.names.first().map_or("", String::as_str)
}

/// The repository, package or address without the file inside it; `--json` has the whole.
fn origin(source: &str) -> String {
    let mut parts = source.split(" + ");
    let first = parts.next().unwrap_or_default();
    let short = match first.strip_prefix("hf:") {
        Some(hub) => format!("hf:{}", hub.split(['@', '/']).take(2).collect::<Vec<_>>().join("/")),
        None => first.split('#').next().unwrap_or(first).to_owned(),
    };
    match parts.count() {
        0 => short,
        more => format!("{short} and {more} more"),
    }
}
