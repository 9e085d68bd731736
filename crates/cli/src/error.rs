//! What a command can fail with, and how that reaches the user: one line that says what is wrong, one that says what to do.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use thiserror::Error;

use crate::store::StoreError;

/// Every way a command ends without success.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum CliError {
    /// The command line is wrong.
    #[error("{message}")]
    Usage {
        /// What is wrong, one line.
        message: String,
        /// What to do, one line.
        help: String,
    },
    /// The model store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Standard output cannot be written. A closed pipe is no failure: the reader has had enough.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
}

impl CliError {
    /// A name that stays the same between releases, for scripts.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "E_USAGE",
            Self::Store(error) => error.code(),
            Self::Stdout(_) => "E_STDOUT",
        }
    }

    /// One line that says what to do.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Usage { help, .. } => help.clone(),
            Self::Store(error) => error.help(),
            Self::Stdout(_) => "check the disk or the program that reads the output".to_owned(),
        }
    }

    /// 1 for a failure while running, 2 for bad usage or bad input, 130 when interrupted.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            Self::Store(StoreError::Interrupted { .. }) => 130,
            Self::Store(error) => 1 + u8::from(error.is_bad_input()),
            Self::Stdout(_) => 1,
        }
    }

    /// Tells the user on stderr and gives the exit code. Silent, with code 0, when the reader of stdout has gone.
    pub(crate) fn report(&self) -> ExitCode {
        if matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        // Nobody can be told that stderr itself is gone.
        let _ = writeln!(io::stderr(), "error[{}]: {self}\nhelp: {}", self.code(), self.help());
        ExitCode::from(self.exit_code())
    }
}

/// Help and version texts go to stdout and are success; everything else becomes a one-line usage error.
pub(crate) fn from_clap(error: &clap::Error) -> Result<(), CliError> {
    if !error.use_stderr() {
        return error.print().map_err(CliError::Stdout);
    }
    const HELP: &str = "`goldcrest --help` lists the commands, `goldcrest COMMAND --help` their options";
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Err(CliError::Usage { message: "no command is given".to_owned(), help: HELP.to_owned() });
    }
    let text = error.to_string();
    // Clap writes the cause in the first paragraph, an optional `tip:` in the second, the usage after them.
    let mut paragraphs = text.split("\n\n");
    let cause = paragraphs.next().unwrap_or_default().trim_start_matches("error: ");
    let message = cause.split_whitespace().collect::<Vec<_>>().join(" ");
    let tip = paragraphs.find_map(|paragraph| paragraph.trim().strip_prefix("tip: "));
    let help = tip.unwrap_or(HELP);
    Err(CliError::Usage { message, help: help.split_whitespace().collect::<Vec<_>>().join(" ") })
}
