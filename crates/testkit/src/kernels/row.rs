//! The table `tests/kernels.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::compare::Limit;
use super::random::Random;

/// The table.
#[derive(Debug)]
pub struct Rows {
    /// Tolerances by name.
    pub limits: BTreeMap<String, Limit>,
    /// One per case.
    pub rows: Vec<Row>,
}

/// One case: an operation and its sizes.
#[derive(Clone, Debug)]
pub struct Row {
    /// Operation.
    pub op: String,
    /// Name of the tolerance of floats.
    pub limit: String,
    /// Name of the tolerance of floats of the twins against the formula, which a form may compute with less precision than
    /// devices agree to.
    pub formula: String,
    /// Name of the tolerance of halves.
    pub halves: String,
    /// Profiles, each `core` or `software` and then forced entries: `core matmul_many=tile`.
    pub profiles: Vec<String>,
    shape: Table,
}

/// What is wrong with the table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not such a table.
    #[error("tests/kernels.toml: {0}")]
    Table(#[from] toml::de::Error),
    /// A row has a key too many or too few, or names what does not exist.
    #[error("row `{row}`: {what}")]
    Row {
        /// The row.
        row: String,
        /// What is wrong.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    limit: BTreeMap<String, Limit>,
    row: Vec<RawRow>,
}

#[derive(Deserialize)]
struct RawRow {
    op: String,
    #[serde(default = "elementwise")]
    limit: String,
    /// The same as `limit` unless said otherwise.
    formula: Option<String>,
    #[serde(default = "halves")]
    halves: String,
    #[serde(default = "both")]
    profiles: Vec<String>,
    /// Keys with a list of values each: one row for every combination.
    #[serde(default)]
    each: Table,
    #[serde(flatten)]
    shape: Table,
}

fn elementwise() -> String {
    "elementwise".into()
}

fn halves() -> String {
    "halves".into()
}

fn both() -> Vec<String> {
    vec!["core".into(), "software".into()]
}

impl Rows {
    /// Reads the table of this repository.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn read() -> Result<Self, RowError> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/kernels.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| RowError::Io { path, error })?;
        let file: File = toml::from_str(&text)?;
        let mut rows = Vec::new();
        for raw in file.row {
            let base = Row {
                op: raw.op,
                formula: raw.formula.unwrap_or_else(|| raw.limit.clone()),
                limit: raw.limit,
                halves: raw.halves,
                profiles: raw.profiles,
                shape: raw.shape,
            };
            let mut combinations = vec![base];
            for (key, values) in raw.each {
                let Value::Array(values) = values else {
                    return Err(combinations[0].wrong(format!("each.{key} is not a list")));
                };
                let with = |row: &Row, value: &Value| {
                    let mut row = row.clone();
                    row.shape.insert(key.clone(), value.clone());
                    row
                };
                combinations =
                    combinations.iter().flat_map(|row| values.iter().map(|v| with(row, v))).collect();
            }
            rows.extend(combinations);
        }
        for row in &rows {
            for limit in [&row.limit, &row.formula, &row.halves] {
                if !file.limit.contains_key(limit) {
                    return Err(row.wrong(format!("there is no limit `{limit}`")));
                }
            }
        }
        Ok(Self { limits: file.limit, rows })
    }
}

impl Row {
    /// The row in one line.
    #[must_use]
    pub fn title(&self) -> String {
        let shape: Vec<String> = self.shape.iter().map(|(k, v)| format!("{k}={v}")).collect();
        format!("{} {}", self.op, shape.join(" "))
    }

    /// The operation's own keys.
    ///
    /// # Errors
    /// [`RowError::Row`].
    pub fn shape<T: DeserializeOwned>(&self) -> Result<T, RowError> {
        self.shape.clone().try_into().map_err(|e: toml::de::Error| self.wrong(e.message().to_owned()))
    }

    /// Contents that depend on nothing but this row.
    #[must_use]
    pub fn random(&self) -> Random {
        Random::of(&self.title())
    }

    /// An error about this row.
    #[must_use]
    pub fn wrong(&self, what: impl Into<String>) -> RowError {
        RowError::Row { row: self.title(), what: what.into() }
    }
}
