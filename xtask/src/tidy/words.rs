//! What no file says, and what no file is called.

use super::Tree;

/// Names that say nothing of what a file holds.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "misc", "common", "manager", "stuff"];

/// In pieces, so that this file does not match itself.
const FORBIDDEN: &[(&[&str], &str)] = &[
    (&["/wo", "rk/"], "a path of one machine"),
    (&["/ro", "ot/"], "a path of one machine"),
    (&["/tm", "p/"], "a path of one machine: ask for the temporary folder"),
    (&["/ho", "me/"], "a path of one machine"),
    (&["/Use", "rs/"], "a path of one machine"),
    (&["TO", "DO"], "do it, or open an issue"),
    (&["FIX", "ME"], "fix it, or open an issue"),
    (&["#[ign", "ore"], "a test that does not run proves nothing: print why it is skipped"),
    (&["deb.debian", ".org"], "the name of a registry's host"),
    (&["index.crates", ".io"], "the name of a registry's host"),
    (&["static.crates", ".io"], "the name of a registry's host"),
    (&["files.python", "hosted.org"], "the name of a registry's host"),
    (&["pypi", ".org"], "the name of a registry's host"),
    (&["registry.npm", "js.org"], "the name of a registry's host"),
    (&["the br", "ief says"], "the project speaks of itself alone"),
];

/// No machine's paths, no registries' hosts, no work left undone.
pub fn words(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for (path, text) in tree.files() {
        for (number, line) in (1..).zip(text.lines()) {
            for (pieces, why) in FORBIDDEN {
                let word = pieces.concat();
                if line.contains(&word) {
                    out.push(format!("{path}:{number}: `{word}`: {why}"));
                }
            }
        }
    }
    out
}

/// A module is called after the thing that it holds.
pub fn names(tree: &Tree) -> Vec<String> {
    let stem = |path: &str| path.rsplit('/').next().and_then(|n| n.split('.').next()).map(str::to_owned);
    tree.shipped()
        .filter(|(path, _)| stem(path).is_some_and(|s| EMPTY_NAMES.contains(&s.as_str())))
        .map(|(path, _)| format!("{path}: call the file after what it holds"))
        .collect()
}
