//! The model hub: what a repository holds, and which of its files is meant.

use serde::Deserialize;

use super::config::StoreConfig;
use super::error::StoreError;
use super::http::{Failure, Transfer, host_of};
use super::source::{HubRepo, is_gguf};
use crate::interrupt::Interrupt;

/// Bytes; the listings of the largest repositories are well below.
const LISTING_LIMIT: usize = 16 << 20;

/// The first of these that a repository has is taken when the user names none: small and good first, then the plain ones.
const PREFERENCE: [&str; 16] = [
    "Q4_K_M", "Q4_0", "Q8_0", "Q4_1", "Q4_K_S", "Q5_K_M", "Q5_K_S", "Q6_K", "Q5_0", "Q5_1", "IQ4_NL",
    "IQ4_XS", "Q3_K_M", "F16", "BF16", "F32",
];

/// A model file in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HubFile {
    /// Inside the repository.
    pub(crate) path: String,
    /// Bytes.
    pub(crate) size: Option<u64>,
    /// Known for files in large-file storage.
    pub(crate) sha256: Option<String>,
}

/// Asks the hub for the GGUF files of a repository. Files in pieces and side files (image projectors, importance matrices) are
/// left out: they are no models by themselves.
pub(crate) fn list(
    repo: &HubRepo,
    config: &StoreConfig,
    interrupt: &Interrupt,
) -> Result<Vec<HubFile>, StoreError> {
    let revision = repo.revision.as_deref().unwrap_or("main");
    let url = format!("{}/api/models/{}/tree/{revision}?recursive=true", config.hub, repo.path);
    let host = host_of(&url);
    let failed = |failure| match failure {
        Failure::Unreachable(why) => StoreError::Unreachable { host: host.clone(), why },
        Failure::Broken(why) => StoreError::Broken { host: host.clone(), attempts: 1, why },
        Failure::Interrupted => StoreError::Interrupted { name: repo.text(), kept: 0 },
    };
    let mut tries = 1;
    let body = loop {
        let answer = Transfer::start(&url, Vec::new(), config, interrupt).and_then(|(head, transfer)| {
            if head.status == 200 { transfer.read_all(LISTING_LIMIT).map(Ok) } else { Ok(Err(head.status)) }
        });
        match answer {
            Ok(Ok(body)) => break body,
            Ok(Err(status)) if status < 500 && status != 429 || tries >= config.attempts => {
                return Err(StoreError::Status { host: host.clone(), url, status });
            }
            Err(failure @ Failure::Interrupted) => return Err(failed(failure)),
            Err(failure) if tries >= config.attempts => return Err(failed(failure)),
            _ => {}
        }
        if interrupt.wait(config.backoff * tries) {
            return Err(failed(Failure::Interrupted));
        }
        tries += 1;
    };
    let entries: Vec<Entry> = serde_json::from_slice(&body)
        .map_err(|error| StoreError::Listing { host: host.clone(), why: error.to_string() })?;
    Ok(entries.into_iter().filter_map(Entry::into_model).collect())
}

/// The file of a listing that `wanted` (a quantization such as `Q4_K_M`, or part of a file name) means; without it the best
/// known one. Fails when several or none fit.
pub(crate) fn choose<'a>(
    repo: &HubRepo,
    files: &'a [HubFile],
    wanted: Option<&str>,
) -> Result<&'a HubFile, StoreError> {
    let fitting = |quant: &str| files.iter().filter(|file| has_quant(&file.path, quant)).collect::<Vec<_>>();
    let candidates = match wanted {
        Some(quant) => fitting(quant),
        None if files.len() == 1 => files.iter().collect(),
        None => PREFERENCE
            .iter()
            .map(|quant| fitting(quant))
            .find(|candidates| !candidates.is_empty())
            .unwrap_or_else(|| files.iter().collect()),
    };
    let names = |files: &[&HubFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    match candidates.as_slice() {
        [one] => Ok(one),
        [] => Err(StoreError::NoMatch {
            place: repo.text(),
            wanted: wanted.map_or_else(|| "GGUF file".to_owned(), |quant| format!("GGUF file for `{quant}`")),
            choices: names(&files.iter().collect::<Vec<_>>()),
        }),
        many => Err(StoreError::Ambiguous { place: repo.text(), choices: names(many) }),
    }
}

/// Whether `quant` stands in the file name as a whole word. `_` ends no word, since `Q4_K` is another type than `Q4_K_M`.
fn has_quant(path: &str, quant: &str) -> bool {
    let (path, quant) = (path.to_ascii_lowercase(), quant.to_ascii_lowercase());
    let name = path.rsplit('/').next().unwrap_or(&path);
    name.match_indices(&quant).any(|(at, _)| {
        let before = name.get(..at).and_then(|text| text.chars().next_back());
        let after = name.get(at + quant.len()..).and_then(|text| text.chars().next());
        before.is_none_or(|c| "-._".contains(c)) && after.is_none_or(|c| "-.".contains(c))
    })
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: Option<String>,
    path: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    oid: Option<String>,
    size: Option<u64>,
}

impl Entry {
    fn into_model(self) -> Option<HubFile> {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path).to_ascii_lowercase();
        let side = name.starts_with("mmproj") || name.contains("imatrix") || is_piece(&name);
        if self.kind.as_deref() == Some("directory") || !is_gguf(&name) || side {
            return None;
        }
        let size = self.lfs.as_ref().and_then(|lfs| lfs.size).or(self.size);
        let sha256 = self.lfs.and_then(|lfs| lfs.oid).and_then(|oid| super::parse_sha256(&oid).ok());
        Some(HubFile { path: self.path, size, sha256 })
    }
}

/// `model-00001-of-00003.gguf`.
fn is_piece(name: &str) -> bool {
    let stem = name.trim_end_matches(".gguf");
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    stem.rsplit_once("-of-").is_some_and(|(before, count)| {
        digits(count) && before.rsplit_once('-').is_some_and(|(_, number)| digits(number))
    })
}
