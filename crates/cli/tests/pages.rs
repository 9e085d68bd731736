//! The pages of `docs/methods`: one for each method that the build has, all of the same parts, with links that lead somewhere
//! and commands that are understood. What `goldcrest sample` prints on a page is printed again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod process;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use goldcrest::decode::Method;
use goldcrest::decode::speculate::Speculate;
use goldcrest::sample::Chain;

/// Parts of a page, in order.
const PARTS: [&str; 7] = ["Picture", "When", "Cost", "Try it", "Parameters", "Identity", "Paper"];

/// Methods that no list of names in the code holds: calls of their own, and options of `score`.
const UNLISTED: &[&str] = &[
    "score",
    "mutual_information",
    "calibration_by_marginalisation",
    "contextual_calibration",
    "pmi",
    "self_ensembling",
    "multi_prompt",
    "calibration_maps",
    "json_schema",
    "regex",
    "grammar",
    "tools",
    "monitors",
    "record",
    "drift",
];

struct Page {
    path: PathBuf,
    /// The file's name without its ending.
    name: String,
    text: String,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        Self { path, name, text }
    }

    /// The lines of fenced blocks, each with the word behind its fence; the others under no word.
    fn blocks(&self) -> Vec<(&str, String)> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            if let Some(kind) = line.strip_prefix("```") {
                let inner: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                blocks.push((kind, inner.join("\n")));
            }
        }
        blocks
    }

    /// The text without what stands in fences.
    fn prose(&self) -> String {
        let mut fenced = false;
        let outside = |line: &&str| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        };
        self.text.lines().filter(outside).collect::<Vec<_>>().join("\n")
    }

    /// Commands, each with what the page says that it prints.
    fn commands(&self) -> Vec<(String, Option<String>)> {
        let blocks = self.blocks();
        let mut commands = Vec::new();
        for (at, (kind, inner)) in blocks.iter().enumerate() {
            let printed =
                blocks.get(at + 1).filter(|(kind, _)| *kind == "text").map(|(_, inner)| inner.clone());
            let whole = inner.replace("\\\n", " ");
            let lines = whole.lines().filter(|line| *kind == "sh" && line.starts_with("goldcrest "));
            commands.extend(lines.map(|line| (line.to_owned(), printed.clone())));
        }
        commands
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/methods")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn markdown(folder: &Path) -> impl Iterator<Item = Page> + use<> {
    let is_page = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "md");
    files(folder).into_iter().filter(is_page).map(Page::read)
}

/// The pages of methods: those in the folders of the groups.
fn pages() -> Vec<Page> {
    files(&folder()).iter().filter(|path| path.is_dir()).flat_map(|group| markdown(group)).collect()
}

#[test]
fn every_method_has_a_page_and_every_page_a_method() {
    let listed = Method::LIST.iter().chain(Speculate::DRAFTERS).map(|(name, _)| *name);
    let known = listed.chain(Chain::STAGES.iter().chain(Chain::ENDS).chain(UNLISTED).copied());
    let mut known: BTreeMap<String, usize> = known.map(|name| (name.replace('_', "-"), 0)).collect();
    for page in pages() {
        let times = known.get_mut(&page.name);
        *times.unwrap_or_else(|| panic!("{}: no method is called so", page.path.display())) += 1;
    }
    let wrong: Vec<_> = known.iter().filter(|(_, times)| **times != 1).collect();
    assert!(wrong.is_empty(), "methods without one page: {wrong:?}");
}

#[test]
fn pages_have_all_parts_in_order() {
    for page in pages() {
        let path = page.path.display();
        let mut parts = page.text.split("\n## ");
        let head = parts.next().unwrap();
        let title = head.lines().next().unwrap();
        assert!(
            title.starts_with("# ") && head.trim_end().ends_with(['.', ':']),
            "{path}: a title and a sentence"
        );
        let parts: Vec<(&str, &str)> =
            parts.map(|part| part.split_once('\n').unwrap_or((part, ""))).collect();
        assert_eq!(parts.iter().map(|(name, _)| *name).collect::<Vec<_>>(), PARTS, "{path}");
        for (name, text) in &parts {
            assert!(!text.trim().is_empty(), "{path}: {name} is empty");
        }
        assert!(parts[0].1.contains("```text\n"), "{path}: a picture is a drawing in text");
        let (trial, commands) = (parts[3].1, page.commands());
        let [js, rust] = ["```js\n", "```rust\n"].map(|fence| trial.contains(fence));
        assert!(js || rust, "{path}: a call in JavaScript, or in Rust");
        // Callbacks and maps are no option of a command; the page says so.
        assert!(
            !commands.is_empty() || rust || trial.contains("In JavaScript and Rust"),
            "{path}: a command to try"
        );
    }
}

