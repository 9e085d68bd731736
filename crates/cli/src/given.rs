//! What commands are given besides options: text, token lists and JSON, from arguments, files or standard input.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use goldcrest::{EngineError, Text};
use serde_json::Value;

use crate::context::Context;
use crate::error::CliError;

/// Token ids as an argument: `1,2,3`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenList(pub(crate) Vec<u32>);

impl std::str::FromStr for TokenList {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
        let ids: Result<_, _> = words.map(str::parse).collect();
        ids.map(Self).map_err(|_| "token ids are whole numbers parted by commas, as in 1,2,3")
    }
}

impl TokenList {
    /// The ids, all of them tokens of `text`'s vocabulary.
    pub(crate) fn within(self, text: &Text) -> Result<Vec<u32>, CliError> {
        let n_vocab = u32::try_from(text.tokenizer().n_vocab()).unwrap_or(u32::MAX);
        match self.0.iter().find(|id| **id >= n_vocab) {
            Some(&token) => Err(EngineError::BadToken { token, n_vocab }.into()),
            None => Ok(self.0),
        }
    }
}

/// Counts as an argument: `128,512`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CountList(pub(crate) Vec<usize>);

impl std::str::FromStr for CountList {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let counts: Result<_, _> = text.split(',').map(|word| word.trim().parse()).collect();
        counts.map(Self).map_err(|_| "counts are whole numbers parted by commas, as in 128,512")
    }
}

/// The text that is given, or else all of standard input.
pub(crate) fn text_or_stdin(given: Option<String>, context: &Context) -> Result<String, CliError> {
    match given {
        Some(text) => Ok(text),
        None => {
            if io::stdin().is_terminal() {
                context.report.notice("reading text from the terminal; Ctrl-D ends it");
            }
            io::read_to_string(io::stdin()).map_err(CliError::Stdin)
        }
    }
}

/// A text file in UTF-8; `-` is standard input.
pub(crate) fn text_file(path: &Path) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let read = match is_stdin(path) {
        true => io::stdin().read_to_end(&mut bytes).map_err(CliError::Stdin),
        false => {
            let failed = |cause| CliError::File { path: path.display().to_string(), cause };
            fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)
        }
    };
    read?;
    String::from_utf8(bytes).map_err(|_| bad_file(path, "is not text in UTF-8"))
}

/// A JSON file; `-` is standard input.
pub(crate) fn json_file(path: &Path) -> Result<Value, CliError> {
    let text = text_file(path)?;
    serde_json::from_str(&text).map_err(|error| bad_file(path, format!("is not JSON: {error}")))
}

/// The error of a file that holds something other than it should.
pub(crate) fn bad_file(path: &Path, what: impl Into<String>) -> CliError {
    let place = if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() };
    CliError::BadFile { place, what: what.into() }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}
