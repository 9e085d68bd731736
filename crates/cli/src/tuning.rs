//! The kernel forms that `goldcrest tune` found, kept in the store's folder: one file for each adapter, driver and shape of model.

use std::path::{Path, PathBuf};
use std::{fs, io};

use goldcrest::gguf::Gguf;
use goldcrest::gpu::AdapterInfo;
use goldcrest::kernels::Profile;
use goldcrest::model::Config;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a choice of forms holds for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Another version may have other kernels.
    goldcrest: String,
    adapter: String,
    backend: String,
    driver: String,
    /// Sizes and weight types.
    model: String,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: Key,
    forms: Vec<(String, String)>,
}

/// The folder of choices.
#[derive(Debug)]
pub(crate) struct Tuning {
    folder: PathBuf,
}

impl Key {
    pub(crate) fn new(info: &AdapterInfo, gguf: &Gguf, c: &Config) -> Self {
        let mut types: Vec<_> = gguf.tensors.iter().filter(|t| t.n_dims > 1).map(|t| t.ty.name()).collect();
        types.sort_unstable();
        types.dedup();
        let sizes = format!("{} layers of {}, {} wide inside", c.n_layer, c.n_embd, c.n_ff);
        let heads = format!("{}/{} heads of {}", c.n_head, c.n_head_kv, c.head_dim);
        let model = format!("{}: {sizes}, {heads}, {} words, {}", c.arch.name(), c.n_vocab, types.join(" "));
        Self {
            goldcrest: env!("CARGO_PKG_VERSION").to_owned(),
            adapter: info.name.clone(),
            backend: info.backend.to_owned(),
            driver: info.driver.clone(),
            model,
        }
    }

    fn file_name(&self) -> String {
        let fields = [&self.goldcrest, &self.adapter, &self.backend, &self.driver, &self.model];
        let mut sum = Sha256::new();
        fields.iter().for_each(|field| sum.update(format!("{field}\n")));
        let digits: String = sum.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{digits}.json")
    }
}

impl Tuning {
    /// The choices below a store's folder.
    pub(crate) fn of(home: &Path) -> Self {
        Self { folder: home.join("tuning") }
    }

    /// The forms for `key`. A file that is damaged, or names forms that there are not, counts as none.
    pub(crate) fn find(&self, key: &Key) -> Option<Vec<(String, String)>> {
        let text = fs::read_to_string(self.folder.join(key.file_name())).ok()?;
        let entry: Entry = serde_json::from_str(&text).ok().filter(|entry: &Entry| entry.key == *key)?;
        let known = |(name, value): &(String, String)| Profile::CORE.with(name, value).is_ok();
        entry.forms.iter().all(known).then_some(entry.forms)
    }

    /// Keeps the forms for `key`; no forms forget the choice.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep(&self, key: &Key, forms: &[(String, String)]) -> io::Result<PathBuf> {
        let path = self.folder.join(key.file_name());
        if forms.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(path),
            };
        }
        fs::create_dir_all(&self.folder)?;
        let entry = Entry { key: key.clone(), forms: forms.to_vec() };
        let text = serde_json::to_string_pretty(&entry).map_err(io::Error::other)?;
        // Renamed when whole, so that nobody reads half of it.
        let aside = path.with_extension("part");
        fs::write(&aside, text + "\n")?;
        fs::rename(&aside, &path)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    fn key(driver: &str) -> Key {
        let text = |text: &str| text.to_owned();
        let (adapter, backend, model) = (text("a card"), text("vulkan"), text("llama: small"));
        Key { goldcrest: text("0.1.0"), adapter, backend, driver: text(driver), model }
    }

    #[test]
    fn forms_are_kept_for_their_key_alone() {
        let home = tempfile::tempdir().unwrap();
        let tuning = Tuning::of(home.path());
        let forms = vec![("vec_lanes".to_owned(), "4".to_owned())];
        assert_eq!(tuning.find(&key("1")), None);
        let path = tuning.keep(&key("1"), &forms).unwrap();
        assert_eq!(tuning.find(&key("1")), Some(forms.clone()));
        assert_eq!(tuning.find(&key("2")), None);

        // A file of another key under this one's name, a form that there is not, half a file: all count as none.
        let text = fs::read_to_string(&path).unwrap();
        for bad in [text.replace("a card", "b card"), text.replace("\"4\"", "\"3\""), text[..40].to_owned()] {
            fs::write(&path, bad).unwrap();
            assert_eq!(tuning.find(&key("1")), None);
        }
        tuning.keep(&key("1"), &forms).unwrap();
        tuning.keep(&key("1"), &[]).unwrap();
        assert_eq!(tuning.find(&key("1")), None);
        tuning.keep(&key("1"), &[]).unwrap();
    }
}
