//! Byte sources and callers that misbehave.

use std::cell::Cell;

use goldcrest_gguf::{ByteSource, GgmlType, Gguf, GgufError, Parser, Progress, SourceError};

use crate::raw::{RawFile, array, strings};

#[derive(Debug, PartialEq)]
struct Broken;

/// A source whose answers can change from call to call; its functions get the number of the call.
struct Fickle<L, R> {
    len: L,
    read: R,
    n_lens: Cell<u32>,
    n_reads: u32,
}

impl<L, R> ByteSource for Fickle<L, R>
where
    L: Fn(u32) -> u64,
    R: Fn(u32, u64, &mut [u8]) -> Result<(), Broken>,
{
    type Error = Broken;

    fn len(&self) -> u64 {
        self.n_lens.set(self.n_lens.get() + 1);
        (self.len)(self.n_lens.get())
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), Broken> {
        self.n_reads += 1;
        (self.read)(self.n_reads, offset, buf)
    }
}

fn fickle<L, R>(len: L, read: R) -> Fickle<L, R>
where
    L: Fn(u32) -> u64,
    R: Fn(u32, u64, &mut [u8]) -> Result<(), Broken>,
{
    Fickle { len, read, n_lens: Cell::new(0), n_reads: 0 }
}

/// Copies what is there; short when it is not.
fn copy(file: &[u8], offset: u64, buf: &mut [u8]) -> Result<(), Broken> {
    let offset = usize::try_from(offset).unwrap();
    buf.copy_from_slice(file.get(offset..offset + buf.len()).ok_or(Broken)?);
    Ok(())
}

/// A header of 2 MB: four reads of a source.
fn large() -> Vec<u8> {
    let mut file = RawFile::sample();
    for i in 0..20 {
        file.pair(format!("k{i}").as_bytes(), 9, &array(0, 100_000, &[1; 100_000]));
    }
    file.build()
}

#[test]
fn a_large_header_is_read_in_doubling_steps_and_only_once() {
    let file = large();
    let reads = std::cell::RefCell::new(Vec::new());
    let mut source = fickle(
        |_| file.len() as u64,
        |_, offset, buf| {
            reads.borrow_mut().push((offset, buf.len()));
            copy(&file, offset, buf)
        },
    );
    let gguf = Gguf::from_source(&mut source).unwrap();
    assert_eq!(gguf.metadata.len(), Gguf::parse(&file).unwrap().metadata.len());
    let kib = 1 << 10;
    let steps = [
        (0, 256 * kib),
        (256 * 1024, 256 * kib),
        (512 * 1024, 512 * kib),
        (1024 * 1024, file.len() - 1024 * kib),
    ];
    let mut reads = reads.into_inner();
    assert_eq!(reads.pop(), Some((0, 24)));
    assert_eq!(reads, steps);
}

#[test]
fn errors_of_the_source_are_handed_on() {
    let file = large();
    let mut at_once = fickle(|_| file.len() as u64, |_, _, _| Err(Broken));
    assert_eq!(Gguf::from_source(&mut at_once).unwrap_err(), SourceError::Read(Broken));
    let mut later =
        fickle(|_| file.len() as u64, |n, at, buf| if n < 3 { copy(&file, at, buf) } else { Err(Broken) });
    assert_eq!(Gguf::from_source(&mut later).unwrap_err(), SourceError::Read(Broken));
    // The file is shorter than the source said.
    let mut short = fickle(|_| file.len() as u64, |_, at, buf| copy(&file[..1_500_000], at, buf));
    assert_eq!(Gguf::from_source(&mut short).unwrap_err(), SourceError::Read(Broken));
    // It shrinks between two reads.
    let shrink = |n, at, buf: &mut [u8]| copy(if n < 2 { &file } else { &file[..300_000] }, at, buf);
    let mut shrinking = fickle(|_| file.len() as u64, shrink);
    assert_eq!(Gguf::from_source(&mut shrinking).unwrap_err(), SourceError::Read(Broken));
}

#[test]
fn a_source_that_changes_is_refused() {
    let file = large();
    let whole = |_, at, buf: &mut [u8]| copy(&file, at, buf);
    let changed = |what| SourceError::Gguf(GgufError::SourceChanged { what });
    let mut grows = fickle(|n| file.len() as u64 + u64::from(n) - 1, whole);
    assert_eq!(Gguf::from_source(&mut grows).unwrap_err(), changed("length"));
    let mut other = RawFile::small().build();
    other.resize(file.len(), 0);
    let mut replaced =
        fickle(|_| file.len() as u64, |n, at, buf| copy(if n < 5 { &file } else { &other }, at, buf));
    assert_eq!(Gguf::from_source(&mut replaced).unwrap_err(), changed("first bytes"));
    // Replaced in the middle of the header: what arrives is no continuation of what came before.
    let mut spliced =
        fickle(|_| file.len() as u64, |n, at, buf| copy(if n < 3 { &file } else { &other }, at, buf));
    assert!(matches!(Gguf::from_source(&mut spliced), Err(SourceError::Gguf(_))));
    // A length that no file has, with the data behind it missing.
    let mut endless = fickle(|_| u64::MAX, |_, at, buf| copy(&file, at, buf));
    assert_eq!(Gguf::from_source(&mut endless).unwrap_err(), SourceError::Read(Broken));
}

