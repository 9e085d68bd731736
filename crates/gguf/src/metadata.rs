use crate::index::NameIndex;
use crate::{Array, FromValue, GgufError, StringArray, Value};

/// The key-value pairs of a file, in file order, with lookup by key.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    keys: StringArray,
    values: Vec<Value>,
    index: NameIndex,
}

impl Metadata {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The pairs in file order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.keys.iter().map(|key| std::str::from_utf8(key).unwrap_or_default()).zip(&self.values)
    }

    /// The value under `key`, or `None`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let position = self.index.find(key.as_bytes(), |i| name_of(&self.keys, i))?;
        self.values.get(position)
    }

    /// The value under `key` as `T`, or `None` when the key is absent.
    ///
    /// # Errors
    /// [`GgufError::WrongType`], and [`GgufError::OutOfRange`] for an integer that does not fit `T`.
    pub fn get_opt<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<Option<T>, GgufError> {
        self.get(key).map(|value| T::from_value(key, value)).transpose()
    }

    /// The value under `key` as `T`.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`] and those of [`get_opt`](Self::get_opt).
    pub fn get_as<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<T, GgufError> {
        self.get_opt(key)?.ok_or_else(|| GgufError::MissingKey { key: key.into() })
    }

    /// An integer of any type that fits. Errors: see [`get_as`](Self::get_as).
    pub fn get_u32(&self, key: &str) -> Result<u32, GgufError> {
        self.get_as(key)
    }

    /// An integer of any type that fits. Errors: see [`get_as`](Self::get_as).
    pub fn get_i32(&self, key: &str) -> Result<i32, GgufError> {
        self.get_as(key)
    }

    /// An integer of any type that fits. Errors: see [`get_as`](Self::get_as).
    pub fn get_u64(&self, key: &str) -> Result<u64, GgufError> {
        self.get_as(key)
    }

    /// A 32-bit float. Errors: see [`get_as`](Self::get_as).
    pub fn get_f32(&self, key: &str) -> Result<f32, GgufError> {
        self.get_as(key)
    }

    /// A boolean. Errors: see [`get_as`](Self::get_as).
    pub fn get_bool(&self, key: &str) -> Result<bool, GgufError> {
        self.get_as(key)
    }

    /// A string. Errors: see [`get_as`](Self::get_as).
    pub fn get_str(&self, key: &str) -> Result<&str, GgufError> {
        self.get_as(key)
    }

    /// An array of any type. Errors: see [`get_as`](Self::get_as).
    pub fn get_array(&self, key: &str) -> Result<&Array, GgufError> {
        self.get_as(key)
    }

    /// An array of strings. Errors: see [`get_as`](Self::get_as).
    pub fn get_strings(&self, key: &str) -> Result<&StringArray, GgufError> {
        self.get_as(key)
    }

    /// Takes over pairs in file order; a key that occurs twice is an error.
    pub(crate) fn new(keys: StringArray, values: Vec<Value>) -> Result<Self, GgufError> {
        match NameIndex::new(values.len(), |i| name_of(&keys, i)) {
            Ok(index) => Ok(Self { keys, values, index }),
            Err(twice) => {
                let key = String::from_utf8_lossy(name_of(&keys, twice)).into_owned();
                Err(GgufError::DuplicateKey { key })
            }
        }
    }
}

fn name_of(keys: &StringArray, i: u32) -> &[u8] {
    usize::try_from(i).ok().and_then(|i| keys.get(i)).unwrap_or_default()
}