#[test]
fn links_lead_somewhere() {
    let linked = markdown(&folder()).chain(pages());
    for page in linked {
        let prose = page.prose();
        let targets =
            prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path =
                if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
            assert!(path.exists(), "{}: {target} leads nowhere", page.path.display());
            let stands = || Page::read(path).prose().lines().filter_map(heading).any(|h| h == anchor);
            assert!(anchor.is_empty() || stands(), "{}: {target}", page.path.display());
        }
    }
}

/// The anchor of a heading.
fn heading(line: &str) -> Option<String> {
    let words = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
    Some(
        words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect::<String>()
            .replace(' ', "-"),
    )
}

/// With `--help` behind them commands are read and not run.
#[test]
fn commands_are_understood() {
    for page in markdown(&folder()).chain(pages()) {
        for (command, _) in page.commands() {
            let words = words(&command);
            let mut read: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
            read.push("--help");
            let (code, _, said) = process::run(&read, "");
            assert_eq!(code, 0, "{}: {command}: {said}", page.path.display());
            for (option, value) in words.iter().zip(words.iter().skip(1)) {
                let why = match option.as_str() {
                    "--strategy" => Method::parse(value).err().map(|error| error.to_string()),
                    "--speculate" => Speculate::parse(value).err().map(|error| error.to_string()),
                    "--chain" => Chain::parse(value, 0).err().map(|error| error.to_string()),
                    _ => None,
                };
                assert_eq!(why, None, "{}: {command}", page.path.display());
            }
        }
    }
}

/// A page of a strategy, a drafter or a stage calls it.
#[test]
fn commands_are_of_the_pages_method() {
    for page in pages() {
        let own = page.name.replace('-', "_");
        let flag = match page.path.parent().unwrap().file_name().unwrap().to_str().unwrap() {
            "samplers" => "--chain",
            "speculation" if own != "speculate" => "--speculate",
            _ if Method::LIST.iter().any(|(name, _)| *name == own) => "--strategy",
            _ => continue,
        };
        let mut given = Vec::new();
        for (command, _) in page.commands() {
            let words = words(&command);
            given.extend(
                words.iter().zip(words.iter().skip(1)).filter(|(o, _)| *o == flag).map(|(_, v)| v.clone()),
            );
        }
        let calls =
            |value: &String| value.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == own);
        assert!(
            given.iter().any(calls),
            "{}: {flag} {own} is called nowhere: {given:?}",
            page.path.display()
        );
    }
}

/// The last lines that `goldcrest sample` prints are those of the page.
#[test]
fn samples_print_what_the_pages_say() {
    let mut n = 0;
    for page in pages() {
        for (command, printed) in page.commands() {
            let words = words(&command);
            let Some(printed) = printed.filter(|_| words[1] == "sample") else { continue };
            let root = folder().join("../..");
            let args: Vec<String> = words[2..]
                .iter()
                .map(|w| if w.starts_with("docs/") { root.join(w).display().to_string() } else { w.clone() })
                .collect();
            let args: Vec<&str> = std::iter::once("sample").chain(args.iter().map(String::as_str)).collect();
            let found = process::text(&args, "");
            assert!(
                found.trim_end().ends_with(&printed),
                "{}: {command} prints\n{found}",
                page.path.display()
            );
            n += 1;
        }
    }
    assert!(n >= Chain::STAGES.len() + Chain::ENDS.len(), "{n}");
}

/// The words of a command, with quotes as a shell has them.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in command.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
