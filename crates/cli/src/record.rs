//! Records of generations as files.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use goldcrest::Request;
use goldcrest::record::{Body, Made, ModelHash, Record, Step, Way};

use crate::error::CliError;
use crate::generating::Answer;
use crate::given;
use crate::loading::{self, Loaded};

/// Bytes of the model file that are hashed at a time.
const PIECE: u64 = 1 << 20;

/// What a record says of an answer to `request`, whose prompt is tokens.
pub(crate) fn body(
    path: &Path,
    loaded: &Loaded,
    request: &Request,
    way: &Way,
    answer: &Answer,
    deterministic: bool,
) -> Result<Body, CliError> {
    let (gguf, _) = loading::describe(path)?;
    let made = Made {
        model: hash(path)?,
        template: gguf.metadata.get_str("tokenizer.chat_template").ok(),
        tokenizer: loaded.engine.text(),
        request,
        way,
        deterministic,
        steps: answer.tokens.iter().map(Step::of).collect(),
        tokens: &answer.ids,
        text: &answer.text,
        finish: answer.finish,
    };
    Ok(Body::new(&loaded.engine.runtime().borrow(), made))
}

/// Reads a record; its hashes must be those of what it says.
pub(crate) fn read(path: &Path) -> Result<Record, CliError> {
    Record::from_json(given::json_file(path)?).map_err(|error| given::bad_file(path, error.to_string()))
}

/// Writes a body with its hash, as of now.
pub(crate) fn write(body: Body, path: &Path) -> Result<(), CliError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let record = Record::new(body, now).map_err(|error| given::bad_file(path, error.to_string()))?;
    let text = serde_json::to_string_pretty(&record).map_err(|error| CliError::Stdout(error.into()))?;
    let failed = |cause| CliError::File { path: path.display().to_string(), cause };
    std::fs::write(path, text + "\n").map_err(failed)
}

/// Which file this is.
pub(crate) fn hash(path: &Path) -> Result<ModelHash, CliError> {
    let failed = |cause| CliError::File { path: path.display().to_string(), cause };
    let mut file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let read = || {
        let mut piece = Vec::new();
        file.by_ref().take(PIECE).read_to_end(&mut piece).map(|_| piece)
    };
    ModelHash::of(&name, bytes, read).map_err(failed)
}
