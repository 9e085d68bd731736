//! Servers and lines that misbehave. Nowhere may a partial or wrong file be taken for whole.

use std::fs;
use std::time::Duration;

use super::server::{Reply, Server, file, status, whole};
use super::{Bench, code, model, pinned, sum, unpinned};
use crate::store::StoreError;

const LEN: usize = 1_500_000;

#[test]
fn a_plain_download_is_committed_with_its_record() {
    let (bench, bytes) = (Bench::new(), model(LEN, 1));
    let server = Server::of_file(bytes.clone());
    let got = bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf")])).unwrap();
    assert!(got.fetched);
    assert_eq!(fs::read(&got.path).unwrap(), bytes);
    assert_eq!((got.record.size, got.record.sha256), (LEN as u64, sum(&bytes)));
    assert_eq!(bench.files(), ["m.gguf", "m.gguf.json"]);
    let again = bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf")])).unwrap();
    assert!(!again.fetched);
    assert_eq!(server.count(), 1);
}

#[test]
fn a_line_cut_anywhere_costs_no_byte_twice() {
    for step in 0..20_usize {
        for known in [true, false] {
            let (bench, bytes) = (Bench::new(), model(LEN, 2));
            let cut = (step * 78_901 + step * step * 37) % LEN;
            let served = bytes.clone();
            let server = Server::start(move |request| {
                let reply = file(request, &served, "\"v1\"");
                if request.number == 0 { reply.cut(cut) } else { reply }
            });
            let url = server.address("m.gguf");
            let wanted = if known { pinned(&bytes, &[&url]) } else { unpinned(&[&url]) };
            let got = bench.store().0.fetch(&wanted).unwrap();
            assert_eq!(fs::read(&got.path).unwrap(), bytes);
            assert_eq!(server.take_served(), LEN as u64, "cut at {cut}, sum known: {known}");
            assert_eq!(server.count(), 2);
        }
    }
}

#[test]
fn ctrl_c_keeps_the_part_and_the_next_run_fetches_only_the_rest() {
    for known in [true, false] {
        let (bench, bytes) = (Bench::new(), model(LEN, 3));
        let served = bytes.clone();
        let server = Server::start(move |request| Reply {
            pace: Duration::from_millis(3),
            ..file(request, &served, "\"v1\"")
        });
        let url = server.address("m.gguf");
        let wanted = if known { pinned(&bytes, &[&url]) } else { unpinned(&[&url]) };
        let (store, witness) = bench.store();
        *witness.stop_at.lock().unwrap() = Some(LEN as u64 / 2);
        let Err(StoreError::Interrupted { kept, .. }) = store.fetch(&wanted) else {
            panic!("not interrupted")
        };
        assert!(kept >= LEN as u64 / 2 && kept < LEN as u64, "{kept}");
        assert_eq!(bench.files(), ["m.gguf.part", "m.gguf.state"]);
        assert!(store.stored().is_empty());
        assert_eq!(store.unfinished()[0].size, kept);
        drop(store);
        std::thread::sleep(Duration::from_millis(200));
        server.take_served();
        let got = bench.store().0.fetch(&wanted).unwrap();
        assert_eq!(fs::read(&got.path).unwrap(), bytes);
        assert_eq!(server.take_served(), LEN as u64 - kept, "sum known: {known}");
    }
}

#[test]
fn a_killed_run_without_a_known_sum_loses_what_was_not_flushed() {
    let (bench, bytes) = (Bench::new(), model(LEN, 4));
    let server = Server::of_file(bytes.clone());
    let wanted = unpinned(&[&server.address("m.gguf")]);
    fs::create_dir_all(bench.models()).unwrap();
    // As after a loss of power: the part has its length, the end of it was never written.
    let mut torn = bytes[..1_000_000].to_vec();
    torn[600_000..].fill(0);
    fs::write(bench.models().join("m.gguf.part"), torn).unwrap();
    let state = format!(
        r#"{{"name":"m","source":"{}","validator":"\"v1\"","total":{LEN},"synced":600000,"pieces":0}}"#,
        server.address("m.gguf")
    );
    fs::write(bench.models().join("m.gguf.state"), state).unwrap();
    let got = bench.store().0.fetch(&wanted).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), bytes);
    assert_eq!(server.take_served(), LEN as u64 - 600_000);
}

#[test]
fn a_server_without_ranges_starts_over() {
    let (bench, bytes) = (Bench::new(), model(LEN, 5));
    let served = bytes.clone();
    let server =
        Server::start(
            move |request| if request.number == 0 { whole(&served).cut(700_000) } else { whole(&served) },
        );
    let got = bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf")])).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), bytes);
    assert_eq!(server.requests.lock().unwrap()[1].range_from, Some(700_000));
}

