//! What text is wanted.

use serde_json::Value;

use crate::Tools;

/// How JSON is written. Whitespace is fixed: where it is free, small models write it without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// `{"a": 1, "b": 2}`, as models have mostly seen it.
    #[default]
    Spaced,
    /// `{"a":1,"b":2}`.
    Compact,
}

/// What text is wanted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Grammar {
    /// JSON that a schema accepts; properties come in the order of the schema.
    JsonSchema {
        /// The schema, draft 4 to 2020-12.
        schema: Value,
        /// Whitespace.
        layout: Layout,
    },
    /// Any JSON object.
    JsonObject {
        /// Whitespace.
        layout: Layout,
    },
    /// Text that matches a regular expression from its first to its last character.
    Regex(String),
    /// A grammar in llguidance's dialect of Lark, beginning at `start`.
    Lark(String),
    /// A grammar in llama.cpp's GBNF, beginning at `root`.
    Gbnf(String),
    /// Calls of tools.
    Tools(Tools),
}

impl Grammar {
    /// A grammar whose dialect shows in the text: GBNF writes rules with `::=`, Lark with `:`.
    #[must_use]
    pub fn detect(text: String) -> Self {
        if text.contains("::=") { Self::Gbnf(text) } else { Self::Lark(text) }
    }
}
