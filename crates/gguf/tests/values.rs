//! What the writer writes comes back, typed, and with typed errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_gguf::write::GgufWriter;
use goldcrest_gguf::{Array, FromValue, GgmlType, Gguf, GgufError, Metadata, StringArray, Value, ValueType};

fn metadata(key: &str, value: impl Into<Value>) -> Metadata {
    let bytes = GgufWriter::new().set(key, value).finish().unwrap();
    Gguf::parse(&bytes).unwrap().metadata
}

#[test]
fn every_type_comes_back_as_it_was() {
    let strings: StringArray = ["", "a", "ö\0ö"].into_iter().collect();
    let values: Vec<Value> = vec![
        200u8.into(),
        (-100i8).into(),
        60_000u16.into(),
        (-30_000i16).into(),
        4_000_000_000u32.into(),
        (-2_000_000_000i32).into(),
        0.1f32.into(),
        true.into(),
        "text".into(),
        String::from("owned").into(),
        u64::MAX.into(),
        i64::MIN.into(),
        0.1f64.into(),
        vec![1u8, 200].into(),
        vec![1i8, -100].into(),
        vec![1u16, 60_000].into(),
        vec![1i16, -30_000].into(),
        vec![1u32, 4_000_000_000].into(),
        vec![1i32, -2_000_000_000].into(),
        vec![0.1f32, f32::INFINITY].into(),
        vec![true, false].into(),
        strings.into(),
        vec![u64::MAX].into(),
        vec![i64::MIN].into(),
        vec![0.1f64].into(),
        Vec::<f32>::new().into(),
    ];
    let mut writer = GgufWriter::new();
    for (i, value) in values.iter().enumerate() {
        writer.set(&format!("key.{i}"), value.clone());
    }
    let metadata = Gguf::parse(&writer.finish().unwrap()).unwrap().metadata;
    assert!(metadata.iter().map(|(_, value)| value).eq(&values));
    assert_eq!(metadata.len(), values.len());
    for (i, value) in values.iter().enumerate() {
        assert_eq!(metadata.get(&format!("key.{i}")), Some(value));
    }
    assert!(!metadata.is_empty() && Metadata::default().is_empty());
}

#[test]
fn integers_come_from_any_integer_type_that_holds_them() {
    let values: [Value; 8] = [
        7u8.into(),
        7i8.into(),
        7u16.into(),
        7i16.into(),
        7u32.into(),
        7i32.into(),
        7u64.into(),
        7i64.into(),
    ];
    for value in values {
        let metadata = metadata("k", value);
        assert_eq!(metadata.get_u32("k"), Ok(7));
        assert_eq!(metadata.get_i32("k"), Ok(7));
        assert_eq!(metadata.get_u64("k"), Ok(7));
        assert_eq!(metadata.get_as::<u8>("k"), Ok(7));
        assert_eq!(metadata.get_as::<i64>("k"), Ok(7));
        assert!(metadata.get_f32("k").is_err() && metadata.get_bool("k").is_err());
    }
    let range = |value: Value, expected| match metadata("k", value).get_u32("k") {
        Err(GgufError::OutOfRange { key, expected: "u32", found }) => {
            assert_eq!((&*key, found), ("k", expected))
        }
        other => panic!("{other:?}"),
    };
    range((-1i8).into(), -1);
    range((1u64 << 32).into(), 1 << 32);
    range(i64::MIN.into(), i128::from(i64::MIN));
    assert_eq!(metadata("k", u64::from(u32::MAX)).get_u32("k"), Ok(u32::MAX));
    assert!(metadata("k", u64::MAX).get_as::<i64>("k").is_err());
}