#[test]
fn a_file_that_changes_between_two_requests_is_fetched_whole() {
    let (bench, old, new) = (Bench::new(), model(LEN, 6), model(LEN, 7));
    let expected = new.clone();
    let server = Server::start(move |request| match request.number {
        0 => file(request, &old, "\"v1\"").cut(700_000),
        _ => file(request, &new, "\"v2\""),
    });
    let got = bench.store().0.fetch(&unpinned(&[&server.address("m.gguf")])).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), expected);
    assert_eq!(server.requests.lock().unwrap()[1].if_range.as_deref(), Some("\"v1\""));
}

#[test]
fn a_changed_file_behind_a_server_without_strong_version_marks_is_not_glued_on() {
    for mark in [None, Some("ETag: W/\"1\"")] {
        let (bench, old, new) = (Bench::new(), model(LEN, 8), model(LEN, 9));
        let expected = new.clone();
        let server = Server::start(move |request| {
            let mut reply = file(request, if request.number == 0 { &old } else { &new }, "W/\"1\"");
            reply.headers.retain(|header| !header.starts_with("ETag"));
            reply.headers.extend(mark.map(str::to_owned));
            if request.number == 0 { reply.cut(700_000) } else { reply }
        });
        let got = bench.store().0.fetch(&unpinned(&[&server.address("m.gguf")])).unwrap();
        assert_eq!(fs::read(&got.path).unwrap(), expected);
    }
}

#[test]
fn what_is_no_model_is_refused_and_not_kept() {
    let bytes = model(LEN, 10);
    let page = b"<!DOCTYPE html><title>Please sign in</title>".repeat(30_000);
    let gzip = [&[0x1f, 0x8b, 8, 0][..], &bytes[4..]].concat();
    for body in
        [page, gzip, b"version https://git-lfs.github.com/spec/v1".to_vec(), b"GG".to_vec(), Vec::new()]
    {
        let bench = Bench::new();
        let server = Server::start(move |_| whole(&body));
        assert_eq!(code(bench.store().0.fetch(&unpinned(&[&server.address("m.gguf")]))), "E_STORE_MAGIC");
        assert!(bench.files().is_empty(), "{:?}", bench.files());
    }
}

