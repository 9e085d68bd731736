//! Chat templates, rendered inside a budget.
//!
//! Chat templates are programs that arrive inside model files from anywhere. This crate runs them as transformers
//! does — `trim_blocks`, `lstrip_blocks`, loop controls, `tojson`, `raise_exception`, `strftime_now`, Python's way of
//! printing values — with three promises:
//!
//! - **Bounded.** Steps, bytes created, bytes scanned and depth are counted before they are spent ([`Budget`]); what
//!   goes beyond is a typed error, and nothing lasts that a later rendering could notice.
//! - **No reach.** A template sees its inputs and the functions, filters, tests and methods listed in [`allowed`];
//!   no file, no network, no clock, no randomness.
//! - **Origin.** The result says which of its characters came from the user ([`Segment`]), so that text that looks
//!   like a control token is never taken for one.
//!
//! ```
//! use goldcrest_prompt::{ChatTemplate, RenderInput};
//!
//! let template = ChatTemplate::new("{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}\n{% endfor %}")?;
//! let input = RenderInput {
//!     messages: serde_json::json!([{ "role": "user", "content": " <|user|> " }]),
//!     ..RenderInput::default()
//! };
//! let rendered = template.render(&input)?;
//! assert_eq!(rendered.text, "<|user|><|user|>\n");
//! assert!(!rendered.segments[0].from_user && rendered.segments[1].from_user);
//! # Ok::<(), goldcrest_prompt::PromptError>(())
//! ```
#![forbid(unsafe_code)]

mod args;
mod budget;
mod checks;
mod error;
mod eval;
mod filters;
mod list_filters;
mod methods;
mod ops;
mod parse;
mod print;
mod strftime;
mod strings;
mod template;
mod text;
mod tool_format;
mod value;

/// Everything that a template can name besides its inputs. The lists are complete.
pub mod allowed {
    pub use crate::checks::TESTS;
    pub use crate::eval::FUNCTIONS;
    pub use crate::filters::FILTERS;
    pub use crate::methods::{DICT_METHODS, LIST_METHODS, STRING_METHODS};
}

pub use budget::{Budget, MAX_DEPTH, MAX_TEMPLATE_BYTES, Usage};
pub use error::{Cost, PromptError};
pub use strftime::LocalTime;
pub use template::{ChatTemplate, RESERVED_NAMES, RenderInput, Rendered, Segment};
pub use tool_format::ToolFormat;
