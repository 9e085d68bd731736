//! The shader table: `shaders/**/*.wgsl` and `shaders/kernels.toml` to `crates/kernels/src/generated.rs`.
//!
//! The dialect is WGSL with two directives, both a subset of WESL's:
//!
//! * `import common/numeric;` puts `shaders/common/numeric.wgsl` in place, once per shader, recursively;
//! * `@if(FLAG)`, `@elif(A && !B)`, `@else` before a declaration, import, statement, block, struct member or
//!   parameter keep it or leave it out. Flags come from the variants in `kernels.toml`.
//!
//! No text is ever pasted together from strings. What a variant's entry point does not reach is left out.

mod condition;
mod emit;
mod expand;
mod reflect;
mod scan;
pub mod table;

use emit::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where the table lies in the repository.
pub const TABLE: &str = "shaders/kernels.toml";
/// Where the generated module lies in the repository.
pub const GENERATED: &str = "crates/kernels/src/generated.rs";

/// Why there is no shader table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShaderError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// `kernels.toml` makes no sense.
    #[error("{TABLE}: {0}")]
    Table(String),
    /// A line of a shader's source is wrong.
    #[error("shaders/{file}:{line}: {message}")]
    Source {
        /// Relative to `shaders/`.
        file: String,
        /// 1-based.
        line: usize,
        /// One sentence.
        message: String,
    },
    /// A shader as a whole breaks a rule.
    #[error("{0}")]
    Rule(String),
    /// `generated.rs` is not what the sources give.
    #[error("{GENERATED} is stale: run `cargo xtask gen`")]
    Stale,
    /// Every variant that failed, grouped by cause.
    #[error("{0}")]
    Variants(Failures),
}

impl ShaderError {
    fn source(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self::Source { file: file.to_owned(), line, message: message.into() }
    }
}

/// Causes, each with the variants that it breaks.
#[derive(Debug, Default)]
pub struct Failures(BTreeMap<String, Vec<String>>);

impl Failures {
    fn add(&mut self, cause: String, variant: &str) {
        self.0.entry(cause).or_default().push(variant.to_owned());
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (cause, variants)) in self.0.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            let first = variants.first().map_or("", String::as_str);
            let others = variants.len().saturating_sub(1);
            let more = if others == 0 { String::new() } else { format!(" and {others} more") };
            write!(f, "{newline}{cause} [{first}{more}]")?;
        }
        Ok(())
    }
}

/// What the shaders below a root folder give.
#[derive(Debug)]
pub struct Generated {
    /// The text of `generated.rs`: every shader that is valid.
    pub module: String,
    /// The same as JSON, a list of `{name, needs, wgsl}`: for compilers other than naga to judge.
    pub json: String,
    /// One line that sums it up.
    pub summary: String,
    /// The shaders that are not.
    pub failures: Failures,
}

/// Expands, validates and reflects every variant of every kernel below `root`.
///
/// # Errors
/// If the table itself is not valid.
pub fn generate(root: &Path) -> Result<Generated, ShaderError> {
    let kernels = table::read(&root.join(TABLE))?;
    let known = table::known_flags(&kernels)?;
    let (mut entries, mut failures) = (Vec::new(), Failures::default());
    for kernel in &kernels {
        let (mut used, mut complete) = (Vec::new(), true);
        for variant in kernel.variants()? {
            match entry(root, kernel, variant.clone(), &known) {
                Ok(entry) => {
                    used.extend(entry.reflection.needs.iter().copied());
                    entries.push(entry);
                }
                Err(error) => {
                    complete = false;
                    failures.add(error.to_string(), &variant.name);
                }
            }
        }
        if let Some(extra) = kernel.needs.iter().find(|&n| complete && !used.contains(n)) {
            failures.add(format!("{TABLE}: `needs` has {extra:?}, which no variant uses"), &kernel.name);
        }
    }
    entries.sort_by(|a, b| a.variant.name.cmp(&b.variant.name));
    let mut texts = BTreeMap::new();
    for entry in &entries {
        if let Some(twin) = texts.insert(&entry.wgsl, &entry.variant.name) {
            let cause = format!("{TABLE}: the same text as `{twin}`: a flag that changes nothing");
            failures.add(cause, &entry.variant.name);
        }
    }
    let bytes: usize = entries.iter().map(|e| e.wgsl.len()).sum();
    let summary = format!("{} kernels, {} shaders, {bytes} bytes of WGSL", kernels.len(), entries.len());
    Ok(Generated { module: emit::module(&entries), json: emit::json(&entries), summary, failures })
}

/// Writes the generated module, or with `check` only compares it. Returns a line that sums it up.
///
/// A shader that fails does not keep the others from being written.
///
/// # Errors
/// As [`generate`]; if a shader fails; if the file is stale, or cannot be read or written.
pub fn run(root: &Path, check: bool) -> Result<String, ShaderError> {
    let path = root.join(GENERATED);
    let Generated { module, mut summary, failures, .. } = generate(root)?;
    let io = |error| ShaderError::Io { path: path.clone(), error };
    let old = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(io)?,
    };
    if old != module && !check {
        std::fs::write(&path, &module).map_err(io)?;
        summary += &format!(": {GENERATED} written");
    }
    if !failures.0.is_empty() {
        return Err(ShaderError::Variants(failures));
    }
    if old != module && check {
        return Err(ShaderError::Stale);
    }
    Ok(summary)
}

fn entry(
    root: &Path,
    kernel: &table::Kernel,
    variant: table::Variant,
    known: &BTreeSet<String>,
) -> Result<Entry, ShaderError> {
    let flags = table::Kernel::flags(&variant, known);
    let whole = expand::expand(&root.join("shaders"), &kernel.file(), &flags)?;
    reflect::validate(&whole)?; // an unused helper with a mistake is a mistake too
    let code = whole.shaken();
    let reflection = reflect::reflect(&code, &kernel.values)?;
    if let Some(extra) = reflection.needs.iter().find(|n| !kernel.needs.contains(n)) {
        return Err(ShaderError::Rule(format!("{TABLE}: uses {extra:?}, which `needs` does not list")));
    }
    let header: String = reflection.needs.iter().map(|n| n.directive()).collect();
    let wgsl = header + &code.text();
    if wgsl.contains('"') {
        return Err(ShaderError::Rule("has a quotation mark, which WGSL has no use for".into()));
    }
    Ok(Entry { kernel: kernel.name.clone(), variant, reflection, wgsl })
}

/// 1-based line of a byte offset.
fn source_line(source: &str, at: usize) -> usize {
    source.bytes().take(at).filter(|&b| b == b'\n').count() + 1
}
