//! The first 24 bytes.

use goldcrest_gguf::GgufError;

use crate::raw::{RawFile, array};
use crate::table::{Case, accepted, refused, run};

#[test]
fn too_short_for_a_header() {
    let file = RawFile::small().build();
    let cut = |len: usize| file[..len].to_vec();
    run(&[
        refused!("empty", cut(0), GgufError::Truncated { what: "magic", offset: 0, needed: 4, file_len: 0 }),
        refused!("3 bytes", cut(3), GgufError::Truncated { what: "magic", .. }),
        refused!("4 bytes", cut(4), GgufError::Truncated { what: "version", offset: 4, .. }),
        refused!("7 bytes", cut(7), GgufError::Truncated { what: "version", .. }),
        refused!("8 bytes", cut(8), GgufError::Truncated { what: "tensor count", .. }),
        refused!("15 bytes", cut(15), GgufError::Truncated { what: "tensor count", .. }),
        refused!("16 bytes", cut(16), GgufError::Truncated { what: "metadata count", .. }),
        refused!("23 bytes", cut(23), GgufError::Truncated { what: "metadata count", .. }),
        refused!(
            "24 bytes",
            cut(24),
            GgufError::Truncated {
                what: "metadata pairs and tensor descriptions",
                offset: 24,
                needed: 113,
                ..
            }
        ),
        accepted("24 bytes without anything to follow", RawFile::empty().header()),
        accepted("padded", RawFile::empty().build()),
    ]);
}

#[test]
fn magic_and_version() {
    let mut cases: Vec<Case> = [*b"gguf", *b"FUGG", *b"GGML", *b"ggjt", [0; 4], *b"PK\x03\x04", *b"GGU\xFF"]
        .map(|magic| {
            let file = RawFile::small().with(|f| f.magic = magic).build();
            refused!(format!("{magic:?}"), file, GgufError::BadMagic { .. })
        })
        .into();
    for version in [0, 1, 4, 5, 255, 0x0400_0000, 0x0003_0003, u32::MAX] {
        let file = RawFile::small().with(|f| f.version = version).build();
        cases.push(refused!(format!("version {version}"), file, GgufError::UnsupportedVersion { .. }));
    }
    let swapped = |version| RawFile::small().with(|f| f.version = version).build();
    cases.push(refused!("big-endian 1", swapped(0x0100_0000), GgufError::BigEndian { version: 1 }));
    cases.push(refused!("big-endian 2", swapped(0x0200_0000), GgufError::BigEndian { version: 2 }));
    cases.push(refused!("big-endian 3", swapped(0x0300_0000), GgufError::BigEndian { version: 3 }));
    cases.push(accepted("version 2", swapped(2)));
    cases.push(accepted("version 3", swapped(3)));
    run(&cases);
}

#[test]
fn counts_that_lie() {
    let tensors = |n| RawFile::small().with(|f| f.n_tensors = Some(n)).build();
    let pairs = |n| RawFile::small().with(|f| f.n_kv = Some(n)).build();
    let mut cases = vec![
        refused!(
            "65,537 tensors",
            tensors(65_537),
            GgufError::TooManyTensors { found: 65_537, limit: 65_536 }
        ),
        refused!("65,537 pairs", pairs(65_537), GgufError::TooManyKeys { found: 65_537, limit: 65_536 }),
        refused!("one tensor more", tensors(4), GgufError::EmptyTensorName { .. }),
        refused!("one pair more", pairs(2), GgufError::EmptyTensorName { .. }),
        refused!("one pair less", pairs(0), GgufError::BadDimCount { .. }),
    ];
    // The last three are small numbers once cut to 32 bits.
    for n in [1 << 31, 1 << 61, 1 << 63, u64::MAX, 1 << 32, (1 << 32) + 1, (1 << 32) + 3] {
        cases.push(refused!(format!("{n} tensors"), tensors(n), GgufError::TooManyTensors { .. }));
        cases.push(refused!(format!("{n} pairs"), pairs(n), GgufError::TooManyKeys { .. }));
    }
    for n in [100, 65_536] {
        cases.push(refused!(
            format!("{n} tensors without room"),
            tensors(n),
            GgufError::Truncated { what: "metadata pairs and tensor descriptions", .. }
        ));
        cases.push(refused!(
            format!("{n} pairs without room"),
            pairs(n),
            GgufError::Truncated { what: "metadata pairs and tensor descriptions", .. }
        ));
    }
    run(&cases);
}

#[test]
fn as_many_pairs_and_tensors_as_the_limits_allow() {
    let pairs = |n: u32| {
        let mut file = RawFile::empty();
        for i in 0..n {
            file.pair(format!("{i:x}").as_bytes(), 7, &[1]);
        }
        file.build()
    };
    // One-byte tensors at the smallest alignment: the most descriptions for the fewest bytes.
    let tensors = |n: u32| {
        let mut file = RawFile { alignment: 8, ..RawFile::empty() };
        file.pair(b"general.alignment", 4, &8u32.to_le_bytes());
        for i in 0..n {
            file.claim(format!("{i:x}").as_bytes(), &[1], 24, u64::from(i) * 8);
        }
        file.data = vec![0; n as usize * 8];
        file.build()
    };
    run(&[
        accepted("65,536 pairs", pairs(65_536)),
        refused!("65,537 pairs", pairs(65_537), GgufError::TooManyKeys { .. }),
        accepted("65,536 tensors", tensors(65_536)),
        refused!("65,537 tensors", tensors(65_537), GgufError::TooManyTensors { .. }),
    ]);
}

#[test]
fn the_smallest_pair_and_tensor_count_as_room() {
    let pair = RawFile::empty().with(|f| {
        f.pair(b"k", 7, &[1]);
    });
    assert_eq!(pair.header().len(), 24 + 14);
    let arrays = RawFile::empty().with(|f| {
        f.pair(b"k", 9, &array(0, 0, &[]));
    });
    run(&[accepted("smallest pair", pair.header()), accepted("empty array", arrays.header())]);
}
