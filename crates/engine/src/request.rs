//! What a generation is asked for, and what comes of it.

use goldcrest_prompt::RenderInput;
use goldcrest_sample::{Constraint, SamplerParams};

/// What to continue.
#[derive(Clone, Debug)]
pub enum Prompt {
    /// Exactly these tokens.
    Tokens(Vec<u32>),
    /// Text as it is, with the tokens that the model wants around it.
    Text {
        /// The text.
        text: String,
        /// Whether special tokens named in the text count as such.
        parse_special: bool,
    },
    /// A conversation, rendered by the model's template.
    Chat(Box<RenderInput>),
}

/// A generation.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to continue.
    pub prompt: Prompt,
    /// Most new tokens; none goes on to the end of the context.
    pub max_tokens: Option<usize>,
    /// How tokens are chosen.
    pub sampler: SamplerParams,
    /// Texts that end the generation and are not part of it.
    pub stop: Vec<String>,
    /// Go on behind end-of-generation tokens.
    pub ignore_eos: bool,
    /// Alternatives reported with every token.
    pub logprobs: Option<usize>,
    /// Which tokens may come, from the first new one on. Where it ends the text, the generation ends.
    pub constraint: Option<Box<dyn Constraint>>,
    /// Decode steps per submit; 0 chooses by what the adapter was measured to take.
    pub steps_per_submit: usize,
}

impl Request {
    /// A greedy continuation of `prompt`.
    #[must_use]
    pub fn greedy(prompt: Prompt) -> Self {
        Self {
            prompt,
            max_tokens: None,
            sampler: SamplerParams::greedy(),
            stop: Vec::new(),
            ignore_eos: false,
            logprobs: None,
            constraint: None,
            steps_per_submit: 0,
        }
    }
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it.
    Stop,
    /// As many tokens as were asked for, or the context is full.
    Length,
    /// A stop text came.
    StopString,
    /// The constraint's text is complete.
    GrammarEnd,
    /// The caller's signal.
    Aborted,
}

impl Finish {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::StopString => "stop_string",
            Self::GrammarEnd => "grammar_end",
            Self::Aborted => "aborted",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Part of the prompt is in the cache.
    Prefill {
        /// Tokens done.
        done: usize,
        /// Tokens of the prompt that are not in the cache yet.
        total: usize,
    },
    /// The model ran and nothing is certain yet: a search is at work.
    Working {
        /// Runs through the model so far.
        passes: u64,
    },
    /// A token was chosen.
    Token(TokenEvent),
    /// The end; nothing follows. Text that stop texts had held back comes with it.
    End {
        /// Why.
        finish: Finish,
        /// Held-back text.
        text: String,
    },
}

/// A chosen token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenEvent {
    /// Its id.
    pub token: u32,
    /// Text that is certain now: whole characters, and nothing that may begin a stop text.
    pub text: String,
    /// Log-probability under the model's distribution, penalties applied. With a constraint, under what it leaves of that
    /// distribution: 0 for a token without alternative.
    pub logprob: f32,
    /// The best alternatives (token, log-probability), as many as asked for.
    pub top: Vec<(u32, f32)>,
    /// Whether it was guessed, and the model agreed.
    pub guessed: bool,
}

/// Times and counts of a generation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Tokens of the prompt that were run.
    pub prefill_tokens: usize,
    /// Tokens of the prompt that were in the cache already.
    pub reused_tokens: usize,
    /// Milliseconds for them.
    pub prefill_ms: f64,
    /// Milliseconds to the first token.
    pub ttft_ms: f64,
    /// New tokens.
    pub decode_tokens: usize,
    /// Milliseconds from the end of the prefill to the last token.
    pub decode_ms: f64,
    /// Runs through the model.
    pub forward_passes: u64,
    /// Submits to the device.
    pub submits: u64,
    /// Read-backs from the device.
    pub readbacks: u64,
    /// Dispatches per new token.
    pub dispatches_per_token: f64,
}
