//! Real files are accepted, whole and in pieces, with the same result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::path::{Path, PathBuf};

use goldcrest_gguf::{Gguf, Parser, Progress, dequantize};

#[test]
fn every_golden_file_is_accepted() {
    let files = golden_files();
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let gguf = Gguf::parse(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(gguf.tensors.len() > 10, "{}", path.display());
        gguf.metadata.get_str("general.architecture").unwrap();
        assert_eq!(describe(&gguf), describe(&push_pieces(&bytes, 1000)), "{}", path.display());
        assert_eq!(
            describe(&gguf),
            describe(&Gguf::from_source(&mut &bytes[..]).unwrap()),
            "{}",
            path.display()
        );
    }
}

#[test]
fn weights_of_golden_files_decode_to_finite_numbers() {
    for path in golden_files() {
        let bytes = std::fs::read(&path).unwrap();
        let gguf = Gguf::parse(&bytes).unwrap();
        for info in &gguf.tensors {
            if info.ty.name().starts_with("IQ1")
                || info.ty.name().starts_with("IQ2")
                || info.ty.name().starts_with("IQ3")
            {
                continue;
            }
            let range = gguf.tensor_range(info);
            let data = &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
            let mut out = vec![f32::NAN; usize::try_from(info.n_elements()).unwrap()];
            dequantize(info.ty, data, &mut out).unwrap();
            assert!(
                out.iter().all(|x| x.is_finite() && x.abs() < 100.0),
                "{}: {}",
                path.display(),
                info.name
            );
        }
    }
}

/// The golden files of the repository, or of the shared folder beside it when it holds more.
fn golden_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files: Vec<PathBuf> = ["tests/golden/tiny", "../shared/golden/tiny"]
        .iter()
        .filter_map(|dir| std::fs::read_dir(root.join(dir)).ok())
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "gguf"))
        .collect();
    files.sort();
    if files.is_empty() {
        println!("skip: no golden files found");
    }
    files
}

fn push_pieces(bytes: &[u8], piece: usize) -> Gguf {
    let mut parser = Parser::new(bytes.len() as u64);
    for piece in bytes.chunks(piece) {
        if let Progress::Done(gguf) = parser.push(piece).unwrap() {
            return gguf;
        }
    }
    panic!("the header never ended");
}

fn describe(gguf: &Gguf) -> String {
    let metadata: Vec<_> = gguf.metadata.iter().collect();
    let tensors: Vec<_> = gguf.tensors.iter().collect();
    format!("{} {} {} {metadata:?} {tensors:?}", gguf.version, gguf.alignment, gguf.data_offset)
}
