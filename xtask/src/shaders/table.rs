//! `shaders/kernels.toml`: which kernels there are, and the variants each one multiplies into.

use super::ShaderError;
use super::condition::Flags;
use super::reflect::Feature;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

/// One `[[kernel]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// Name of the kernel and, unless `file` says otherwise, of `shaders/<name>.wgsl`.
    pub name: String,
    /// Another file, relative to `shaders/`.
    pub file: Option<String>,
    /// The CPU twin, `crates/kernels/src/cpu/<twin>.rs`, where a family of kernels shares one.
    pub twin: Option<String>,
    /// The operation that dispatches it, `crates/kernels/src/ops/<op>.rs`, where it is not called as the twin is.
    pub op: Option<String>,
    /// Axes: `format = ["q4", "q8"]` sets FORMAT_Q4 or FORMAT_Q8, `bias = [false, true]` sets BIAS or nothing.
    #[serde(default)]
    variants: Table,
    /// Combinations that make no sense: a variant that has all the values of one entry is left out.
    #[serde(default)]
    except: Vec<Table>,
    /// Optional features that a variant may use.
    #[serde(default)]
    pub needs: Vec<Feature>,
    /// Values for overrides without a default, used to validate and to state the default workgroup.
    #[serde(default)]
    pub values: BTreeMap<String, f64>,
}

/// One WGSL text to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// `matmul_vec_q4`.
    pub name: String,
    /// The flags it sets.
    pub flags: BTreeSet<String>,
    /// `format = "q4"`, for the generated documentation.
    pub axes: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    kernel: Vec<Kernel>,
}

/// Reads the table.
///
/// # Errors
/// If the file cannot be read, has an unknown key, or names a kernel twice.
pub fn read(path: &Path) -> Result<Vec<Kernel>, ShaderError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ShaderError::Io { path: path.to_owned(), error })?;
    parse(&text)
}

/// As [`read`], from text.
///
/// # Errors
/// If the text has an unknown key or names a kernel twice.
pub fn parse(text: &str) -> Result<Vec<Kernel>, ShaderError> {
    let file: File = toml::from_str(text).map_err(|e| ShaderError::Table(e.to_string()))?;
    let mut names = BTreeSet::new();
    for kernel in &file.kernel {
        if !is_identifier(&kernel.name) {
            return Err(ShaderError::Table(format!("`{}` is not a lower-case identifier", kernel.name)));
        }
        for variant in kernel.variants()? {
            if !names.insert(variant.name.clone()) {
                return Err(ShaderError::Table(format!("two shaders are called `{}`", variant.name)));
            }
        }
    }
    Ok(file.kernel)
}

/// Every flag that some variant sets.
///
/// # Errors
/// As [`Kernel::variants`].
pub fn known_flags(kernels: &[Kernel]) -> Result<BTreeSet<String>, ShaderError> {
    let mut known = BTreeSet::new();
    for kernel in kernels {
        known.extend(kernel.variants()?.into_iter().flat_map(|v| v.flags));
    }
    Ok(known)
}

impl Kernel {
    /// Its WGSL file, relative to `shaders/`.
    pub fn file(&self) -> String {
        self.file.clone().unwrap_or_else(|| format!("{}.wgsl", self.name))
    }

    /// Its CPU twin's file name, without folder and extension.
    pub fn twin(&self) -> &str {
        self.twin.as_deref().unwrap_or(&self.name)
    }

    /// Its operation's file name, without folder and extension.
    pub fn op(&self) -> &str {
        self.op.as_deref().unwrap_or(self.twin())
    }

    /// All combinations of its axes, in the order of the table.
    ///
    /// # Errors
    /// If an axis is not a list of lower-case identifiers or booleans, or `except` leaves nothing.
    pub fn variants(&self) -> Result<Vec<Variant>, ShaderError> {
        let fail = |what: String| ShaderError::Table(format!("kernel `{}`: {what}", self.name));
        let mut picks = vec![Vec::<(&str, &Value)>::new()];
        for (axis, values) in &self.variants {
            let values = values.as_array().filter(|v| !v.is_empty());
            let values = values.ok_or_else(|| fail(format!("axis `{axis}` is not a list of values")))?;
            for value in values {
                if !value.is_bool() && !value.as_str().is_some_and(is_identifier) {
                    return Err(fail(format!(
                        "axis `{axis}` has the value {value}: use a lower-case name or a boolean"
                    )));
                }
            }
            picks = picks
                .iter()
                .flat_map(|pick| values.iter().map(|v| [pick.as_slice(), &[(axis.as_str(), v)]].concat()))
                .collect();
        }
        for (key, value) in self.except.iter().flatten() {
            let listed = self.variants.get(key).and_then(Value::as_array).is_some_and(|v| v.contains(value));
            if !listed {
                return Err(fail(format!("`except` names {key} = {value}, which is no variant")));
            }
        }
        let left_out = |pick: &[(&str, &Value)]| {
            self.except
                .iter()
                .any(|e| e.iter().all(|(key, value)| pick.iter().any(|&(k, v)| k == key && v == value)))
        };
        picks.retain(|pick| !left_out(pick));
        if picks.is_empty() {
            return Err(fail("`except` leaves no variant".into()));
        }
        Ok(picks.iter().map(|pick| self.variant(pick)).collect())
    }

    /// The flags of one variant within all that are known.
    pub fn flags(variant: &Variant, known: &BTreeSet<String>) -> Flags {
        Flags { on: variant.flags.clone(), known: known.clone() }
    }

    fn variant(&self, pick: &[(&str, &Value)]) -> Variant {
        let mut variant = Variant { name: self.name.clone(), flags: BTreeSet::new(), axes: String::new() };
        for (axis, value) in pick {
            let (suffix, flag) = match value {
                Value::Boolean(false) => continue,
                Value::String(s) => (s.as_str(), format!("{axis}_{s}")),
                _ => (*axis, (*axis).to_owned()),
            };
            variant.name = format!("{}_{suffix}", variant.name);
            variant.flags.insert(flag.to_uppercase());
            let comma = if variant.axes.is_empty() { "" } else { ", " };
            variant.axes += &format!("{comma}{axis} = {value}");
        }
        variant
    }
}

fn is_identifier(s: &str) -> bool {
    s.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
