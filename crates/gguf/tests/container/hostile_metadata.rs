//! Keys and values.

use goldcrest_gguf::GgufError;

use crate::raw::{RawFile, array, string, strings};
use crate::table::{accepted, refused, run};

const U8: u32 = 0;
const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;
const BOOL: u32 = 7;
const STR: u32 = 8;
const ARRAY: u32 = 9;
const U64: u32 = 10;

/// Lengths far outside every limit; the last two are small once cut to 32 bits, and `2^61` once multiplied by 8.
const HUGE: [u64; 8] = [1 << 31, 1 << 48, (1 << 63) - 1, 1 << 63, u64::MAX, 1 << 61, 1 << 32, (1 << 32) + 4];

#[test]
fn keys() {
    let named = |key: &[u8]| with_pair(key, U8, &[1]);
    let long = |len| with_pair(&vec![b'k'; len], U8, &[1]);
    let claimed = |len| RawFile::small().with(|f| f.pairs[0].key_len = Some(len)).build();
    let mut cases = vec![
        refused!("empty", named(b""), GgufError::EmptyKey { .. }),
        accepted("one byte", named(b"k")),
        accepted("65,535 bytes", long(65_535)),
        refused!(
            "65,536 bytes",
            long(65_536),
            GgufError::KeyTooLong { found: 65_536, limit: 65_535, offset: 69 }
        ),
        refused!("70,000 bytes", long(70_000), GgufError::KeyTooLong { .. }),
        refused!(
            "beyond the file",
            claimed(60_000),
            GgufError::Truncated { what: "metadata key", offset: 32, .. }
        ),
        refused!("byte 0x80", named(b"k\x80"), GgufError::KeyNotAscii { offset: 69 }),
        refused!("byte 0xFF", named(b"\xFF\xFE"), GgufError::KeyNotAscii { .. }),
        refused!("UTF-8", named("clé".as_bytes()), GgufError::KeyNotAscii { .. }),
        accepted("byte 0x7F", named(b"k\x7F")),
        accepted("zero byte", named(b"a\0b")),
        refused!("twice", named(b"general.architecture"), GgufError::DuplicateKey { .. }),
        accepted("same start", named(b"general.architecture2")),
        accepted("same but for case", named(b"general.Architecture")),
    ];
    for len in HUGE {
        cases.push(refused!(format!("{len} bytes"), claimed(len), GgufError::KeyTooLong { .. }));
    }
    let apart = RawFile::small().with(|f| {
        for i in 0..100 {
            f.pair(format!("k{}", i % 99).as_bytes(), U8, &[i]);
        }
    });
    cases.push(refused!("twice, far apart", apart.build(), GgufError::DuplicateKey { key } if key == "k0"));
    run(&cases);
}

