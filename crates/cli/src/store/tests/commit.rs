//! The commit protocol: a crash between any two steps, and two processes at once.

use std::fs;
use std::time::Duration;

use super::server::{Reply, Server, file};
use super::{Bench, model, pinned, sum, unpinned};
use crate::store::part::Part;
use crate::store::record::{self, Record};

const LEN: usize = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Bytes,
    Published,
    RecordAside,
    RecordWritten,
    StateForgotten,
}

/// Does what a run does up to and including `last`, then nothing more.
fn crash_after(last: Step, bench: &Bench, bytes: &[u8], source: &str) {
    let path = bench.models().join("m.gguf");
    fs::create_dir_all(bench.models()).unwrap();
    let mut part = Part::open(&path, "m").unwrap();
    part.restart(source).unwrap();
    part.state.total = Some(bytes.len() as u64);
    part.state.validator = Some("\"v1\"".to_owned());
    part.append(bytes, &bench.config).unwrap();
    part.save().unwrap();
    if last >= Step::Published {
        part.publish().unwrap();
    }
    let record = Record {
        version: record::VERSION,
        names: vec!["m".to_owned()],
        size: bytes.len() as u64,
        sha256: sum(bytes),
        source: source.to_owned(),
        fetched: 0,
    };
    if last == Step::RecordAside {
        fs::write(bench.models().join("m.gguf.json.new"), "{\"version\":").unwrap();
    }
    if last >= Step::RecordWritten {
        record.write(&path).unwrap();
    }
    if last == Step::StateForgotten {
        part.forget().unwrap();
    }
}

#[test]
fn a_crash_between_any_two_steps_is_repaired_without_a_new_download() {
    use Step::{Bytes, Published, RecordAside, RecordWritten, StateForgotten};
    for step in [Bytes, Published, RecordAside, RecordWritten, StateForgotten] {
        for known in [true, false] {
            let (bench, bytes) = (Bench::new(), model(LEN, 30));
            let server = Server::of_file(bytes.clone());
            let url = server.address("m.gguf");
            crash_after(step, &bench, &bytes, &url);
            let (store, _) = bench.store();
            assert_eq!(store.stored().len(), usize::from(step >= RecordWritten), "{step:?}");
            let got = store.fetch(&if known { pinned(&bytes, &[&url]) } else { unpinned(&[&url]) }).unwrap();
            assert_eq!(fs::read(&got.path).unwrap(), bytes, "{step:?}");
            assert_eq!(store.stored().len(), 1);
            // Bytes that were not flushed and have no known sum are the only ones fetched again.
            let again = if step == Bytes && !known { LEN as u64 } else { 0 };
            assert_eq!(server.take_served(), again, "{step:?}, sum known: {known}");
        }
    }
}

