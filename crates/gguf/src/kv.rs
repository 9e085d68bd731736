use crate::cursor::{Cursor, Stop, to_u64};
use crate::limits::{MAX_ARRAY_LEN, MAX_KEY_BYTES, MAX_STRING_BYTES};
use crate::{Array, GgufError, StringArray, Value, ValueType};

/// Smallest metadata pair: key length 8, key 1, type 4, value 1.
pub(crate) const MIN_PAIR_BYTES: u64 = 14;

/// Keys whose strings are token pieces; real vocabularies hold pieces that are not UTF-8.
const PIECE_KEYS: [&str; 2] = ["tokenizer.ggml.tokens", "tokenizer.ggml.merges"];

/// How far the lengths of a string array were added up, kept while more bytes of it are on the way: vocabularies
/// arrive in hundreds of chunks, and starting over at each would be quadratic.
#[derive(Debug, Clone, Default)]
pub(crate) struct StringScan {
    array_at: u64,
    n_done: u64,
    text_bytes: u64,
}

pub(crate) fn read_key<'a>(cur: &mut Cursor<'a>) -> Result<&'a str, Stop> {
    let offset = cur.at();
    let len = cur.u64("metadata key length")?;
    if len == 0 {
        return Err(GgufError::EmptyKey { offset }.into());
    }
    if len > MAX_KEY_BYTES {
        return Err(GgufError::KeyTooLong { offset, found: len, limit: MAX_KEY_BYTES }.into());
    }
    let key = cur.take(len, "metadata key")?;
    match std::str::from_utf8(key) {
        Ok(key) if key.is_ascii() => Ok(key),
        _ => Err(GgufError::KeyNotAscii { offset }.into()),
    }
}

pub(crate) fn read_value(cur: &mut Cursor<'_>, key: &str, scan: &mut StringScan) -> Result<Value, Stop> {
    let offset = cur.at();
    let id = cur.u32("value type")?;
    let ty = ValueType::from_id(id).ok_or_else(|| GgufError::UnknownValueType {
        key: key.into(),
        offset,
        found: id,
    })?;
    Ok(match ty {
        ValueType::U8 => Value::U8(u8::from_le_bytes(cur.array("value")?)),
        ValueType::I8 => Value::I8(i8::from_le_bytes(cur.array("value")?)),
        ValueType::U16 => Value::U16(u16::from_le_bytes(cur.array("value")?)),
        ValueType::I16 => Value::I16(i16::from_le_bytes(cur.array("value")?)),
        ValueType::U32 => Value::U32(cur.u32("value")?),
        ValueType::I32 => Value::I32(i32::from_le_bytes(cur.array("value")?)),
        ValueType::F32 => Value::F32(f32::from_le_bytes(cur.array("value")?)),
        ValueType::U64 => Value::U64(cur.u64("value")?),
        ValueType::I64 => Value::I64(i64::from_le_bytes(cur.array("value")?)),
        ValueType::F64 => Value::F64(f64::from_le_bytes(cur.array("value")?)),
        ValueType::Bool => {
            let offset = cur.at();
            let [byte] = cur.array("value")?;
            Value::Bool(to_bool(byte, key, offset)?)
        }
        ValueType::Str => {
            let offset = cur.at();
            let text = read_string(cur, key)?;
            let text = std::str::from_utf8(text);
            Value::Str(text.map_err(|_| GgufError::StringNotUtf8 { key: key.into(), offset })?.into())
        }
        ValueType::Array => Value::Array(Box::new(read_array(cur, key, scan)?)),
    })
}

