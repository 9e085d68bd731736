//! Rules of the source tree that neither the compiler nor clippy knows. Each is a function from the tree to its
//! complaints; `cargo xtask check` prints them, `cargo test -p xtask` asserts that there are none.

mod dependencies;
mod golden;
mod kernels;
mod layers;
mod sizes;
mod source;
mod tree;
mod words;

pub use dependencies::{budgets, explained, native_tree};
pub use golden::small;
pub use kernels::complete;
pub use layers::{arrows, manifests, owners};
pub use sizes::short;
pub use source::{errors, panics, printing, safety, shader_text, unsafe_blocks};
pub use tree::Tree;
pub use words::{names, words};

/// A rule: the tree to its complaints.
pub type Rule = fn(&Tree) -> Vec<String>;

/// Every rule with its name.
pub const RULES: &[(&str, Rule)] = &[
    ("arrows between crates", arrows),
    ("owners of dependencies", owners),
    ("manifests", manifests),
    ("printing", printing),
    ("safety", safety),
    ("panics", panics),
    ("errors", errors),
    ("shader text", shader_text),
    ("file sizes", short),
    ("file names", names),
    ("words", words),
    ("kernels are complete", complete),
    ("dependency budgets", budgets),
    ("dependencies explained", explained),
    ("size of the native dependency tree", native_tree),
    ("size of the golden data", small),
];

/// Runs every rule; one line that sums it up, or all complaints.
///
/// # Errors
/// The complaints, one a line.
pub fn check(tree: &Tree) -> Result<String, String> {
    let complaints: Vec<String> = RULES
        .iter()
        .flat_map(|(name, rule)| rule(tree).into_iter().map(move |complaint| format!("{name}: {complaint}")))
        .collect();
    if complaints.is_empty() {
        let blocks = unsafe_blocks(tree).len();
        Ok(format!("{} rules hold; {blocks} unsafe blocks", RULES.len()))
    } else {
        Err(complaints.join("\n"))
    }
}
