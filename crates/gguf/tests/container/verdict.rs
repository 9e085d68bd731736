//! Parses a file in every way at once; all ways must agree.

use std::fmt::Debug;

use goldcrest_gguf::{GgmlType, Gguf, GgufError, Parser, Progress, SourceError};

/// The parser's verdict on a whole file in memory, after checking that pieces, a growing prefix and a byte source
/// give the same one, and that an accepted file keeps what acceptance promises.
pub(crate) fn verdict(file: &[u8]) -> Result<Gguf, GgufError> {
    let whole = Gguf::parse(file);
    let piece = (file.len() / 7).max(5);
    same(&whole, &pushed(file, piece), "pushed");
    same(&whole, &prefixes(file), "prefixes");
    let source = Gguf::from_source(&mut &file[..]).map_err(|error| match error {
        SourceError::Gguf(error) => error,
        other => panic!("a slice cannot fail: {other:?}"),
    });
    same(&whole, &source, "source");
    if let Ok(gguf) = &whole {
        check_promises(gguf, file.len() as u64);
    }
    whole
}

/// What every accepted file keeps, whatever was in it.
pub(crate) fn check_promises(gguf: &Gguf, file_len: u64) {
    assert!(gguf.alignment.is_power_of_two() && (8..=65_536).contains(&gguf.alignment));
    assert!(gguf.data_offset.is_multiple_of(gguf.alignment));
    let mut end_before = gguf.data_offset;
    for info in &gguf.tensors {
        let range = gguf.tensor_range(info);
        assert!(range.start >= end_before && range.end <= file_len && range.start < range.end, "{info:?}");
        assert!(range.start.is_multiple_of(gguf.alignment));
        end_before = range.end;
        let n: u128 = info.dims.iter().map(|&dim| u128::from(dim)).product();
        assert_eq!(u128::from(info.n_elements()), n);
        assert_eq!(info.n_rows() * info.row_bytes(), info.n_bytes);
        assert!(info.dims[info.n_dims as usize..].iter().all(|&dim| dim == 1));
        assert_eq!(gguf.tensors.get(&info.name).map(|found| &found.name), Some(&info.name));
        assert!(GgmlType::ALL.contains(&info.ty));
    }
    assert_eq!(gguf.metadata.iter().count(), gguf.metadata.len());
    for (key, value) in gguf.metadata.iter() {
        assert!(std::ptr::eq(gguf.metadata.get(key).unwrap(), value), "{key}");
    }
}

fn pushed(file: &[u8], piece: usize) -> Result<Gguf, GgufError> {
    let mut parser = Parser::new(file.len() as u64);
    let mut given = 0;
    for bytes in std::iter::once(&file[..0]).chain(file.chunks(piece)) {
        given += bytes.len() as u64;
        match parser.push(bytes)? {
            Progress::Done(gguf) => return Ok(gguf),
            Progress::Need(needed) => assert!(needed > given && needed <= file.len() as u64),
        }
    }
    panic!("the parser asks for more than the whole file");
}

/// Gives exactly as much as asked for, each time.
fn prefixes(file: &[u8]) -> Result<Gguf, GgufError> {
    let mut parser = Parser::new(file.len() as u64);
    let mut given = 0;
    loop {
        match parser.parse(&file[..given])? {
            Progress::Done(gguf) => return Ok(gguf),
            Progress::Need(needed) => {
                let needed = usize::try_from(needed).unwrap();
                assert!(needed > given && needed <= file.len());
                given = needed;
            }
        }
    }
}

fn same(whole: &Result<Gguf, GgufError>, other: &Result<Gguf, GgufError>, way: impl Debug) {
    match (whole, other) {
        (Ok(a), Ok(b)) => {
            assert_eq!(
                (a.version, a.alignment, a.data_offset),
                (b.version, b.alignment, b.data_offset),
                "{way:?}"
            );
            assert!(a.tensors.iter().eq(b.tensors.iter()), "{way:?}");
            assert!(
                a.metadata.iter().map(|(key, _)| key).eq(b.metadata.iter().map(|(key, _)| key)),
                "{way:?}"
            );
        }
        (Err(a), Err(b)) => assert_eq!(a, b, "{way:?}"),
        (a, b) => panic!("{way:?}: {a:?} against {b:?}"),
    }
}
