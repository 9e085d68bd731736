//! What a command can fail with, and how that reaches the user: one line that says what is wrong, one that says what to do.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use goldcrest::decode::DecodeError;
use goldcrest::grammar::GrammarError;
use goldcrest::{ClassifyError, EngineError, LoadError};
use thiserror::Error;

use crate::error_codes::{self, Entry};
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
    /// A value of an option that cannot be; found before anything is fetched or loaded.
    #[error("{name} = {value} is not allowed; allowed: {allowed}")]
    InvalidParameter {
        /// The option.
        name: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: String,
    },
    /// A context length that no model can have.
    #[error("a context of {requested} tokens; it must be 1 or more")]
    BadContext {
        /// What was given.
        requested: i64,
    },
    /// A server was named, but not that it may be sent anything.
    #[error("nothing is sent to {address} without your consent")]
    NoConsent {
        /// The server.
        address: String,
    },
    /// The adapter computes something else than the CPU.
    #[error("this adapter gives wrong results with weights of type {formats}")]
    SelfTest {
        /// The weight types.
        formats: String,
    },
    /// There is nothing to answer.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// A file that a command reads or writes.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// A file or standard input holds something other than it should.
    #[error("{place}: {what}")]
    BadFile {
        /// The file, or `standard input`.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    Stdin(io::Error),
    /// The model cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Labels could not be scored.
    #[error(transparent)]
    Classify(#[from] ClassifyError),
    /// A generation is not as it was recorded.
    #[error("the generation differs from its record at step {step}")]
    Differs {
        /// The first step that does.
        step: usize,
    },
    /// A decoding strategy was asked for wrongly, or failed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A schema, expression or grammar that cannot be honoured.
    #[error(transparent)]
    Grammar(#[from] GrammarError),
    /// Ctrl-C; what was written so far stands.
    #[error("interrupted")]
    Interrupted,
    /// Standard output cannot be written. A closed pipe is no failure: the reader has had enough.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
}

impl CliError {
    /// A name that stays the same between releases, for scripts.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            other => other.entry().code,
        }
    }

    /// One line that says what to do.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Usage { help, .. } => help.clone(),
            Self::Store(error) => error.help(),
            other => other.entry().help.to_owned(),
        }
    }

    /// 1 for a failure while running, 2 for bad usage or bad input, 130 when interrupted.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Store(StoreError::Interrupted { .. }) => 130,
            Self::Store(error) => 1 + u8::from(error.is_bad_input()),
            other => other.entry().exit,
        }
    }

    fn entry(&self) -> Entry {
        error_codes::of(self)
    }

    /// Tells the user on stderr and gives the exit code. Silent, with code 0, when the reader of stdout has gone.
    pub(crate) fn report(&self) -> ExitCode {
        if matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        if matches!(self, Self::Interrupted) {
            return ExitCode::from(self.exit_code());
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
