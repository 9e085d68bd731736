//! Output that fits a JSON schema, a regular expression, a grammar or a program's state.
//!
//! A [`Grammar`] says what text is wanted. A [`Compiler`], one per model, turns it into a
//! [`Constraint`](goldcrest_sample::Constraint) over the model's own tokens. The automata are llguidance's; what is
//! here decides what it may be asked: a schema keyword that would be ignored or only approximated is refused with its
//! name and its place, and sizes, depths and work are bounded, so that a hostile schema ends in an error.
//!
//! A [`MonitorConstraint`] restricts the next word by a callback instead: the identifiers that exist, say.
#![forbid(unsafe_code)]

mod asked;
mod compiler;
mod error;
mod gbnf;
mod grammar;
mod lark;
mod limits;
mod matched;
mod monitor;
mod regex;
mod schema;
mod tools;
mod vocabulary;

pub use asked::AskedError;
pub use compiler::Compiler;
pub use error::GrammarError;
pub use goldcrest_prompt::ToolFormat;
pub use grammar::{Grammar, Layout};
pub use matched::GrammarConstraint;
pub use monitor::{Monitor, MonitorConstraint, is_identifier};
pub use tools::{ToolChoice, Tools};
pub use vocabulary::{Vocabulary, Write};
