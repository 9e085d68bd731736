//! A valid file cut or overwritten at every byte.

use goldcrest_gguf::{Gguf, GgufError};

use crate::raw::RawFile;
use crate::verdict::check_promises;

#[test]
fn cut_at_every_byte() {
    let file = RawFile::sample().build();
    assert!(file.len() > 30_000, "{}", file.len());
    let data_offset = usize::try_from(Gguf::parse(&file).unwrap().data_offset).unwrap();
    for len in 0..file.len() {
        let error = Gguf::parse(&file[..len]).unwrap_err();
        match error {
            GgufError::Truncated { file_len, .. } if len < data_offset => assert_eq!(file_len, len as u64),
            GgufError::TensorOutsideFile { .. } => {}
            error => panic!("cut to {len}: {error}"),
        }
    }
}

#[test]
fn every_header_byte_overwritten() {
    let file = RawFile::sample().build();
    let gguf = Gguf::parse(&file).unwrap();
    let header_len = usize::try_from(gguf.data_offset).unwrap();
    let (mut n_ok, mut n_refused) = (0, 0);
    for at in 0..header_len {
        for byte in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
            let mut damaged = file.clone();
            damaged[at] = byte;
            let mut result = None;
            let memory = allocation_counter::measure(|| result = Some(Gguf::parse(&damaged)));
            assert!(memory.bytes_max <= 2 * header_len as u64 + 65_536, "byte {at} = {byte:#x}: {memory:?}");
            match result.unwrap() {
                Ok(gguf) => {
                    check_promises(&gguf, damaged.len() as u64);
                    n_ok += 1;
                }
                Err(_) => n_refused += 1,
            }
        }
    }
    // Text and numbers may change freely; counts, lengths, types and offsets may not.
    assert!(n_ok > 1000 && n_refused > 1000, "{n_ok} accepted, {n_refused} refused");
}
