//! Standard output that reports failure instead of panicking.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::CliError;

/// Writes text and a line end to stdout.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(CliError::Stdout)
}

/// Writes text to stdout as it is.
pub(crate) fn exactly(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Stdout)
}

/// Writes one JSON object, indented, and a line end.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Stdout(error.into()))?;
    line(&text)
}

/// `98.4 MB`: decimal units, as file managers and download pages show them.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}
