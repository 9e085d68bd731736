use crate::{Array, GgufError, StringArray, Value};

/// Rust types a metadata value can be read as, by [`Metadata::get_as`](crate::Metadata::get_as) and
/// [`get_opt`](crate::Metadata::get_opt).
///
/// * Integers and `Vec`s of integers come from any integer type whose values fit.
/// * `f32` comes from f32 only; `f64` from both float types.
/// * Slices come from arrays of exactly their type, without a copy.
pub trait FromValue<'a>: Sized {
    /// Reads `value`, which stands under `key`.
    ///
    /// # Errors
    /// [`GgufError::WrongType`], [`GgufError::OutOfRange`].
    fn from_value(key: &str, value: &'a Value) -> Result<Self, GgufError>;
}

macro_rules! from_int {
    ($($type:ty: $name:literal, $array:literal);*) => {$(
        impl FromValue<'_> for $type {
            fn from_value(key: &str, value: &Value) -> Result<Self, GgufError> {
                let int = value.as_int().ok_or_else(|| wrong_type(key, $name, value))?;
                Self::try_from(int).map_err(|_| out_of_range(key, $name, int))
            }
        }

        impl FromValue<'_> for Vec<$type> {
            fn from_value(key: &str, value: &Value) -> Result<Self, GgufError> {
                let Value::Array(array) = value else { return Err(wrong_type(key, $array, value)) };
                let ints = array.to_ints().ok_or_else(|| wrong_type(key, $array, value))?;
                ints.map_err(|int| out_of_range(key, $name, int))
            }
        }
    )*};
}
from_int!(u8: "u8", "array of u8"; i8: "i8", "array of i8"; u16: "u16", "array of u16"; i16: "i16", "array of i16";
    u32: "u32", "array of u32"; i32: "i32", "array of i32"; u64: "u64", "array of u64"; i64: "i64", "array of i64");

macro_rules! from_exact {
    ($($type:ty: $name:literal, $pattern:pat => $result:expr);*) => {$(
        impl<'a> FromValue<'a> for $type {
            fn from_value(key: &str, value: &'a Value) -> Result<Self, GgufError> {
                match value {
                    $pattern => Ok($result),
                    _ => Err(wrong_type(key, $name, value)),
                }
            }
        }
    )*};
}
from_exact!(f32: "f32", Value::F32(v) => *v; bool: "bool", Value::Bool(v) => *v;
    &'a str: "string", Value::Str(v) => v; &'a Array: "array", Value::Array(v) => v);

macro_rules! from_array {
    ($($type:ty: $name:literal, $variant:ident);*) => {$(
        impl<'a> FromValue<'a> for &'a $type {
            fn from_value(key: &str, value: &'a Value) -> Result<Self, GgufError> {
                match value {
                    Value::Array(array) => match &**array {
                        Array::$variant(elements) => Ok(elements),
                        _ => Err(wrong_type(key, $name, value)),
                    },
                    _ => Err(wrong_type(key, $name, value)),
                }
            }
        }
    )*};
}
from_array!([u8]: "array of u8", U8; [i8]: "array of i8", I8; [u16]: "array of u16", U16; [i16]: "array of i16", I16;
    [u32]: "array of u32", U32; [i32]: "array of i32", I32; [u64]: "array of u64", U64; [i64]: "array of i64", I64;
    [f32]: "array of f32", F32; [f64]: "array of f64", F64; [bool]: "array of bool", Bool;
    StringArray: "array of string", Str);

impl FromValue<'_> for f64 {
    fn from_value(key: &str, value: &Value) -> Result<Self, GgufError> {
        match value {
            Value::F32(v) => Ok(Self::from(*v)),
            Value::F64(v) => Ok(*v),
            _ => Err(wrong_type(key, "f64", value)),
        }
    }
}

fn wrong_type(key: &str, expected: &'static str, value: &Value) -> GgufError {
    GgufError::WrongType { key: key.into(), expected, found: value.type_name() }
}

fn out_of_range(key: &str, expected: &'static str, found: i128) -> GgufError {
    GgufError::OutOfRange { key: key.into(), expected, found }
}
