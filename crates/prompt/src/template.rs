//! A chat template and its rendering.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Value as Json};

use crate::budget::{Budget, Meter, Usage};
use crate::error::PromptError;
use crate::eval::{FUNCTIONS, Interpreter};
use crate::parse;
use crate::strftime::LocalTime;
use crate::text::Text;
use crate::value::Value;

/// Names that the engine sets or that the surrounding call of transformers owns; callers' parameters may not be
/// called so.
pub const RESERVED_NAMES: [&str; 22] = [
    "add_generation_prompt",
    "bos_token",
    "chat_template",
    "continue_final_message",
    "conversation",
    "documents",
    "eos_token",
    "loop",
    "max_length",
    "messages",
    "pad_token",
    "padding",
    "return_assistant_tokens_mask",
    "return_dict",
    "return_tensors",
    "self",
    "sep_token",
    "tokenize",
    "tokenizer_kwargs",
    "tools",
    "truncation",
    "unk_token",
];

/// A conversation and what else a template sees.
#[derive(Debug, Clone, Default)]
pub struct RenderInput {
    /// A list of messages, usually `{"role", "content"}`.
    pub messages: Json,
    /// A list of tools; the template sees `none` when absent.
    pub tools: Option<Json>,
    /// A list of documents; the template sees `none` when absent.
    pub documents: Option<Json>,
    /// Whether to open the assistant's turn at the end.
    pub add_generation_prompt: bool,
    /// The model's begin-of-sequence token; undefined when absent.
    pub bos_token: Option<String>,
    /// The model's end-of-sequence token; undefined when absent.
    pub eos_token: Option<String>,
    /// Further parameters of the caller, such as `enable_thinking`.
    pub extra: Map<String, Json>,
    /// What `strftime_now` formats; the function is undefined when absent. No clock is read.
    pub now: Option<LocalTime>,
}

/// A rendered prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The prompt.
    pub text: String,
    /// The text cut where its origin changes: together the segments cover it, in order, none is empty.
    pub segments: Vec<Segment>,
    /// What rendering cost.
    pub usage: Usage,
}

/// A part of a prompt with one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Bytes of [`Rendered::text`]; both ends are character borders.
    pub range: Range<usize>,
    /// True for text that stems from messages, tools, documents or callers' parameters.
    pub from_user: bool,
}

/// A parsed and checked chat template.
///
/// # What is marked as the user's
///
/// Every character that comes from `messages`, `tools`, `documents` or `extra`, through whatever the template does
/// with it: slicing, trimming, splitting, changing case, JSON, captures and macros keep the mark, character by
/// character. Characters that the template writes itself, JSON punctuation included, and the engine's `bos_token` and
/// `eos_token` are not marked. One exception: a `role` that is one of the usual names (`user`, `assistant`, …) counts
/// as the template's, because templates put it inside control tokens.
///
/// A tokenizer that recognises control tokens only where they lie wholly outside marked segments, and otherwise
/// encodes the text as one piece, gives the ids of a plain encoding for harmless text, and never turns a user's
/// `<|im_end|>` into a control token.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    source: String,
}

impl ChatTemplate {
    /// Checks a template's source, at most 256 KiB.
    ///
    /// # Errors
    /// [`PromptError::TemplateTooLarge`], [`PromptError::Syntax`], [`PromptError::TooDeep`],
    /// [`PromptError::TemplateTooExpensive`].
    pub fn new(source: &str) -> Result<Self, PromptError> {
        let source = parse::normalise(source)?;
        parse::check(&source)?;
        parse::tree(&source)?;
        Ok(Self { source })
    }

    /// Renders a conversation as transformers does, within [`Budget::for_input`].
    ///
    /// # Errors
    /// [`PromptError::Raised`] when the template refuses the conversation, [`PromptError::TemplateTooExpensive`] and
    /// [`PromptError::TooDeep`] beyond the budget, [`PromptError::ReservedName`] for an `extra` parameter that the
    /// engine owns, [`PromptError::NotAList`], [`PromptError::Evaluation`], [`PromptError::Unsupported`].
    pub fn render(&self, input: &RenderInput) -> Result<Rendered, PromptError> {
        let n_messages = list_len("messages", Some(&input.messages))?;
        let n_tools = list_len("tools", input.tools.as_ref())?;
        list_len("documents", input.documents.as_ref())?;
        let parts = [Some(&input.messages), input.tools.as_ref(), input.documents.as_ref()];
        let extra: usize = input.extra.iter().map(|(key, value)| key.len() + json_bytes(value)).sum();
        let bytes = parts.into_iter().flatten().map(json_bytes).sum::<usize>() + extra;
        let meter = Meter::new(Budget::for_input(n_messages, n_tools, bytes));

        let inputs = inputs(input, &meter)?;
        let tree = parse::tree(&self.source)?;
        let text = Interpreter::new(inputs, input.now, &meter).run(&tree)?;
        Ok(Rendered { text: text.as_str().to_owned(), segments: segments(&text), usage: meter.usage() })
    }
}

fn inputs<'i>(input: &'i RenderInput, meter: &Meter) -> Result<HashMap<&'i str, Value>, PromptError> {
    let mut inputs = HashMap::new();
    for (name, value) in &input.extra {
        if RESERVED_NAMES.contains(&name.as_str()) || FUNCTIONS.contains(&name.as_str()) {
            return Err(PromptError::ReservedName { name: name.clone() });
        }
        inputs.insert(name.as_str(), Value::from_json(value, meter)?);
    }
    let optional =
        |value: &Option<Json>| value.as_ref().map_or(Ok(Value::None), |v| Value::from_json(v, meter));
    inputs.insert("messages", Value::from_json(&input.messages, meter)?);
    inputs.insert("tools", optional(&input.tools)?);
    inputs.insert("documents", optional(&input.documents)?);
    inputs.insert("add_generation_prompt", Value::Bool(input.add_generation_prompt));
    for (name, token) in [("bos_token", &input.bos_token), ("eos_token", &input.eos_token)] {
        if let Some(token) = token {
            inputs.insert(name, Value::Str(Text::input(token, false)));
        }
    }
    Ok(inputs)
}

fn list_len(name: &'static str, value: Option<&Json>) -> Result<usize, PromptError> {
    match value {
        None | Some(Json::Null) => Ok(0),
        Some(Json::Array(items)) => Ok(items.len()),
        Some(_) => Err(PromptError::NotAList { name }),
    }
}

/// Size of an input: its strings, and eight bytes a value.
fn json_bytes(value: &Json) -> usize {
    8 + match value {
        Json::String(string) => string.len(),
        Json::Array(items) => items.iter().map(json_bytes).sum(),
        Json::Object(map) => map.iter().map(|(key, value)| key.len() + json_bytes(value)).sum(),
        _ => 0,
    }
}

fn segments(text: &Text) -> Vec<Segment> {
    let mut at = 0;
    text.pieces(0..text.as_str().len())
        .map(|(piece, from_user)| {
            let range = at..at + piece.len();
            at = range.end;
            Segment { range, from_user }
        })
        .collect()
}
