//! The limit of the whole header, and what parsing costs in memory.

use goldcrest_gguf::limits::MAX_HEADER_BYTES;
use goldcrest_gguf::{GgmlType, Gguf, GgufError, Parser, Progress};

use crate::raw::{RawFile, array, strings};
use crate::verdict::verdict;

#[test]
fn a_header_of_256_mib_and_one_byte_more() {
    let inside = push_header(MAX_HEADER_BYTES).unwrap();
    let gguf = match inside {
        Progress::Done(gguf) => gguf,
        Progress::Need(needed) => panic!("{needed} bytes needed"),
    };
    assert_eq!(gguf.metadata.get_strings("a").unwrap().len(), 4 << 20);
    assert_eq!(gguf.data_offset, MAX_HEADER_BYTES);
    drop(gguf);
    let error = push_header(MAX_HEADER_BYTES + 1).unwrap_err();
    assert!(
        matches!(error, GgufError::HeaderTooLong { what: "string", limit: MAX_HEADER_BYTES, .. }),
        "{error}"
    );
}

/// Pushes a header of `total` bytes: eight arrays of empty strings (8 bytes each in the file, 4 in memory), and one
/// string which fills the rest.
fn push_header(total: u64) -> Result<Progress, GgufError> {
    let mut left = total - 24;
    let mut pairs = Vec::new();
    for key in b'a'..=b'h' {
        let n = (4u64 << 20).min((left - 10_000) / 8);
        let mut start = vec![1, 0, 0, 0, 0, 0, 0, 0, key, 9, 0, 0, 0];
        start.extend(array(8, n, &[]));
        left -= start.len() as u64 + 8 * n;
        pairs.push((start, 8 * n));
    }
    let text_len = left - 21;
    let mut last = vec![1, 0, 0, 0, 0, 0, 0, 0, b'z', 8, 0, 0, 0];
    last.extend(text_len.to_le_bytes());
    pairs.push((last, text_len));

    let mut parser = Parser::new(total);
    let mut progress = parser.push(&RawFile { n_kv: Some(9), ..RawFile::empty() }.header())?;
    let zeros = vec![0; 1 << 20];
    for (start, mut n_zeros) in pairs {
        progress = parser.push(&start)?;
        while n_zeros > 0 {
            let n = n_zeros.min(zeros.len() as u64);
            progress = parser.push(&zeros[..n as usize])?;
            n_zeros -= n;
        }
    }
    Ok(progress)
}

#[test]
fn a_parsed_vocabulary_takes_no_more_than_its_part_of_the_file() {
    let pieces: Vec<Vec<u8>> = (0..100_000).map(|i| format!("p{i}").into_bytes()).collect();
    let mut file = RawFile::empty();
    file.pair(b"tokenizer.ggml.tokens", 9, &strings(&pieces));
    file.pair(b"tokenizer.ggml.scores", 9, &array(6, 100_000, &[0; 400_000]));
    let bytes = file.build();
    let memory = allocation_counter::measure(|| drop(Gguf::parse(&bytes).unwrap()));
    assert!(memory.bytes_max <= bytes.len() as u64, "{memory:?} for {} bytes", bytes.len());
    assert!(memory.count_max < 50, "{memory:?}");
}

#[test]
fn a_source_is_never_held_whole() {
    // 4 MB of header in small arrays, 20 MB of data.
    let mut file = RawFile::empty();
    for i in 0..64 {
        file.pair(format!("k{i}").as_bytes(), 9, &array(0, 65_536, &[1; 65_536]));
    }
    file.tensor(b"t", &[20 << 20], GgmlType::I8);
    let bytes = file.build();
    let memory = allocation_counter::measure(|| drop(Gguf::from_source(&mut &bytes[..]).unwrap()));
    assert!(memory.bytes_max < 12 << 20, "{memory:?}");
}

#[test]
fn the_most_entries_take_a_few_megabytes() {
    let mut pairs = RawFile::empty();
    for i in 0..65_536 {
        pairs.pair(format!("{i:x}").as_bytes(), 7, &[1]);
    }
    let mut tensors = RawFile::empty();
    for i in 0..65_536u64 {
        tensors.claim(format!("{i:x}").as_bytes(), &[1], 24, i * 32);
    }
    tensors.data = vec![0; 65_536 * 32];
    let mut twins = pairs.clone();
    twins.pairs[65_535].key = b"0".into();
    for (file, fits) in [(pairs, true), (tensors, true), (twins, false)] {
        let bytes = file.build();
        let memory = allocation_counter::measure(|| assert_eq!(Gguf::parse(&bytes).is_ok(), fits));
        assert!(memory.bytes_max < 16 << 20, "{memory:?}");
        assert_eq!(verdict(&bytes).is_ok(), fits);
    }
}

#[test]
fn the_densest_small_files_keep_to_twice_their_size() {
    let mut pairs = RawFile::empty();
    let mut tensors = RawFile::empty();
    for i in 0..4000u64 {
        pairs.pair(format!("{i:x}").as_bytes(), 7, &[1]);
    }
    for i in 0..1800u64 {
        tensors.claim(format!("{i:x}").as_bytes(), &[1], 24, i * 32);
    }
    for bytes in [pairs.header(), tensors.header()] {
        assert!(bytes.len() < 65_536);
        let memory = allocation_counter::measure(|| drop(Gguf::parse(&bytes)));
        assert!(memory.bytes_max <= 2 * bytes.len() as u64 + 65_536, "{memory:?} for {} bytes", bytes.len());
    }
}

#[test]
fn claims_allocate_nothing() {
    let huge = |len: u64, ty| {
        RawFile::small().with(|f| {
            f.pair(b"k", 9, &array(ty, len, &[0; 64]));
        })
    };
    let files = [
        huge(4 << 20, 12),
        huge(4 << 20, 8),
        huge(1 << 61, 8),
        huge(u64::MAX, 0),
        RawFile::small().with(|f| f.n_kv = Some(65_536)),
        RawFile::small().with(|f| f.n_tensors = Some(65_536)),
        RawFile::small().with(|f| f.tensors[1].name_len = Some(64)),
        RawFile::small().with(|f| f.tensors[1].dims = vec![1 << 40]),
    ];
    for file in files {
        let bytes = file.build();
        let memory = allocation_counter::measure(|| assert!(Gguf::parse(&bytes).is_err()));
        assert!(memory.bytes_max < 1000, "{memory:?}");
    }
}
