//! Files short enough to read in one go.

use super::Tree;
use std::collections::BTreeMap;

/// Longest file in lines, by extension.
const LIMITS: &[(&str, usize)] = &[(".rs", 800), (".wgsl", 300)];
/// `path: reason`, one a line: the files that may be longer.
const ALLOWED: &str = "xtask/size-allow.txt";

/// No file is longer than its kind's limit, unless the list says why; no line of the list is idle.
pub fn short(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    let mut allowed = BTreeMap::new();
    for line in tree.get(ALLOWED).unwrap_or_default().lines().filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        match line.split_once(": ") {
            Some((path, reason)) if !reason.trim().is_empty() => {
                allowed.insert(path, false);
            }
            _ => out.push(format!("{ALLOWED}: `{line}` gives no reason")),
        }
    }
    for (path, text) in tree.files().filter(|(path, _)| *path != crate::shaders::GENERATED) {
        let Some((_, limit)) = LIMITS.iter().find(|(extension, _)| path.ends_with(extension)) else {
            continue;
        };
        let n = text.lines().count();
        if n <= *limit {
            continue;
        }
        match allowed.get_mut(path) {
            Some(used) => *used = true,
            None => out.push(format!("{path}: {n} lines exceed {limit}")),
        }
    }
    let idle = allowed.iter().filter(|(_, used)| !**used);
    out.extend(idle.map(|(path, _)| format!("{ALLOWED}: {path} is not too long")));
    out
}