#[test]
fn other_types_are_refused_by_name() {
    fn check<'a, T: FromValue<'a> + std::fmt::Debug + PartialEq>(m: &'a Metadata, want: (&str, &str)) {
        match m.get_as::<T>("k") {
            Err(GgufError::WrongType { key, expected, found }) => {
                assert_eq!((&*key, expected, found), ("k", want.0, want.1));
            }
            other => panic!("{other:?}"),
        }
    }
    let text = metadata("k", "7");
    check::<u32>(&text, ("u32", "string"));
    check::<f32>(&text, ("f32", "string"));
    check::<f64>(&text, ("f64", "string"));
    check::<bool>(&text, ("bool", "string"));
    check::<&Array>(&text, ("array", "string"));
    check::<&StringArray>(&text, ("array of string", "string"));
    check::<Vec<i32>>(&text, ("array of i32", "string"));
    let float = metadata("k", 1.0f32);
    check::<u32>(&float, ("u32", "f32"));
    check::<&str>(&float, ("string", "f32"));
    check::<f32>(&metadata("k", 1.0f64), ("f32", "f64"));
    check::<bool>(&metadata("k", 1u8), ("bool", "u8"));
    let array = metadata("k", vec![1u32]);
    check::<u32>(&array, ("u32", "array of u32"));
    check::<&[i32]>(&array, ("array of i32", "array of u32"));
    check::<&[f32]>(&array, ("array of f32", "array of u32"));
    check::<Vec<u8>>(&metadata("k", vec![1.0f32]), ("array of u8", "array of f32"));
}

