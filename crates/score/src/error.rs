//! The crate's error type.

/// Numbers that cannot be worked with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// There is nothing to work on.
    #[error("{what}: none were given")]
    Empty {
        /// What there has to be.
        what: &'static str,
    },
    /// Lists that belong together differ in length.
    #[error("{what}: {found} values where {expected} are expected")]
    Lengths {
        /// What the values are.
        what: &'static str,
        /// Values given.
        found: usize,
        /// Values expected.
        expected: usize,
    },
    /// A value is not finite, or outside its range.
    #[error("{what} = {value} is not allowed; allowed: {allowed}")]
    Range {
        /// What the value is.
        what: &'static str,
        /// The value, as text.
        value: String,
        /// The range, in words.
        allowed: &'static str,
    },
}

impl ScoreError {
    pub(crate) fn range(what: &'static str, value: impl ToString, allowed: &'static str) -> Self {
        Self::Range { what, value: value.to_string(), allowed }
    }
}

/// Refuses an empty list.
pub(crate) fn some<T>(what: &'static str, values: &[T]) -> Result<(), ScoreError> {
    if values.is_empty() { Err(ScoreError::Empty { what }) } else { Ok(()) }
}

/// Refuses a list of another length.
pub(crate) fn as_many(what: &'static str, found: usize, expected: usize) -> Result<(), ScoreError> {
    if found == expected { Ok(()) } else { Err(ScoreError::Lengths { what, found, expected }) }
}

/// Refuses values that are no probabilities.
pub(crate) fn probabilities(what: &'static str, values: &[f64]) -> Result<(), ScoreError> {
    some(what, values)?;
    match values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        Some(value) => Err(ScoreError::range(what, value, "0 to 1")),
        None => Ok(()),
    }
}

/// Refuses rows that are not all as long as the first, or hold something else than probabilities. Returns their length.
pub(crate) fn rows(what: &'static str, rows: &[Vec<f64>]) -> Result<usize, ScoreError> {
    let n = rows.first().map_or(0, Vec::len);
    some(what, rows)?;
    for row in rows {
        as_many(what, row.len(), n)?;
        probabilities(what, row)?;
    }
    Ok(n)
}