#[test]
fn a_content_encoding_is_refused() {
    let (bench, bytes) = (Bench::new(), model(LEN, 11));
    let served = bytes.clone();
    let server = Server::start(move |_| Reply {
        headers: vec!["Content-Encoding: gzip".to_owned()],
        ..whole(&served)
    });
    assert_eq!(code(bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf")]))), "E_STORE_ENCODED");
    assert!(bench.files().is_empty());
}

#[test]
fn a_body_that_is_always_short_never_counts() {
    let (bench, bytes) = (Bench::new(), model(LEN, 12));
    let served = bytes.clone();
    let server = Server::start(move |_| whole(&served).cut(100_000));
    let (store, _) = bench.store();
    assert_eq!(code(store.fetch(&pinned(&bytes, &[&server.address("m.gguf")]))), "E_STORE_BROKEN");
    assert!(store.stored().is_empty());
}

#[test]
fn a_body_without_a_length_must_have_the_known_size() {
    for (len, expected) in [(LEN - 1, "E_STORE_BROKEN"), (LEN + 1, "E_STORE_SIZE")] {
        let (bench, bytes) = (Bench::new(), model(LEN, 13));
        let other = model(len, 13);
        let server = Server::start(move |_| Reply { declared: None, ..whole(&other) });
        let (store, _) = bench.store();
        assert_eq!(code(store.fetch(&pinned(&bytes, &[&server.address("m.gguf")]))), expected);
        assert!(store.stored().is_empty());
    }
}

#[test]
fn another_length_is_refused_before_the_body() {
    let (bench, bytes) = (Bench::new(), model(LEN, 14));
    let server = Server::of_file(model(20 * LEN, 14));
    assert_eq!(code(bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf")]))), "E_STORE_SIZE");
    assert!(bench.files().is_empty());
}

#[test]
fn a_wrong_sum_is_refused_and_not_kept() {
    let (bench, bytes) = (Bench::new(), model(LEN, 15));
    let mut other = bytes.clone();
    other[LEN / 2] ^= 1;
    let server = Server::of_file(other);
    assert_eq!(
        code(bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf")]))),
        "E_STORE_CHECKSUM"
    );
    assert!(bench.files().is_empty());
}

#[test]
fn a_kept_part_that_was_damaged_is_fetched_afresh() {
    let (bench, bytes) = (Bench::new(), model(LEN, 16));
    let server = Server::of_file(bytes.clone());
    let wanted = pinned(&bytes, &[&server.address("m.gguf")]);
    for kept in [1000, LEN, LEN + 5] {
        fs::create_dir_all(bench.models()).unwrap();
        fs::write(bench.models().join("m.gguf.part"), vec![7; kept]).unwrap();
        let state =
            format!(r#"{{"name":"m","source":"{}","synced":{kept},"pieces":0}}"#, server.address("m.gguf"));
        fs::write(bench.models().join("m.gguf.state"), state).unwrap();
        let (store, _) = bench.store();
        let got = store.fetch(&wanted).unwrap();
        assert_eq!(fs::read(&got.path).unwrap(), bytes, "kept {kept}");
        store.remove(&["m".to_owned()]).unwrap();
        assert!(bench.files().is_empty());
    }
}

#[test]
fn the_wrong_piece_is_not_glued_on() {
    let (bench, bytes) = (Bench::new(), model(LEN, 17));
    let served = bytes.clone();
    let server = Server::start(move |request| match request.range_from {
        None => file(request, &served, "\"v1\"").cut(700_000),
        Some(_) => Reply {
            status: 206,
            headers: vec![format!("Content-Range: bytes 0-{}/{LEN}", LEN - 1)],
            ..whole(&served)
        },
    });
    let (store, _) = bench.store();
    assert_eq!(code(store.fetch(&pinned(&bytes, &[&server.address("m.gguf")]))), "E_STORE_BROKEN");
    assert!(store.stored().is_empty());
}

#[test]
fn a_busy_server_is_asked_again_and_a_missing_file_is_not() {
    let (bench, bytes) = (Bench::new(), model(LEN, 18));
    let served = bytes.clone();
    let busy = Server::start(move |request| match request.number {
        0 => status(503),
        1 => Reply { headers: vec!["Retry-After: 0".to_owned()], ..status(429) },
        _ => whole(&served),
    });
    bench.store().0.fetch(&pinned(&bytes, &[&busy.address("m.gguf")])).unwrap();
    assert_eq!(busy.count(), 3);

    let (bench, gone) = (Bench::new(), Server::start(|_| status(404)));
    assert_eq!(code(bench.store().0.fetch(&pinned(&bytes, &[&gone.address("m.gguf")]))), "E_STORE_STATUS");
    assert_eq!(gone.count(), 1);
    assert!(bench.files().is_empty());
}

#[test]
fn a_line_that_stands_still_is_broken_off_and_taken_up() {
    let (bench, bytes) = (Bench::new(), model(LEN, 19));
    let served = bytes.clone();
    let server = Server::start(move |request| match request.number {
        0 => Reply { hang: Duration::from_secs(5), ..file(request, &served, "\"v1\"").cut(500_000) },
        _ => file(request, &served, "\"v1\""),
    });
    let start = std::time::Instant::now();
    bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf")])).unwrap();
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(server.take_served(), LEN as u64);
}

#[test]
fn a_disk_without_room_is_found_before_the_download() {
    let (mut bench, bytes) = (Bench::new(), model(LEN, 20));
    bench.config.free_space = |_| Ok(1_000_000);
    let server = Server::of_file(bytes.clone());
    let error = bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf")])).unwrap_err();
    assert!(
        matches!(error, StoreError::DiskFull { needed: 1_500_000, available: 1_000_000, .. }),
        "{error:?}"
    );
    assert!(bench.files().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_while_writing_is_a_typed_error_and_leaves_nothing() {
    let (bench, bytes) = (Bench::new(), model(LEN, 21));
    let server = Server::of_file(bytes.clone());
    fs::create_dir_all(bench.models()).unwrap();
    // Shortening the real part is refused for a device, so the full disk stands in only for writing.
    let mut part = crate::store::part::Part::open(&bench.models().join("m.gguf"), "m").unwrap();
    part.restart(&server.address("m.gguf")).unwrap();
    part.state.total = Some(LEN as u64);
    fs::remove_file(bench.models().join("m.gguf.part")).unwrap();
    std::os::unix::fs::symlink("/dev/full", bench.models().join("m.gguf.part")).unwrap();
    let error = part.append(&bytes, &bench.config).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { needed: 1_500_000, .. }), "{error:?}");
    assert!(bench.files().is_empty());
}