#[test]
fn floats_booleans_strings_and_arrays_are_read() {
    assert_eq!(metadata("k", 0.5f32).get_f32("k"), Ok(0.5));
    assert_eq!(metadata("k", 0.5f32).get_as::<f64>("k"), Ok(0.5));
    assert_eq!(metadata("k", 0.1f64).get_as::<f64>("k"), Ok(0.1));
    assert_eq!(metadata("k", true).get_bool("k"), Ok(true));
    assert_eq!(metadata("k", "é").get_str("k"), Ok("é"));
    let array = metadata("k", vec![1i32, -1]);
    assert_eq!(array.get_as::<&[i32]>("k"), Ok(&[1, -1][..]));
    assert_eq!(array.get_as::<Vec<i64>>("k"), Ok(vec![1, -1]));
    assert_eq!(array.get_array("k").unwrap().element_type(), ValueType::I32);
    assert_eq!(array.get_array("k").unwrap().len(), 2);
    match array.get_as::<Vec<u32>>("k") {
        Err(GgufError::OutOfRange { expected: "u32", found: -1, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(metadata("k", vec![0.5f32]).get_as::<&[f32]>("k"), Ok(&[0.5][..]));
    assert_eq!(metadata("k", vec![true]).get_as::<&[bool]>("k"), Ok(&[true][..]));
}

#[test]
fn missing_keys() {
    let metadata = metadata("some.key", 1u32);
    let missing = Err(GgufError::MissingKey { key: "other".into() });
    assert_eq!(metadata.get_u32("other"), missing);
    assert_eq!(metadata.get_opt::<u32>("other"), Ok(None));
    assert_eq!(metadata.get_opt::<u32>("some.key"), Ok(Some(1)));
    assert!(metadata.get_opt::<&str>("some.key").is_err());
    for absent in ["", "some.ke", "some.key2", "a", "z"] {
        assert_eq!(metadata.get(absent), None);
    }
}

#[test]
fn string_arrays() {
    let pieces: [&[u8]; 4] = [b"ab", b"", b"\xFF", "ö".as_bytes()];
    let metadata = metadata("tokenizer.ggml.tokens", pieces.iter().collect::<StringArray>());
    let strings = metadata.get_strings("tokenizer.ggml.tokens").unwrap();
    assert!(strings.iter().eq(pieces));
    assert_eq!((strings.len(), strings.text_bytes(), strings.is_empty()), (4, 5, false));
    assert_eq!(
        (strings.get(0), strings.get(2), strings.get(4)),
        (Some(&b"ab"[..]), Some(&b"\xFF"[..]), None)
    );
    assert_eq!((strings.get_str(1), strings.get_str(2), strings.get_str(3)), (Some(""), None, Some("ö")));
    assert_eq!(strings.get(usize::MAX), None);
    assert_eq!(format!("{strings:?}"), r#"["ab", "", "�", "ö"]"#);
    assert!(StringArray::new().is_empty());
}

#[test]
fn the_writer_lays_tensors_out() {
    let mut writer = GgufWriter::new();
    writer.set("general.alignment", 64u32).set("general.name", "first").set("general.name", "second");
    writer.tensor_f32("a", &[3], &[1.0, 2.0, 3.0]).tensor("b", &[32, 2], GgmlType::Q8_0, &[1; 68]);
    let bytes = writer.finish().unwrap();
    let gguf = Gguf::parse(&bytes).unwrap();
    assert_eq!((gguf.version, gguf.alignment, gguf.metadata.len()), (3, 64, 2));
    assert_eq!(gguf.metadata.get_str("general.name"), Ok("second"));
    let b = gguf.tensors.require("b").unwrap();
    assert_eq!((b.offset, b.n_bytes, b.dims, b.n_dims), (64, 68, [32, 2, 1, 1], 2));
    assert_eq!(gguf.tensor_range(b).end, bytes.len() as u64 - 60);
    let a = gguf.tensor_range(gguf.tensors.require("a").unwrap());
    let a = &bytes[usize::try_from(a.start).unwrap()..usize::try_from(a.end).unwrap()];
    assert_eq!(a, [1f32, 2.0, 3.0].map(f32::to_le_bytes).concat());
}

#[test]
fn a_header_leaves_room_for_what_lies_elsewhere() {
    let mut whole = GgufWriter::new();
    let mut parts = GgufWriter::new();
    for writer in [&mut whole, &mut parts] {
        writer.set("general.alignment", 64u32).tensor_f32("a", &[3], &[1.0, 2.0, 3.0]);
    }
    let blocks = [7; 68];
    let expected = whole.tensor("b", &[32, 2], GgmlType::Q8_0, &blocks).finish().unwrap();
    parts.tensor_elsewhere("b", &[32, 2], GgmlType::Q8_0);
    assert!(parts.finish().is_err(), "there is no data to finish with");
    let mut bytes = parts.header();
    bytes.extend([1f32, 2.0, 3.0].map(f32::to_le_bytes).concat());
    bytes.resize(bytes.len().next_multiple_of(64), 0);
    bytes.extend(blocks);
    bytes.resize(bytes.len().next_multiple_of(64), 0);
    assert_eq!(bytes, expected);
}

#[test]
fn the_writer_makes_no_bad_file() {
    let tensor =
        |dims: &[u64], len: usize| GgufWriter::new().tensor("t", dims, GgmlType::F32, &vec![0; len]).finish();
    let mismatch =
        |n_bytes, n_elements| GgufError::BlockSizeMismatch { ty: GgmlType::F32, n_bytes, n_elements };
    assert_eq!(tensor(&[4], 12).unwrap_err(), mismatch(12, 4));
    assert_eq!(tensor(&[4], 20).unwrap_err(), mismatch(20, 4));
    assert!(matches!(tensor(&[0], 0), Err(GgufError::ZeroDim { .. })));
    assert!(matches!(tensor(&[], 4), Err(GgufError::BadDimCount { found: 0, .. })));
    assert!(matches!(tensor(&[1; 5], 4), Err(GgufError::BadDimCount { found: 5, .. })));
    let alignment = |a: u32| GgufWriter::new().set("general.alignment", a).finish();
    for bad in [0, 3, 4, 131_072] {
        assert!(matches!(alignment(bad), Err(GgufError::BadAlignment { .. })), "{bad}");
    }
    assert!(matches!(GgufWriter::new().set("", 1u8).finish(), Err(GgufError::EmptyKey { .. })));
    let twins = GgufWriter::new().tensor_f32("t", &[1], &[1.0]).tensor_f32("t", &[1], &[1.0]).finish();
    assert!(matches!(twins, Err(GgufError::DuplicateTensor { .. })));
}

#[test]
fn errors_say_what_where_and_how_much() {
    let error = GgufError::ArrayTooLong { key: "k".into(), offset: 70, found: 5_000_000, limit: 4 << 20 };
    assert_eq!(error.to_string(), "key `k`: array at byte 70 has 5000000 elements, the limit is 4194304");
    let error =
        GgufError::RowNotWholeBlocks { name: "t".into(), ty: GgmlType::Q4_K, ne0: 576, block_len: 256 };
    assert_eq!(error.to_string(), "tensor `t`: rows of 576 elements are not whole blocks of 256 (Q4_K)");
}
