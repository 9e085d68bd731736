//! The hub's listings and which file is taken.

use super::server::{Reply, Server, file, status, whole};
use super::{Bench, code, model, sum};
use crate::store::hub::{HubFile, choose};
use crate::store::source::HubRepo;

fn repo() -> HubRepo {
    HubRepo { path: "org/repo".to_owned(), revision: None }
}

fn pick(names: &[&str], wanted: Option<&str>) -> Result<String, &'static str> {
    let file = |name: &&str| HubFile { path: (*name).to_owned(), size: None, sha256: None };
    let files: Vec<HubFile> = names.iter().map(file).collect();
    choose(&repo(), &files, wanted).map(|file| file.path.clone()).map_err(|error| error.code())
}

#[test]
fn the_quantization_is_a_whole_word_of_the_file_name() {
    let files = ["a-Q4_K_S.gguf", "a-Q4_K_M.gguf", "a.IQ4_NL.gguf", "a_q8_0.gguf", "a-f16.gguf"];
    assert_eq!(pick(&files, Some("q4_k_m")).unwrap(), "a-Q4_K_M.gguf");
    assert_eq!(pick(&files, Some("Q8_0")).unwrap(), "a_q8_0.gguf");
    assert_eq!(pick(&files, Some("F16")).unwrap(), "a-f16.gguf");
    assert_eq!(pick(&files, Some("Q4_K")), Err("E_STORE_NO_MATCH"));
    assert_eq!(pick(&files, Some("Q4_NL")), Err("E_STORE_NO_MATCH"));
}

#[test]
fn without_a_quantization_the_preferred_one_is_taken() {
    assert_eq!(pick(&["a-Q8_0.gguf", "a-Q4_0.gguf", "a-Q4_K_M.gguf"], None).unwrap(), "a-Q4_K_M.gguf");
    assert_eq!(pick(&["a-Q8_0.gguf", "a-Q4_0.gguf"], None).unwrap(), "a-Q4_0.gguf");
    assert_eq!(pick(&["odd.gguf"], None).unwrap(), "odd.gguf");
    assert_eq!(pick(&["one.gguf", "two.gguf"], None), Err("E_STORE_AMBIGUOUS"));
    assert_eq!(pick(&["one-Q4_0.gguf", "two-Q4_0.gguf"], None), Err("E_STORE_AMBIGUOUS"));
    assert_eq!(pick(&["one-Q4_0.gguf", "two-Q4_0.gguf"], Some("two-Q4_0")).unwrap(), "two-Q4_0.gguf");
    assert_eq!(pick(&[], None), Err("E_STORE_NO_MATCH"));
}

/// A hub with one repository whose Q4_0 file is `bytes`.
fn hub(bytes: Vec<u8>, oid: String) -> Server {
    Server::start(move |request| {
        let listing = format!(
            r#"[{{"type":"directory","path":"x.gguf"}},{{"type":"file","path":"README.md","size":3}},
            {{"type":"file","path":"mmproj-Q4_0.gguf","size":3}},{{"type":"file","path":"big-Q4_0-00001-of-00002.gguf","size":3}},
            {{"type":"file","path":"my model-Q4_0.gguf","size":135,"lfs":{{"oid":"{oid}","size":{}}}}},
            {{"type":"file","path":"other-Q8_0.gguf","size":3,"lfs":{{"oid":"{oid}","size":9}}}}]"#,
            bytes.len()
        );
        match request.path.as_str() {
            "/api/models/org/repo/tree/main?recursive=true" => whole(listing.as_bytes()),
            "/org/repo/resolve/main/my%20model-Q4_0.gguf" => Reply {
                status: 302,
                headers: vec!["Location: /cdn/blob?signature=1".to_owned()],
                declared: Some(0),
                ..Reply::default()
            },
            "/cdn/blob?signature=1" => file(request, &bytes, "\"v1\""),
            _ => status(404),
        }
    })
}

#[test]
fn a_repository_is_listed_chosen_fetched_checked_and_then_known_offline() {
    let (mut bench, bytes) = (Bench::new(), model(300_000, 50));
    let server = hub(bytes.clone(), sum(&bytes));
    bench.config.hub = server.url.clone();
    let got = bench.store().0.pull("hf:org/repo", None).unwrap();
    assert_eq!(got.record.sha256, sum(&bytes));
    assert_eq!(got.record.source, "hf:org/repo/my model-Q4_0.gguf");
    let before = server.count();
    let same = bench.store().0.pull("hf:org/repo:Q4_0", None).unwrap();
    assert!(!same.fetched && same.path == got.path);
    assert_eq!(server.count(), before + 1, "only the listing was asked for");
    for name in ["hf:org/repo", "hf:org/repo:Q4_0", "hf:org/repo/my model-Q4_0.gguf"] {
        assert_eq!(bench.store().0.resolve(name).unwrap(), got.path);
    }
    assert_eq!(server.count(), before + 1, "names that were used before need no hub");
}

#[test]
fn the_sum_in_the_listing_is_what_counts() {
    let (mut bench, bytes) = (Bench::new(), model(300_000, 51));
    let server = hub(bytes, sum(b"something else"));
    bench.config.hub = server.url.clone();
    let (store, _) = bench.store();
    assert_eq!(code(store.pull("hf:org/repo:Q4_0", None)), "E_STORE_CHECKSUM");
    assert!(bench.files().is_empty());
    assert_eq!(code(store.pull("hf:org/repo:Q5_0", None)), "E_STORE_NO_MATCH");
    assert_eq!(code(store.pull("hf:org/nothing", None)), "E_STORE_STATUS");
}

#[test]
fn an_answer_that_is_no_listing_is_a_typed_error() {
    let mut bench = Bench::new();
    let server = Server::start(|_| whole(b"<html>captive portal</html>"));
    bench.config.hub = server.url.clone();
    assert_eq!(code(bench.store().0.pull("hf:org/repo", None)), "E_STORE_LISTING");
    bench.config.hub = "http://127.0.0.1:1".to_owned();
    assert_eq!(code(bench.store().0.pull("hf:org/repo", None)), "E_STORE_UNREACHABLE");
}
