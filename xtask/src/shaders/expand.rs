//! From a kernel's file to one WGSL text: conditions resolved, imports in place, every line knowing its origin.

use super::condition::{self, Fault, Flags};
use super::scan::{self, Token};
use super::{ShaderError, source_line};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// WGSL text whose lines remember the file and line they came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Expanded {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    file: String,
    number: usize,
    text: String,
}

impl Expanded {
    /// The whole text, one `\n` after each line.
    pub(super) fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }

    /// File and line of the source that became 1-based line `number` of the text.
    pub(super) fn origin(&self, number: usize) -> Option<(&str, usize)> {
        let line = self.lines.get(number.checked_sub(1)?)?;
        Some((&line.file, line.number))
    }

    /// Drops what nothing reachable from the entry point or the host (bindings, overrides) names, then blank lines
    /// and deep indentation: the text ships inside the wasm binary.
    #[must_use]
    pub(super) fn shaken(&self) -> Self {
        let text = self.text();
        let tokens = scan::tokens(&text);
        let items = items(&text, &tokens);
        let mut by_name = BTreeMap::<&str, Vec<usize>>::new();
        for (i, item) in items.iter().enumerate() {
            by_name.entry(item.name).or_default().push(i);
        }
        let mut live = BTreeSet::new();
        let mut queue: Vec<usize> =
            items.iter().enumerate().filter(|(_, item)| item.root).map(|(i, _)| i).collect();
        while let Some(i) = queue.pop() {
            if live.insert(i) {
                for token in &tokens[items[i].first..items[i].end] {
                    queue.extend(by_name.get(token.text(&text)).into_iter().flatten());
                }
            }
        }
        let mut bytes = text.clone().into_bytes();
        for (i, item) in items.iter().enumerate() {
            if !live.contains(&i) {
                scan::blank(&mut bytes, tokens[item.first].start..tokens[item.end - 1].end);
            }
        }
        let kept = String::from_utf8_lossy(&bytes);
        let lines = self.lines.iter().zip(kept.lines()).filter(|(_, text)| !text.trim().is_empty());
        let lines = lines.map(|(line, text)| Line { text: narrow(text), ..line.clone() });
        Self { lines: lines.collect() }
    }

    /// Every identifier and number of the text.
    pub(super) fn words(&self) -> BTreeSet<String> {
        let text = self.text();
        scan::tokens(&text).iter().map(|t| t.text(&text).to_owned()).collect()
    }
}

/// Reads `file` (relative to `shaders`) and all it imports.
///
/// # Errors
/// If a file cannot be read or its conditions or imports cannot be resolved.
pub(super) fn expand(shaders: &Path, file: &str, flags: &Flags) -> Result<Expanded, ShaderError> {
    let mut state = State { shaders, flags, seen: BTreeSet::new(), out: Expanded::default() };
    state.file(file, None)?;
    Ok(state.out)
}

struct State<'a> {
    shaders: &'a Path,
    flags: &'a Flags,
    seen: BTreeSet<String>,
    out: Expanded,
}

impl State<'_> {
    fn file(&mut self, file: &str, importer: Option<(&str, usize)>) -> Result<(), ShaderError> {
        if !self.seen.insert(file.to_owned()) {
            return Ok(());
        }
        let path: PathBuf = self.shaders.join(file);
        let source = std::fs::read_to_string(&path).map_err(|error| match importer {
            Some((importer, line)) => {
                ShaderError::source(importer, line, format!("cannot import {file}: {error}"))
            }
            None => ShaderError::Io { path: path.clone(), error },
        })?;
        let place = |fault: Fault| ShaderError::source(file, source_line(&source, fault.at), fault.message);
        let kept = condition::resolve(&scan::blank_comments(&source), self.flags).map_err(place)?;
        let (body, imports) = take_imports(&kept).map_err(place)?;
        for (path, at) in imports {
            self.file(&format!("{path}.wgsl"), Some((file, source_line(&source, at))))?;
        }
        for (number, text) in (1..).zip(body.lines()) {
            if !text.trim().is_empty() {
                self.out.lines.push(Line { file: file.to_owned(), number, text: text.trim_end().to_owned() });
            }
        }
        Ok(())
    }
}

/// Blanks `import a/b;` lines and returns their paths, with their offsets; refuses directives that the generator writes.
fn take_imports(source: &str) -> Result<(String, Vec<(String, usize)>), Fault> {
    let tokens = scan::tokens(source);
    let mut bytes = source.as_bytes().to_vec();
    let mut imports = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let token = tokens[i];
        let end = scan::statement_end(source, &tokens, i)
            .ok_or_else(|| Fault::new(token.start, "this declaration does not end"))?;
        match token.text(source) {
            "import" => {
                let path: String = tokens[i + 1..end - 1].iter().map(|t| t.text(source)).collect();
                let plain = path.split('/').all(|part| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                });
                if !plain {
                    return Err(Fault::new(token.start, "write `import folder/file;`, without .wgsl"));
                }
                imports.push((path, token.start));
                scan::blank(&mut bytes, token.start..tokens[end - 1].end);
            }
            word @ ("enable" | "requires") => {
                let message = format!("`{word}` is written by the generator: list the feature under `needs`");
                return Err(Fault::new(token.start, message));
            }
            _ => {}
        }
        if let Some(word) = tokens[i..end].iter().find(|t| t.text(source) == "diagnostic") {
            return Err(Fault::new(word.start, "no diagnostic may be turned off"));
        }
        i = end;
    }
    Ok((String::from_utf8_lossy(&bytes).into_owned(), imports))
}

struct Item<'a> {
    name: &'a str,
    first: usize,
    end: usize,
    root: bool,
}

fn items<'a>(text: &'a str, tokens: &[Token]) -> Vec<Item<'a>> {
    let mut out = Vec::new();
    let mut first = 0;
    while let Some(end) = scan::statement_end(text, tokens, first) {
        let (mut i, mut root) = (first, false);
        while tokens[i].is(b'@') {
            root |= matches!(tokens[i + 1].text(text), "compute" | "group");
            i += 2;
            if tokens[i].is(b'(') {
                i = scan::group_end(tokens, i).unwrap_or(end);
            }
        }
        let kind = tokens[i].text(text);
        i += 1;
        if kind == "var" && tokens[i].is(b'<') {
            i += tokens[i..end].iter().position(|t| t.is(b'>')).map_or(0, |n| n + 1);
        }
        root |= matches!(kind, "override" | "const_assert" | ";");
        out.push(Item { name: tokens.get(i).map_or("", |t| t.text(text)), first, end, root });
        first = end;
    }
    out
}

/// Half the indentation is enough to read by.
fn narrow(text: &str) -> String {
    let body = text.trim_start();
    let indent = (text.len() - body.len()) / 2;
    format!("{}{}", " ".repeat(indent), body.trim_end())
}