#[test]
fn value_types() {
    let mut cases = Vec::new();
    for ty in [13, 14, 255, 256, 0x7FFF_FFFF, u32::MAX] {
        let value = with_pair(b"k", ty, &[0; 64]);
        cases.push(refused!(format!("type {ty}"), value, GgufError::UnknownValueType { .. }));
        let element = with_pair(b"k", ARRAY, &array(ty, 2, &[0; 64]));
        cases.push(refused!(format!("element type {ty}"), element, GgufError::UnknownElementType { .. }));
    }
    // Each scalar, cut one byte short by the end of the file.
    for (ty, len) in
        [(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (5, 4), (6, 4), (7, 1), (10, 8), (11, 8), (12, 8)]
    {
        let file = |n: usize| {
            let mut file = RawFile::empty();
            file.pair(b"some.key", ty, &vec![1; n]);
            file.header()
        };
        cases.push(accepted(format!("scalar {ty}"), file(len)));
        cases.push(refused!(format!("scalar {ty} cut"), file(len - 1), GgufError::Truncated { .. }));
    }
    run(&cases);
}

#[test]
fn booleans() {
    let scalar = |byte| with_pair(b"k", BOOL, &[byte]);
    let inside = |byte| with_pair(b"k", ARRAY, &array(BOOL, 3, &[0, 1, byte]));
    run(&[
        accepted("0", scalar(0)),
        accepted("1", scalar(1)),
        refused!("2", scalar(2), GgufError::BadBool { found: 2, offset: 82, .. }),
        refused!("255", scalar(255), GgufError::BadBool { found: 255, .. }),
        accepted("array", inside(1)),
        refused!("2 in an array", inside(2), GgufError::BadBool { found: 2, offset: 96, .. }),
        refused!("128 in an array", inside(128), GgufError::BadBool { found: 128, .. }),
    ]);
}

#[test]
fn strings_and_their_text() {
    const LIMIT: u64 = 16 << 20;
    let text = |bytes: &[u8]| with_pair(b"k", STR, &string(bytes));
    let claimed = |len: u64| with_pair(b"k", STR, &[&len.to_le_bytes(), &b"abc"[..]].concat());
    let element = |len: u64| {
        let elements = [string(b"first"), len.to_le_bytes().to_vec(), b"abc".to_vec()].concat();
        with_pair(b"k", ARRAY, &array(STR, 2, &elements))
    };
    let mut cases = vec![
        accepted("empty", text(b"")),
        accepted("16 MiB", text(&vec![b'x'; LIMIT as usize])),
        refused!(
            "16 MiB and 1",
            text(&vec![b'x'; LIMIT as usize + 1]),
            GgufError::StringTooLong { limit: LIMIT, .. }
        ),
        refused!("beyond the file", claimed(LIMIT), GgufError::Truncated { what: "string", .. }),
        refused!("element of 16 MiB and 1", element(LIMIT + 1), GgufError::StringTooLong { .. }),
        refused!("element beyond the file", element(LIMIT), GgufError::Truncated { what: "string", .. }),
        accepted("zero byte", text(b"a\0b")),
        accepted("4-byte character", text("\u{1F600}".as_bytes())),
    ];
    for bad in [
        &b"\xFF\xFE"[..],
        b"gen\xC3\x28eral",
        b"\xED\xA0\x80",
        b"\xF8\x88\x80\x80\x80",
        b"\xC0\x80",
        b"ab\xE2\x82",
    ] {
        cases.push(refused!(format!("{bad:?}"), text(bad), GgufError::StringNotUtf8 { .. }));
    }
    for len in HUGE {
        cases.push(refused!(format!("{len} bytes"), claimed(len), GgufError::StringTooLong { .. }));
        cases.push(refused!(
            format!("element of {len} bytes"),
            element(len),
            GgufError::StringTooLong { .. }
        ));
    }
    let pieces = |key: &[u8]| with_pair(key, ARRAY, &strings(&[b"ok".to_vec(), b"\xFF".to_vec()]));
    cases.push(accepted("pieces need not be UTF-8", pieces(b"tokenizer.ggml.tokens")));
    cases.push(accepted("merges need not be UTF-8", pieces(b"tokenizer.ggml.merges")));
    for key in ["tokenizer.ggml.tokens2", "general.tags", "tokenizer.chat_templates"] {
        cases.push(refused!(key, pieces(key.as_bytes()), GgufError::StringNotUtf8 { .. }));
    }
    run(&cases);
}

#[test]
fn arrays() {
    const LIMIT: u64 = 4 << 20;
    let bytes = |len: u64| with_pair(b"k", ARRAY, &array(U8, len, &vec![7; len as usize]));
    let empties = |len: u64| with_pair(b"k", ARRAY, &array(STR, len, &vec![0; len as usize * 8]));
    let mut cases = vec![
        accepted("4 Mi bytes", bytes(LIMIT)),
        refused!(
            "4 Mi and 1 bytes",
            bytes(LIMIT + 1),
            GgufError::ArrayTooLong { found: 0x40_0001, limit: LIMIT, .. }
        ),
        accepted("4 Mi strings", empties(LIMIT)),
        refused!("4 Mi and 1 strings", empties(LIMIT + 1), GgufError::ArrayTooLong { .. }),
        refused!(
            "array of arrays",
            with_pair(b"k", ARRAY, &array(ARRAY, 1, &array(U8, 1, &[1]))),
            GgufError::NestedArray { offset: 82, .. }
        ),
        refused!(
            "empty array of arrays",
            with_pair(b"k", ARRAY, &array(ARRAY, 0, &[])),
            GgufError::NestedArray { .. }
        ),
    ];
    let deep = (0..100_000).fold(array(U8, 0, &[]), |inner, _| {
        // Prepending would be quadratic: the levels are written back to front and turned at the end.
        let mut level = inner;
        level.extend(array(ARRAY, 1, &[]).iter().rev());
        level
    });
    let deep: Vec<u8> = deep.into_iter().rev().collect();
    cases.push(refused!("100,000 levels", with_pair(b"k", ARRAY, &deep), GgufError::NestedArray { .. }));
    for ty in [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12] {
        for len in HUGE {
            let file = with_pair(b"k", ARRAY, &array(ty, len, &[0; 32]));
            cases.push(refused!(format!("{len} of type {ty}"), file, GgufError::ArrayTooLong { .. }));
        }
        for len in [1000, LIMIT] {
            let file = with_pair(b"k", ARRAY, &array(ty, len, &[0; 32]));
            cases.push(refused!(
                format!("{len} of type {ty} beyond the file"),
                file,
                GgufError::Truncated { .. }
            ));
        }
        cases.push(accepted(format!("none of type {ty}"), with_pair(b"k", ARRAY, &array(ty, 0, &[]))));
    }
    run(&cases);
}

#[test]
fn alignment() {
    let set = |ty, value: &[u8], real: u64| {
        let mut file = RawFile { alignment: real, ..RawFile::empty() };
        file.pair(b"general.alignment", ty, value);
        file.claim(b"a", &[4], 0, 0).claim(b"b", &[4], 0, real.max(16));
        file.data = vec![0; real.max(16) as usize + 16];
        file.build()
    };
    let mut cases = vec![
        accepted("8", set(U32, &8u32.to_le_bytes(), 8)),
        accepted("65,536", set(U32, &65_536u32.to_le_bytes(), 65_536)),
        accepted("u64", set(U64, &64u64.to_le_bytes(), 64)),
        accepted("u8", set(U8, &[64], 64)),
        accepted("i32", set(I32, &64i32.to_le_bytes(), 64)),
        refused!("negative", set(I32, &(-32i32).to_le_bytes(), 32), GgufError::OutOfRange { found: -32, .. }),
        refused!("131,072", set(U32, &131_072u32.to_le_bytes(), 131_072), GgufError::BadAlignment { .. }),
        refused!("string", set(STR, &string(b"32"), 32), GgufError::WrongType { found: "string", .. }),
        refused!("float", set(F32, &32f32.to_le_bytes(), 32), GgufError::WrongType { found: "f32", .. }),
        refused!("bool", set(BOOL, &[1], 32), GgufError::WrongType { found: "bool", .. }),
        refused!(
            "array",
            set(ARRAY, &array(U32, 1, &[32, 0, 0, 0]), 32),
            GgufError::WrongType { found: "array of u32", .. }
        ),
    ];
    for a in [0u32, 1, 2, 3, 4, 7, 9, 24, 31, 33, 48, 65_535, 65_537, 1 << 31, u32::MAX] {
        cases.push(refused!(
            a,
            set(U32, &a.to_le_bytes(), 32),
            GgufError::BadAlignment { min: 8, max: 65_536, .. }
        ));
    }
    for a in [1u64 << 32, (1 << 32) + 32, 1 << 63, u64::MAX] {
        cases.push(refused!(a, set(U64, &a.to_le_bytes(), 32), GgufError::BadAlignment { .. }));
    }
    let late = RawFile::small().with(|f| {
        f.pair(b"general.alignment", U32, &64u32.to_le_bytes());
    });
    cases.push(refused!("data laid out for another", late.build(), GgufError::OffsetNotAligned { .. }));
    run(&cases);
}

/// The small file with one more pair; its key starts at byte 69.
fn with_pair(key: &[u8], ty: u32, value: &[u8]) -> Vec<u8> {
    let mut file = RawFile::small();
    file.pair(key, ty, value);
    file.build()
}

#[test]
fn the_extra_pair_starts_where_the_tables_say() {
    let file = with_pair(b"here", U8, &[1]);
    assert_eq!(&file[77..81], b"here");
}
