//! Vocabularies and golden data for the tests.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "each test file uses a part; tests fail loudly"
)]

use goldcrest_gguf::{ByteSource, Gguf, StringArray};
use goldcrest_tokenizer::{Tokenizer, TokenizerError, TokenizerSpec};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A golden file, from the repository or from the folder that it was copied from.
pub(crate) fn golden(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = ["tests/golden", "../shared/golden"].map(|dir| root.join(dir).join(name));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skip: no golden file {name}");
    }
    found
}

pub(crate) fn golden_json(name: &str) -> Option<serde_json::Value> {
    let text = std::fs::read(golden(name)?).expect("a readable golden file");
    Some(serde_json::from_slice(&text).expect("golden JSON"))
}

/// A real model: `GOLDCREST_MODELS`, or the model store.
pub(crate) fn model(name: &str) -> Option<PathBuf> {
    let env = |key| std::env::var_os(key).map(PathBuf::from);
    let cache = || env("XDG_CACHE_HOME").or_else(|| env("HOME").map(|home| home.join(".cache")));
    let dir = env("GOLDCREST_MODELS").or_else(|| cache().map(|cache| cache.join("goldcrest/models")));
    let found = dir.map(|dir| dir.join(name)).filter(|path| path.exists());
    if found.is_none() {
        println!("skip: no model {name} (GOLDCREST_MODELS names the folder)");
    }
    found
}

/// Reads only the header of a model file.
struct FileSource(File);

impl ByteSource for FileSource {
    type Error = std::io::Error;

    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> std::io::Result<()> {
        self.0.seek(SeekFrom::Start(offset))?;
        self.0.read_exact(buf)
    }
}

pub(crate) fn gguf(path: &Path) -> Gguf {
    let mut source = FileSource(File::open(path).expect("an openable model"));
    Gguf::from_source(&mut source).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The `tokenizer.ggml.*` tables of a file, as they stand.
pub(crate) fn spec(gguf: &Gguf) -> TokenizerSpec<'_> {
    let metadata = &gguf.metadata;
    let key = |name| format!("tokenizer.ggml.{name}");
    let id = |name| metadata.get_opt::<u32>(&key(name)).expect("an id");
    let flag = |name| metadata.get_opt::<bool>(&key(name)).expect("a flag");
    let strings = |name| metadata.get_opt::<&StringArray>(&key(name)).expect("strings");
    TokenizerSpec {
        model: metadata.get_str("tokenizer.ggml.model").expect("a tokenizer"),
        pre: metadata.get_opt(&key("pre")).expect("a name"),
        pieces: Box::new(strings("tokens").expect("pieces").iter()),
        scores: metadata.get_opt::<&[f32]>(&key("scores")).expect("scores"),
        token_types: metadata.get_opt::<&[i32]>(&key("token_type")).expect("types"),
        merges: strings("merges").map(|merges| Box::new(merges.iter()) as _),
        bos: id("bos_token_id"),
        eos: id("eos_token_id"),
        eot: id("eot_token_id"),
        eom: id("eom_token_id"),
        unk: id("unknown_token_id"),
        sep: id("seperator_token_id"),
        pad: id("padding_token_id"),
        add_bos: flag("add_bos_token"),
        add_eos: flag("add_eos_token"),
        add_space_prefix: flag("add_space_prefix"),
    }
}

pub(crate) fn tokenizer(path: &Path) -> Result<Tokenizer, TokenizerError> {
    Tokenizer::new(spec(&gguf(path)))
}

/// A tokenizer.json of the official repositories, `$GOLDCREST_TOKENIZERS/NAME/tokenizer.json`.
pub(crate) fn official(name: &str) -> Option<serde_json::Value> {
    let dir = std::env::var_os("GOLDCREST_TOKENIZERS").map(PathBuf::from);
    let path = dir.map(|dir| dir.join(name).join("tokenizer.json")).filter(|path| path.exists());
    let Some(path) = path else {
        println!("skip: no {name}/tokenizer.json (GOLDCREST_TOKENIZERS names the folder)");
        return None;
    };
    let text = std::fs::read(path).expect("a readable tokenizer.json");
    Some(serde_json::from_slice(&text).expect("JSON"))
}

/// The tables of a byte-level BPE tokenizer.json, as a converter would write them to a GGUF.
pub(crate) struct Tables {
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) types: Vec<i32>,
    pub(crate) merges: Vec<Vec<u8>>,
}

impl Tables {
    pub(crate) fn from_json(json: &serde_json::Value) -> Self {
        let vocab = json["model"]["vocab"].as_object().expect("a vocabulary");
        let added = json["added_tokens"].as_array().expect("added tokens");
        let id_of =
            |value: &serde_json::Value| usize::try_from(value.as_u64().expect("an id")).expect("an id");
        let ids = vocab.values().map(id_of).chain(added.iter().map(|token| id_of(&token["id"])));
        let n = ids.max().map_or(0, |id| id + 1);
        let mut pieces: Vec<Vec<u8>> = (0..n).map(|id| format!("[HOLE{id}]").into_bytes()).collect();
        let mut types = vec![5; n];
        for (piece, id) in vocab {
            (pieces[id_of(id)], types[id_of(id)]) = (piece.clone().into_bytes(), 1);
        }
        for token in added {
            let id = id_of(&token["id"]);
            pieces[id] = token["content"].as_str().expect("text").into();
            types[id] = if token["special"] == true { 3 } else { 4 };
        }
        let merge = |merge: &serde_json::Value| match merge.as_array() {
            Some(pair) => format!("{} {}", pair[0].as_str().expect("left"), pair[1].as_str().expect("right")),
            None => merge.as_str().expect("a merge").to_owned(),
        };
        let merges =
            json["model"]["merges"].as_array().expect("merges").iter().map(merge).map(String::into_bytes);
        Self { pieces, types, merges: merges.collect() }
    }

    pub(crate) fn spec<'a>(&'a self, pre: &'a str) -> TokenizerSpec<'a> {
        TokenizerSpec {
            model: "gpt2",
            pre: Some(pre),
            pieces: Box::new(self.pieces.iter().map(Vec::as_slice)),
            token_types: Some(&self.types),
            merges: Some(Box::new(self.merges.iter().map(Vec::as_slice))),
            ..TokenizerSpec::default()
        }
    }
}

/// A list of ids in golden JSON.
pub(crate) fn ids(value: &serde_json::Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("ids")
}
