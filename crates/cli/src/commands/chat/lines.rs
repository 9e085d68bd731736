//! What the user types: edited lines with history on a terminal, plain lines from a pipe.

use std::io::{self, IsTerminal};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::error::CliError;

/// One thing that was typed.
pub(super) enum Line {
    Text(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the end of the pipe.
    End,
}

/// Where lines come from.
pub(super) enum Lines {
    Terminal(Box<DefaultEditor>),
    Pipe,
}

impl Lines {
    pub(super) fn new() -> Result<Self, CliError> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Pipe);
        }
        let editor = DefaultEditor::new().map_err(failed)?;
        Ok(Self::Terminal(Box::new(editor)))
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    pub(super) fn next(&mut self) -> Result<Line, CliError> {
        match self {
            Self::Terminal(editor) => match editor.readline("> ") {
                Ok(text) => {
                    editor.add_history_entry(&text).map_err(failed)?;
                    Ok(Line::Text(text))
                }
                Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
                Err(ReadlineError::Eof) => Ok(Line::End),
                Err(error) => Err(failed(error)),
            },
            Self::Pipe => {
                let mut text = String::new();
                match io::stdin().read_line(&mut text).map_err(CliError::Stdin)? {
                    0 => Ok(Line::End),
                    _ => Ok(Line::Text(text)),
                }
            }
        }
    }
}

fn failed(error: ReadlineError) -> CliError {
    CliError::Stdin(io::Error::other(error))
}
