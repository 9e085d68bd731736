//! Tensor descriptions, one by one.

use goldcrest_gguf::{GgmlType, GgufError};

use crate::raw::{RawFile, RawTensor};
use crate::table::{accepted, refused, run};

#[test]
fn names() {
    let named = |name: &[u8]| changed(|t| t.name = name.into());
    let claimed = |len| changed(|t| t.name_len = Some(len));
    let mut cases = vec![
        refused!("empty", named(b""), GgufError::EmptyTensorName { offset: 102 }),
        accepted("one byte", named(b"n")),
        accepted("64 bytes", named(&[b'n'; 64])),
        refused!(
            "65 bytes",
            named(&[b'n'; 65]),
            GgufError::TensorNameTooLong { found: 65, limit: 64, offset: 102 }
        ),
        accepted("64 bytes of UTF-8", named("é".repeat(32).as_bytes())),
        refused!("byte 0xFF", named(b"\xFF\xFE"), GgufError::TensorNameNotUtf8 { .. }),
        refused!("half a character", named(b"ab\xC3"), GgufError::TensorNameNotUtf8 { .. }),
        refused!("surrogate", named(b"\xED\xA0\x80"), GgufError::TensorNameNotUtf8 { .. }),
        refused!("as the one before", named(b"a"), GgufError::DuplicateTensor { name } if name == "a"),
        refused!("as the one after", named(b"c"), GgufError::DuplicateTensor { name } if name == "c"),
        accepted("same start", named(b"aa")),
    ];
    for len in [1 << 16, 1 << 31, 1 << 32, (1 << 32) + 1, 1 << 63, u64::MAX - 7, u64::MAX] {
        cases.push(refused!(format!("{len} bytes"), claimed(len), GgufError::TensorNameTooLong { .. }));
    }
    let mut cut = RawFile::small().header();
    cut.truncate(cut.len() - 50);
    let description = RawFile::empty().with(|f| {
        f.claim(&[b'n'; 40], &[1], 0, 0);
    });
    let mut at_the_end = description.header();
    at_the_end.truncate(24 + 8 + 39);
    cases.push(refused!("cut in the middle", cut, GgufError::Truncated { .. }));
    cases.push(refused!(
        "name cut",
        at_the_end,
        GgufError::Truncated { what: "tensor name", offset: 32, needed: 40, .. }
    ));
    run(&cases);
}

#[test]
fn dimension_counts() {
    let counted = |n| changed(|t| t.n_dims = Some(n));
    let shaped = |dims: &[u64]| {
        let mut file = RawFile::empty();
        file.tensor(b"t", dims, GgmlType::F32);
        file.build()
    };
    let mut cases = vec![
        accepted("1", shaped(&[4])),
        accepted("2", shaped(&[4, 3])),
        accepted("3", shaped(&[4, 3, 2])),
        accepted("4", shaped(&[4, 3, 2, 5])),
        accepted("4 of one", shaped(&[1, 1, 1, 1])),
        refused!("5", shaped(&[4, 3, 2, 5, 1]), GgufError::BadDimCount { found: 5, limit: 4, .. }),
    ];
    for n in [0, 5, 6, 255, 1 << 16, 1 << 31, u32::MAX] {
        cases.push(refused!(format!("claims {n}"), counted(n), GgufError::BadDimCount { offset: 111, .. }));
    }
    run(&cases);
}