fn read_array(cur: &mut Cursor<'_>, key: &str, scan: &mut StringScan) -> Result<Array, Stop> {
    let offset = cur.at();
    let id = cur.u32("array element type")?;
    let ty = ValueType::from_id(id).ok_or_else(|| GgufError::UnknownElementType {
        key: key.into(),
        offset,
        found: id,
    })?;
    let n = cur.u64("array length")?;
    if n > MAX_ARRAY_LEN {
        return Err(
            GgufError::ArrayTooLong { key: key.into(), offset, found: n, limit: MAX_ARRAY_LEN }.into()
        );
    }
    Ok(match ty {
        ValueType::U8 => Array::U8(read_numbers(cur, n, u8::from_le_bytes)?),
        ValueType::I8 => Array::I8(read_numbers(cur, n, i8::from_le_bytes)?),
        ValueType::U16 => Array::U16(read_numbers(cur, n, u16::from_le_bytes)?),
        ValueType::I16 => Array::I16(read_numbers(cur, n, i16::from_le_bytes)?),
        ValueType::U32 => Array::U32(read_numbers(cur, n, u32::from_le_bytes)?),
        ValueType::I32 => Array::I32(read_numbers(cur, n, i32::from_le_bytes)?),
        ValueType::F32 => Array::F32(read_numbers(cur, n, f32::from_le_bytes)?),
        ValueType::U64 => Array::U64(read_numbers(cur, n, u64::from_le_bytes)?),
        ValueType::I64 => Array::I64(read_numbers(cur, n, i64::from_le_bytes)?),
        ValueType::F64 => Array::F64(read_numbers(cur, n, f64::from_le_bytes)?),
        ValueType::Bool => {
            let first = cur.at();
            let bytes = cur.take(n, "array")?;
            let bools = (first..).zip(bytes).map(|(offset, &byte)| to_bool(byte, key, offset));
            Array::Bool(bools.collect::<Result<_, _>>()?)
        }
        ValueType::Str => Array::Str(read_strings(cur, key, n, scan)?),
        ValueType::Array => return Err(GgufError::NestedArray { key: key.into(), offset }.into()),
    })
}

fn read_numbers<const N: usize, T>(
    cur: &mut Cursor<'_>,
    n: u64,
    decode: fn([u8; N]) -> T,
) -> Result<Vec<T>, Stop> {
    // At most 4 Mi elements of 8 bytes: the product is small.
    let bytes = cur.take(n.saturating_mul(to_u64(N)), "array")?;
    Ok(bytes.as_chunks().0.iter().map(|&raw| decode(raw)).collect())
}

/// Two passes, so that the strings land in one allocation of the right size which their lengths have earned.
fn read_strings(cur: &mut Cursor<'_>, key: &str, n: u64, scan: &mut StringScan) -> Result<StringArray, Stop> {
    // Each string has at least its length: this bounds the loops and the list of ends by the bytes left.
    cur.require(n.saturating_mul(8), "array of strings")?;
    let array_at = cur.at();
    if scan.array_at != array_at {
        *scan = StringScan { array_at, ..StringScan::default() };
    }
    let mut ahead = cur.clone();
    // The pieces scanned before are whole: their lengths and texts, so this skip never fails for want of bytes.
    ahead.take(scan.n_done.saturating_mul(8).saturating_add(scan.text_bytes), "array of strings")?;
    while scan.n_done < n {
        let len = to_u64(read_string(&mut ahead, key)?.len());
        scan.text_bytes = scan.text_bytes.saturating_add(len);
        scan.n_done = scan.n_done.saturating_add(1);
    }
    let as_size = |n: u64| usize::try_from(n).map_err(|_| Stop::Need(n));
    let mut strings = StringArray::with_capacity(as_size(n)?, as_size(scan.text_bytes)?);
    let any_bytes = PIECE_KEYS.contains(&key);
    for _ in 0..n {
        let offset = cur.at();
        let text = read_string(cur, key)?;
        if !any_bytes && std::str::from_utf8(text).is_err() {
            return Err(GgufError::StringNotUtf8 { key: key.into(), offset }.into());
        }
        strings.push(text);
    }
    Ok(strings)
}

fn read_string<'a>(cur: &mut Cursor<'a>, key: &str) -> Result<&'a [u8], Stop> {
    let offset = cur.at();
    let len = cur.u64("string length")?;
    if len > MAX_STRING_BYTES {
        let key = key.into();
        return Err(GgufError::StringTooLong { key, offset, found: len, limit: MAX_STRING_BYTES }.into());
    }
    cur.take(len, "string")
}

fn to_bool(byte: u8, key: &str, offset: u64) -> Result<bool, GgufError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        found => Err(GgufError::BadBool { key: key.into(), offset, found }),
    }
}
