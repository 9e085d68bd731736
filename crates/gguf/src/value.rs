use crate::StringArray;

macro_rules! value_types {
    ($($name:ident = $id:literal, $text:literal, $array:literal;)*) => {
        /// Type of a metadata value, with the ids of the file format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names say it")]
        pub enum ValueType {
            $($name,)*
        }

        impl ValueType {
            /// Every type, in the order of the ids.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The type with this id, or `None`.
            pub fn from_id(id: u32) -> Option<Self> {
                match id {
                    $($id => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The id in a file.
            pub fn id(self) -> u32 {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// A name for messages, e.g. `u32`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// A name for messages for an array of this type, e.g. `array of u32`.
            pub fn array_name(self) -> &'static str {
                match self {
                    $(Self::$name => $array,)*
                }
            }
        }
    };
}

value_types! {
    U8 = 0, "u8", "array of u8";
    I8 = 1, "i8", "array of i8";
    U16 = 2, "u16", "array of u16";
    I16 = 3, "i16", "array of i16";
    U32 = 4, "u32", "array of u32";
    I32 = 5, "i32", "array of i32";
    F32 = 6, "f32", "array of f32";
    Bool = 7, "bool", "array of bool";
    Str = 8, "string", "array of string";
    Array = 9, "array", "array of arrays";
    U64 = 10, "u64", "array of u64";
    I64 = 11, "i64", "array of i64";
    F64 = 12, "f64", "array of f64";
}

/// One metadata value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Value {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    Str(Box<str>),
    Array(Box<Array>),
    U64(u64),
    I64(i64),
    F64(f64),
}

/// A metadata array; all elements have one type and are never arrays themselves.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Array {
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    F32(Vec<f32>),
    Bool(Vec<bool>),
    Str(StringArray),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F64(Vec<f64>),
}

impl Value {
    /// Type of the value.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::U8(_) => ValueType::U8,
            Self::I8(_) => ValueType::I8,
            Self::U16(_) => ValueType::U16,
            Self::I16(_) => ValueType::I16,
            Self::U32(_) => ValueType::U32,
            Self::I32(_) => ValueType::I32,
            Self::F32(_) => ValueType::F32,
            Self::Bool(_) => ValueType::Bool,
            Self::Str(_) => ValueType::Str,
            Self::Array(_) => ValueType::Array,
            Self::U64(_) => ValueType::U64,
            Self::I64(_) => ValueType::I64,
            Self::F64(_) => ValueType::F64,
        }
    }

    /// Name of the type for messages; an array names its elements.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Array(array) => array.element_type().array_name(),
            _ => self.value_type().name(),
        }
    }

    /// The value of any integer type, or `None`.
    pub fn as_int(&self) -> Option<i128> {
        match *self {
            Self::U8(v) => Some(v.into()),
            Self::I8(v) => Some(v.into()),
            Self::U16(v) => Some(v.into()),
            Self::I16(v) => Some(v.into()),
            Self::U32(v) => Some(v.into()),
            Self::I32(v) => Some(v.into()),
            Self::U64(v) => Some(v.into()),
            Self::I64(v) => Some(v.into()),
            _ => None,
        }
    }
}

impl Array {
    /// Type of the elements.
    pub fn element_type(&self) -> ValueType {
        match self {
            Self::U8(_) => ValueType::U8,
            Self::I8(_) => ValueType::I8,
            Self::U16(_) => ValueType::U16,
            Self::I16(_) => ValueType::I16,
            Self::U32(_) => ValueType::U32,
            Self::I32(_) => ValueType::I32,
            Self::F32(_) => ValueType::F32,
            Self::Bool(_) => ValueType::Bool,
            Self::Str(_) => ValueType::Str,
            Self::U64(_) => ValueType::U64,
            Self::I64(_) => ValueType::I64,
            Self::F64(_) => ValueType::F64,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::I16(v) => v.len(),
            Self::U32(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Str(v) => v.len(),
            Self::U64(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of any integer type as `T`: `None` for other types, `Some(Err(element))` for the first
    /// element that does not fit `T`.
    pub fn to_ints<T: TryFrom<i128>>(&self) -> Option<Result<Vec<T>, i128>> {
        fn convert<S: Copy + Into<i128>, T: TryFrom<i128>>(elements: &[S]) -> Result<Vec<T>, i128> {
            elements.iter().map(|&e| T::try_from(e.into()).map_err(|_| e.into())).collect()
        }
        match self {
            Self::U8(v) => Some(convert(v)),
            Self::I8(v) => Some(convert(v)),
            Self::U16(v) => Some(convert(v)),
            Self::I16(v) => Some(convert(v)),
            Self::U32(v) => Some(convert(v)),
            Self::I32(v) => Some(convert(v)),
            Self::U64(v) => Some(convert(v)),
            Self::I64(v) => Some(convert(v)),
            Self::F32(_) | Self::Bool(_) | Self::Str(_) | Self::F64(_) => None,
        }
    }
}

macro_rules! from_plain {
    ($($variant:ident: $type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }

        impl From<Vec<$type>> for Value {
            fn from(values: Vec<$type>) -> Self {
                Self::Array(Box::new(Array::$variant(values)))
            }
        }
    )*};
}
from_plain!(U8: u8, I8: i8, U16: u16, I16: i16, U32: u32, I32: i32, F32: f32, Bool: bool, U64: u64, I64: i64, F64: f64);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<StringArray> for Value {
    fn from(strings: StringArray) -> Self {
        Self::Array(Box::new(Array::Str(strings)))
    }
}