#[test]
fn dimensions_and_their_products() {
    let f32 = |dims: &[u64]| claim(dims, GgmlType::F32);
    let i8 = |dims: &[u64]| claim(dims, GgmlType::I8);
    let q4 = |dims: &[u64]| claim(dims, GgmlType::Q4_0);
    let m = u64::MAX;
    run(&[
        refused!("zero first", f32(&[0, 4]), GgufError::ZeroDim { axis: 0, .. }),
        refused!("zero second", f32(&[4, 0]), GgufError::ZeroDim { axis: 1, .. }),
        refused!("zero third", f32(&[4, 1, 0]), GgufError::ZeroDim { axis: 2, .. }),
        refused!("zero fourth", f32(&[4, 1, 1, 0]), GgufError::ZeroDim { axis: 3, .. }),
        refused!("zero alone", f32(&[0]), GgufError::ZeroDim { .. }),
        refused!("zero beside too much", f32(&[m, m, 0]), GgufError::ZeroDim { axis: 2, .. }),
        refused!("product 2^64 is 0", f32(&[1 << 32, 1 << 32]), GgufError::TooManyElements { .. }),
        refused!("product 2^64 + 4 is 4", i8(&[(1 << 62) + 1, 4]), GgufError::TooManyElements { .. }),
        refused!("four times 2^16", i8(&[1 << 16; 4]), GgufError::TooManyElements { .. }),
        refused!("four times the most", i8(&[m; 4]), GgufError::TooManyElements { .. }),
        refused!("2^63 times 2", i8(&[1 << 63, 2]), GgufError::TooManyElements { .. }),
        refused!("-1 times 64", i8(&[m, 64]), GgufError::TooManyElements { .. }),
        refused!("64 times -1", i8(&[64, m]), GgufError::TooManyElements { .. }),
        refused!(
            "2^62 of 4 bytes are 0",
            f32(&[1 << 62]),
            GgufError::TensorTooLarge { n_elements: 0x4000_0000_0000_0000, .. }
        ),
        refused!("2^63 of 4 bytes", f32(&[1 << 31, 1 << 32]), GgufError::TensorTooLarge { .. }),
        refused!("-1 of 4 bytes", f32(&[m]), GgufError::TensorTooLarge { .. }),
        refused!("2^62 of 8 bytes", claim(&[1 << 62], GgmlType::I64), GgufError::TensorTooLarge { .. }),
        refused!("just under 2^64 bytes", f32(&[(1 << 62) - 1]), GgufError::TensorOutsideFile { .. }),
        refused!(
            "2^63 of 1 byte",
            i8(&[1 << 63]),
            GgufError::TensorOutsideFile { n_bytes: 0x8000_0000_0000_0000, .. }
        ),
        refused!("-1 of 1 byte", i8(&[m]), GgufError::TensorOutsideFile { .. }),
        refused!("2^40 of half a byte", q4(&[1 << 40, 1]), GgufError::TensorOutsideFile { .. }),
        refused!("2^32 bytes cut to 0", i8(&[1 << 32]), GgufError::TensorOutsideFile { .. }),
        refused!("2^32 + 64 bytes cut to 64", i8(&[(1 << 32) + 64]), GgufError::TensorOutsideFile { .. }),
        refused!("a byte more than there is", i8(&[65]), GgufError::TensorOutsideFile { n_bytes: 65, .. }),
        accepted("as much as there is", i8(&[64])),
    ]);
}

#[test]
fn types() {
    let typed = |ty| changed(|t| t.ty = ty);
    let mut cases = Vec::new();
    for id in [4, 5, 31, 32, 33, 36, 37, 38] {
        cases.push(refused!(format!("removed {id}"), typed(id), GgufError::RemovedTensorType { .. }));
    }
    for id in [43, 44, 100, 255, 256, 0x7FFF_FFFF, 1 << 31, u32::MAX] {
        cases.push(refused!(format!("unknown {id}"), typed(id), GgufError::UnknownTensorType { .. }));
    }
    for &ty in GgmlType::ALL {
        let len = ty.block_len();
        let file = |dims: &[u64]| {
            let mut file = RawFile::empty();
            file.claim(b"t", dims, ty.id(), 0);
            file.data = vec![0; 4096];
            file.build()
        };
        cases.push(accepted(format!("{ty}, one block"), file(&[len])));
        cases.push(accepted(format!("{ty}, two rows"), file(&[len, 2])));
        if len > 1 {
            for ne0 in [1, len - 1, len + 1, 3 * len / 2] {
                // Two rows of half-blocks are whole blocks in all, and still wrong.
                cases.push(refused!(
                    format!("{ty}, {ne0}"),
                    file(&[ne0, 2]),
                    GgufError::RowNotWholeBlocks { .. }
                ));
            }
            cases.push(refused!(
                format!("{ty}, other axis"),
                file(&[1, len]),
                GgufError::RowNotWholeBlocks { .. }
            ));
        }
    }
    run(&cases);
}

#[test]
fn ids_and_names_agree_with_the_format() {
    for id in 0..100 {
        let removed = GgmlType::is_removed_id(id);
        match GgmlType::from_id(id) {
            Some(ty) => assert!(ty.id() == id && !removed && id <= 42),
            None => assert!(removed || id > 42, "{id}"),
        }
    }
    assert_eq!(GgmlType::ALL.len(), 35);
    assert_eq!(GgmlType::Q4_K.to_string(), "Q4_K");
    assert_eq!(GgmlType::Q4_K.size_of(512), Some(288));
    assert_eq!(GgmlType::Q4_K.size_of(511), None);
    assert_eq!(GgmlType::F64.size_of(1 << 61), None);
}

/// The small file after a change of its middle tensor, whose description starts at byte 102.
fn changed(change: impl FnOnce(&mut RawTensor)) -> Vec<u8> {
    RawFile::small().with(|f| change(&mut f.tensors[1])).build()
}

/// A tensor of these dimensions over 64 bytes of data.
fn claim(dims: &[u64], ty: GgmlType) -> Vec<u8> {
    let mut file = RawFile::empty();
    file.claim(b"t", dims, ty.id(), 0);
    file.data = vec![0; 64];
    file.build()
}