#[test]
fn a_model_file_of_unknown_origin_is_replaced() {
    let (bench, bytes) = (Bench::new(), model(LEN, 31));
    let server = Server::of_file(bytes.clone());
    fs::create_dir_all(bench.models()).unwrap();
    for record in [None, Some("{"), Some(r#"{"version":99}"#)] {
        fs::write(bench.models().join("m.gguf"), model(LEN, 99)).unwrap();
        if let Some(record) = record {
            fs::write(bench.models().join("m.gguf.json"), record).unwrap();
        }
        let (store, _) = bench.store();
        assert!(store.stored().is_empty());
        let got = store.fetch(&pinned(&bytes, &[&server.address("m.gguf")])).unwrap();
        assert_eq!(fs::read(got.path).unwrap(), bytes);
        store.remove(&["m".to_owned()]).unwrap();
    }
}

#[test]
fn a_committed_file_that_lost_bytes_is_seen_and_fetched_again() {
    let (bench, bytes) = (Bench::new(), model(LEN, 32));
    let server = Server::of_file(bytes.clone());
    let wanted = pinned(&bytes, &[&server.address("m.gguf")]);
    let (store, witness) = bench.store();
    let path = store.fetch(&wanted).unwrap().path;
    fs::write(&path, &bytes[..LEN / 2]).unwrap();
    let stored = store.stored();
    assert!(!stored[0].whole && !store.is_intact(&stored[0]).unwrap());
    assert_eq!(fs::read(store.fetch(&wanted).unwrap().path).unwrap(), bytes);
    assert!(witness.notices.lock().unwrap()[0].contains("damaged"));
}

#[test]
fn a_flipped_bit_is_found_by_verifying() {
    let (bench, mut bytes) = (Bench::new(), model(LEN, 33));
    let server = Server::of_file(bytes.clone());
    let (store, _) = bench.store();
    let path = store.fetch(&pinned(&bytes, &[&server.address("m.gguf")])).unwrap().path;
    assert!(store.is_intact(&store.stored()[0]).unwrap());
    bytes[LEN / 3] ^= 0x10;
    fs::write(path, &bytes).unwrap();
    assert!(store.stored()[0].whole && !store.is_intact(&store.stored()[0]).unwrap());
}

#[test]
fn a_new_version_in_the_catalogue_replaces_the_stored_one_and_a_failed_fetch_keeps_it() {
    let (bench, old, new) = (Bench::new(), model(LEN, 34), model(LEN, 35));
    let (store, _) = bench.store();
    let server = Server::of_file(old.clone());
    store.fetch(&pinned(&old, &[&server.address("m.gguf")])).unwrap();
    let dead = pinned(&new, &["http://127.0.0.1:1/m.gguf"]);
    assert!(store.fetch(&dead).is_err());
    assert!(store.stored()[0].whole);
    let server = Server::of_file(new.clone());
    let got = store.fetch(&pinned(&new, &[&server.address("m.gguf")])).unwrap();
    assert_eq!(fs::read(got.path).unwrap(), new);
    assert_eq!(store.stored()[0].record.sha256, sum(&new));
}

#[test]
fn the_record_of_an_older_file_never_vouches_for_a_newer_one() {
    let (bench, old, new) = (Bench::new(), model(LEN, 38), model(LEN, 39));
    let (store, _) = bench.store();
    store.fetch(&pinned(&old, &[&Server::of_file(old.clone()).address("m.gguf")])).unwrap();
    let server = Server::of_file(new.clone());
    crash_after(Step::Published, &bench, &new, &server.address("m.gguf"));
    assert!(store.stored().is_empty());
    let got = store.fetch(&pinned(&new, &[&server.address("m.gguf")])).unwrap();
    assert_eq!((fs::read(got.path).unwrap(), server.take_served()), (new, 0));
}

#[test]
fn two_at_once_fetch_once() {
    let (bench, bytes) = (Bench::new(), model(LEN, 36));
    let served = bytes.clone();
    let server = Server::start(move |request| Reply {
        pace: Duration::from_millis(20),
        ..file(request, &served, "\"v1\"")
    });
    let wanted = pinned(&bytes, &[&server.address("m.gguf")]);
    let told: Vec<bool> = std::thread::scope(|scope| {
        let run = || {
            let (store, witness) = bench.store();
            let fetched = store.fetch(&wanted).unwrap().fetched;
            let waited = witness.notices.lock().unwrap().iter().any(|text| text.contains("waiting"));
            assert_eq!(fetched, !waited);
            waited
        };
        [scope.spawn(run), scope.spawn(run)].map(|thread| thread.join().unwrap()).to_vec()
    });
    assert_eq!(told.iter().filter(|&&waited| waited).count(), 1);
    assert_eq!(server.take_served(), LEN as u64);
}

#[test]
fn removing_takes_everything_or_nothing() {
    let (bench, bytes) = (Bench::new(), model(LEN, 37));
    let server = Server::of_file(bytes.clone());
    let (store, _) = bench.store();
    store.fetch(&pinned(&bytes, &[&server.address("m.gguf")])).unwrap();
    let error = store.remove(&["m".to_owned(), "n".to_owned()]).unwrap_err();
    assert_eq!((error.code(), store.stored().len()), ("E_STORE_NOT_STORED", 1));
    let removed = store.remove(&["m".to_owned(), "m".to_owned()]).unwrap();
    assert_eq!(removed.len(), 1);
    assert!(removed[0].1 > LEN as u64);
    assert!(bench.files().is_empty());
}
