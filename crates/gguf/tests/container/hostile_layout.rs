//! Where the data lies.

use goldcrest_gguf::{GgmlType, Gguf, GgufError};

use crate::raw::RawFile;
use crate::table::{accepted, refused, run};

/// Byte size of the small file's data: 16 + 16 padding, 36 + 28 padding, 16 + 16 padding.
const DATA: u64 = 128;

#[test]
fn offsets() {
    let at = |i: usize, offset| RawFile::small().with(|f| f.tensors[i].offset = offset).build();
    let mut cases = vec![
        refused!("first one late", at(0, 32), GgufError::TensorsOverlap { offset: 32, previous_end: 48, .. }),
        refused!(
            "second on the first",
            at(1, 0),
            GgufError::TensorsOverlap { offset: 0, previous_end: 16, .. }
        ),
        refused!(
            "third inside the second",
            at(2, 64),
            GgufError::TensorsOverlap { offset: 64, previous_end: 68, .. }
        ),
        refused!("third on the second", at(2, 32), GgufError::TensorsOverlap { .. }),
        refused!(
            "third before the second",
            at(2, 0),
            GgufError::OffsetNotAscending { offset: 0, previous: 32, .. }
        ),
        refused!("first one last", at(0, 96), GgufError::OffsetNotAscending { offset: 32, previous: 96, .. }),
        refused!(
            "outside by nothing",
            at(2, DATA),
            GgufError::TensorOutsideFile { offset: DATA, n_bytes: 16, .. }
        ),
        refused!("outside by 32", at(2, DATA + 32), GgufError::TensorOutsideFile { .. }),
    ];
    for offset in [1, 2, 8, 16, 31, 33, 63, 97, u64::MAX] {
        cases.push(refused!(offset, at(2, offset), GgufError::OffsetNotAligned { alignment: 32, .. }));
    }
    // The sum of offset and size, or of that and the data offset, passes 2^64 for the first two.
    for offset in [u64::MAX - 31, u64::MAX - 63, 1 << 63, 1 << 62, 1 << 40, 1 << 32, (1 << 32) + 96] {
        cases.push(refused!(offset, at(2, offset), GgufError::TensorOutsideFile { .. }));
    }
    run(&cases);
}

#[test]
fn the_end_of_the_file() {
    let file = RawFile::small().build();
    let cut = |n: usize| file[..file.len() - n].to_vec();
    let longer = |n: usize| [&file[..], &vec![0x7F; n]].concat();
    let hole = RawFile::small().with(|f| {
        f.tensors[2].offset = 1 << 12;
        f.data.resize((1 << 12) + 16, 0);
    });
    let no_tensors = RawFile::small().with(|f| {
        f.tensors.clear();
        f.data.clear();
    });
    let no_padding = RawFile::small().with(|f| f.data.clear());
    run(&[
        accepted("whole", file.clone()),
        accepted("without the last padding", cut(16)),
        refused!("one byte short", cut(17), GgufError::TensorOutsideFile { offset: 96, n_bytes: 16, .. }),
        refused!("half the data", cut(64), GgufError::TensorOutsideFile { .. }),
        refused!("no data", no_padding.build(), GgufError::TensorOutsideFile { offset: 0, .. }),
        refused!("no padding", RawFile::small().header(), GgufError::TensorOutsideFile { offset: 0, .. }),
        accepted("junk after the end", longer(1)),
        accepted("64 KiB of junk after the end", longer(65_536)),
        accepted("a hole in the data", hole.build()),
        accepted("no tensors", no_tensors.build()),
        accepted("no tensors, no padding", no_tensors.header()),
    ]);
}

#[test]
fn many_tensors_over_the_same_bytes() {
    let claims = |n: u64, of: usize| {
        let mut file = RawFile::empty();
        for i in 0..of {
            file.claim(format!("{i:x}").as_bytes(), &[1], 24, 0);
        }
        file.n_tensors = Some(n);
        file.data = vec![0; 32];
        file.build()
    };
    run(&[
        refused!("a million", claims(1_000_000, 65_536), GgufError::TooManyTensors { .. }),
        refused!("65,536", claims(65_536, 65_536), GgufError::TensorsOverlap { .. }),
        refused!("two", claims(2, 2), GgufError::TensorsOverlap { .. }),
    ]);
}

#[test]
fn shapes_and_ranges_of_an_accepted_file() {
    let bytes = RawFile::sample().build();
    let gguf = Gguf::parse(&bytes).unwrap();
    let k = gguf.tensors.require("k").unwrap();
    assert_eq!((k.ne0(), k.n_rows(), k.row_bytes(), k.n_elements()), (256, 4, 144, 1024));
    assert_eq!((k.dims, k.n_dims, k.ty, k.n_bytes), ([256, 2, 1, 2], 4, GgmlType::Q4_K, 576));
    let range = gguf.tensor_range(k);
    assert_eq!(range, gguf.data_offset + k.offset..gguf.data_offset + k.offset + 576);
    assert_eq!(range.end, bytes.len() as u64);
    assert!(gguf.tensors.get("K").is_none());
    let missing = GgufError::MissingTensor { name: "output.weight".into() };
    assert_eq!(gguf.tensors.require("output.weight"), Err(missing));
    assert_eq!(gguf.tensors.iter().len(), gguf.tensors.len());
}