#[test]
fn a_slice_as_source() {
    let mut empty: &[u8] = &[];
    assert!(empty.is_empty() && ByteSource::is_empty(&empty));
    let error = Gguf::from_source(&mut empty).unwrap_err();
    assert!(matches!(error, SourceError::Gguf(GgufError::Truncated { what: "magic", .. })), "{error}");
    let mut slice: &[u8] = &[1, 2, 3, 4];
    let mut buf = [0; 2];
    slice.read_at(2, &mut buf).unwrap();
    assert_eq!(buf, [3, 4]);
    for offset in [3, 5, u64::MAX, 1 << 32] {
        let short = GgufError::ShortRead { offset, needed: 2, available: 4 };
        assert_eq!(slice.read_at(offset, &mut buf), Err(short));
    }
}

#[test]
fn the_parser_says_how_much_it_needs() {
    let mut file = RawFile::empty();
    file.pair(b"some.key", 9, &array(4, 100, &[0; 400])).tensor(b"t", &[4], GgmlType::F32);
    let bytes = file.build();
    let mut parser = Parser::new(bytes.len() as u64);
    let need = |progress: Result<Progress, GgufError>| match progress {
        Ok(Progress::Need(needed)) => needed,
        other => panic!("{other:?}"),
    };
    assert_eq!(need(parser.parse(&[])), 4);
    assert_eq!(need(parser.parse(&bytes[..4])), 8);
    assert_eq!(need(parser.parse(&bytes[..24])), 32);
    assert_eq!(need(parser.parse(&bytes[..40])), 44);
    // The array announces its size: all of it is asked for at once.
    assert_eq!(need(parser.parse(&bytes[..60])), 24 + 8 + 8 + 4 + 12 + 400);
    // Less than before changes nothing.
    assert_eq!(need(parser.parse(&bytes[..10])), 456);
    let Progress::Done(gguf) = parser.parse(&bytes).unwrap() else { panic!("not done") };
    assert_eq!(gguf.tensors.len(), 1);
    assert_eq!(parser.parse(&bytes).unwrap_err(), GgufError::AlreadyDone);
}

#[test]
fn callers_that_misbehave() {
    let bytes = RawFile::small().build();
    let file_len = bytes.len() as u64 - 1;
    let many = GgufError::TooManyBytes { found: file_len + 1, file_len };
    assert_eq!(Parser::new(file_len).parse(&bytes).unwrap_err(), many);
    assert_eq!(Parser::new(file_len).push(&bytes).unwrap_err(), many);
    // Bytes past the end are refused before they are copied.
    let junk = vec![0; 1 << 20];
    let memory = allocation_counter::measure(|| assert!(Parser::new(file_len).push(&junk).is_err()));
    assert!(memory.bytes_max < 1000, "{memory:?}");
    // A refused file stays refused, whatever follows.
    let bad = RawFile::small().with(|f| {
        f.pair(b"general.architecture", 7, &[1]);
    });
    let bad = bad.build();
    let mut parser = Parser::new(bad.len() as u64);
    assert!(matches!(parser.parse(&bad), Err(GgufError::DuplicateKey { .. })));
    assert_eq!(parser.parse(&bad).unwrap_err(), GgufError::AlreadyDone);
    assert_eq!(parser.parse(&bytes).unwrap_err(), GgufError::AlreadyDone);
    let mut parser = Parser::new(bytes.len() as u64 + 4);
    assert!(matches!(parser.push(b"what"), Err(GgufError::BadMagic { .. })));
    assert_eq!(parser.push(&bytes).unwrap_err(), GgufError::AlreadyDone);
}

#[test]
fn strings_that_arrive_byte_by_byte() {
    let pieces: Vec<Vec<u8>> = (0..300).map(|i| vec![b'x'; i % 7]).collect();
    let mut file = RawFile::empty();
    // Two arrays one after the other: the second must not go on where the first stopped counting.
    file.pair(b"tokenizer.ggml.tokens", 9, &strings(&pieces));
    file.pair(b"tokenizer.ggml.merges", 9, &strings(&pieces[..200]));
    let bytes = file.build();
    let mut parser = Parser::new(bytes.len() as u64);
    for byte in &bytes {
        if let Progress::Done(gguf) = parser.push(std::slice::from_ref(byte)).unwrap() {
            let tokens = gguf.metadata.get_strings("tokenizer.ggml.tokens").unwrap();
            assert!(tokens.iter().eq(pieces.iter().map(|piece| &piece[..])));
            let merges = gguf.metadata.get_strings("tokenizer.ggml.merges").unwrap();
            assert!(merges.iter().eq(pieces[..200].iter().map(|piece| &piece[..])));
            return;
        }
    }
    panic!("the header never ended");
}
