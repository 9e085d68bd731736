//! The models known by name, from `catalogue.toml`.

use serde::Deserialize;

use super::error::StoreError;
use super::source::{Address, Source};

const TEXT: &str = include_str!("../../catalogue.toml");

/// The models that ship as names with the program.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    /// The model of commands that are given none.
    pub(crate) default: String,
    pub(crate) models: Vec<CatalogueModel>,
}

/// One named model. Whatever a source sends must have this size and sum.
#[derive(Clone, Debug)]
pub(crate) struct CatalogueModel {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) licence: String,
    /// Bytes of the whole file.
    pub(crate) size: u64,
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
    /// In the order in which they are tried; never empty.
    pub(crate) sources: Vec<Source>,
}

impl Catalogue {
    /// The catalogue inside the program.
    pub(crate) fn built_in() -> Result<Self, StoreError> {
        Self::parse(TEXT)
    }

    /// Reads a catalogue. Fails on a wrong shape, a sum that is none, or a source that names no file.
    pub(crate) fn parse(text: &str) -> Result<Self, StoreError> {
        let raw: RawCatalogue = toml::from_str(text)
            .map_err(|error| StoreError::Catalogue { why: error.message().to_owned() })?;
        let models = raw.model.into_iter().map(CatalogueModel::try_from).collect::<Result<Vec<_>, _>>()?;
        if !models.iter().any(|model| model.name == raw.default) {
            return Err(StoreError::Catalogue {
                why: format!("the default model {} is missing", raw.default),
            });
        }
        Ok(Self { default: raw.default, models })
    }

    /// The model with this name.
    pub(crate) fn find(&self, name: &str) -> Option<&CatalogueModel> {
        self.models.iter().find(|model| model.name == name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalogue {
    default: String,
    model: Vec<RawModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    name: String,
    description: String,
    licence: String,
    size: u64,
    sha256: String,
    sources: Vec<RawSource>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawSource {
    One(String),
    Parts { parts: Vec<String> },
}

impl TryFrom<RawModel> for CatalogueModel {
    type Error = StoreError;

    fn try_from(raw: RawModel) -> Result<Self, StoreError> {
        let wrong = |why: &str| StoreError::Catalogue { why: format!("{}: {why}", raw.name) };
        let sha256 = super::parse_sha256(&raw.sha256).map_err(|_| wrong("the sha256 is none"))?;
        let sources = raw.sources.iter().map(read_source).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        if sources.is_empty() {
            return Err(wrong("there is no source"));
        }
        Ok(Self {
            name: raw.name,
            description: raw.description,
            licence: raw.licence,
            size: raw.size,
            sha256,
            sources,
        })
    }
}

fn read_source(raw: &RawSource) -> Result<Source, &'static str> {
    let exact = |text: &String| match Address::parse(text) {
        Ok(Some(Address::Exact(source))) => Ok(source),
        _ => Err("a source does not name one file"),
    };
    match raw {
        RawSource::One(text) => exact(text),
        RawSource::Parts { parts } => {
            let mut packages = Vec::with_capacity(parts.len());
            for part in parts {
                match exact(part)? {
                    Source::Packages(more) => packages.extend(more),
                    _ => return Err("only packages can be parts"),
                }
            }
            Ok(Source::Packages(packages))
        }
    }
}
