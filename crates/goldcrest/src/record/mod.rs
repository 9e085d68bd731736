//! The record of a generation: all that is needed to repeat it, what came of it, and hashes that show a later change.

mod chain;
mod hashes;
mod settings;

use goldcrest_engine::{EngineError, Finish, Prompt, Request, Runtime, Text, TokenEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::chain::HashChain;
pub use self::hashes::ModelHash;
pub use self::settings::{Form, FormKind, Recorded, Settings, Way};

use self::hashes::sha256;

/// Records of another version are refused.
const VERSION: u32 = 1;

/// Where backends may part: two logits closer than this can change places with the order of a sum.
pub const CLOSE_CALL: f32 = 1e-3;

/// A record as it stands in its file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// What was recorded.
    pub body: Body,
    /// Events about the body: the first says when it was made.
    pub chain: HashChain,
}

/// What the hashes are of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Body {
    /// Of the form of records.
    pub version: u32,
    /// The model file.
    pub model: ModelHash,
    /// Of every piece of the vocabulary.
    pub tokenizer_sha256: String,
    /// None for a model without chat template.
    pub template_sha256: Option<String>,
    /// What computed: version, system, processor.
    pub build: Value,
    /// Where it computed.
    pub adapter: Value,
    /// Everything that was asked for beside the prompt.
    pub settings: Settings,
    /// Of the tokens of the prompt, four bytes each.
    pub prompt_sha256: String,
    /// The prompt.
    pub prompt_tokens: Vec<u32>,
    /// The answer, an end-of-generation token included.
    pub tokens: Vec<u32>,
    /// Its text.
    pub text: String,
    /// Why it ended.
    pub finish_reason: String,
    /// One a token that is text.
    pub steps: Vec<Step>,
    /// The step where the two best logits were closest.
    pub closest: Option<usize>,
}

/// How a token was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The token.
    pub token: u32,
    /// Its log-probability.
    pub logprob: f32,
    /// Distance of the model's two best logits; the largest number there is where a strategy chose.
    pub gap: f32,
}

/// What a record is made of: a generation, and what it ran on.
pub struct Made<'a> {
    /// The model file.
    pub model: ModelHash,
    /// The model's chat template.
    pub template: Option<&'a str>,
    /// Its tokenizer.
    pub tokenizer: &'a Text,
    /// What was asked for; the prompt is tokens.
    pub request: &'a Request,
    /// How the answer was made.
    pub way: &'a Way,
    /// Whether nothing that was timed chose adapter, kernels or chunks.
    pub deterministic: bool,
    /// One a token that is text.
    pub steps: Vec<Step>,
    /// All new tokens.
    pub tokens: &'a [u32],
    /// Their text.
    pub text: &'a str,
    /// Why the answer ended.
    pub finish: Finish,
}

impl Body {
    /// The record of an answer that `runtime` gave.
    #[must_use]
    pub fn new(runtime: &Runtime, made: Made<'_>) -> Self {
        let adapter = runtime.device().info();
        let prompt_tokens = match &made.request.prompt {
            Prompt::Tokens(tokens) => tokens.clone(),
            Prompt::Text { .. } | Prompt::Chat(_) => Vec::new(),
        };
        Self {
            version: VERSION,
            model: made.model,
            tokenizer_sha256: hashes::tokenizer(made.tokenizer),
            template_sha256: made.template.map(|text| sha256(&[text.as_bytes()])),
            build: build(),
            adapter: json!({
                "name": adapter.name,
                "backend": adapter.backend,
                "type": adapter.kind.name(),
                "kernels": runtime.profile().name,
            }),
            settings: Settings::of(made.request, made.way, runtime.n_ctx(), made.deterministic),
            prompt_sha256: sha256(&[&le_bytes(&prompt_tokens)]),
            prompt_tokens,
            tokens: made.tokens.to_vec(),
            text: made.text.to_owned(),
            finish_reason: made.finish.name().to_owned(),
            closest: closest(&made.steps),
            steps: made.steps,
        }
    }

    /// The request that repeats the generation.
    ///
    /// # Errors
    /// Settings that no sampler has.
    pub fn request(&self) -> Result<Request, EngineError> {
        self.settings.request(Prompt::Tokens(self.prompt_tokens.clone()))
    }
}

/// A text that is no record, or not the one that was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It has not the form of one.
    #[error("is no record: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Its form is of another version.
    #[error("is a record of version {found}; this command reads {VERSION}")]
    Version {
        /// The version.
        found: u32,
    },
    /// Its hashes are not those of what it says.
    #[error("was changed after it was written: event {event} has another hash")]
    Changed {
        /// The first event with another hash.
        event: usize,
    },
}

impl Step {
    /// How a token of a generation with at least two alternatives was chosen.
    #[must_use]
    pub fn of(token: &TokenEvent) -> Self {
        let gap = match token.top.as_slice() {
            [(_, best), (_, second), ..] => best - second,
            _ => f32::MAX,
        };
        Self { token: token.token, logprob: token.logprob, gap }
    }
}

impl Record {
    /// A body with its hash, made so many seconds after 1970.
    ///
    /// # Errors
    /// [`RecordError::Malformed`] for a body that JSON cannot hold.
    pub fn new(body: Body, seconds: u64) -> Result<Self, RecordError> {
        let now = chain::timestamp(seconds);
        let mut chain = HashChain::begin(&body.model.sha256, "goldcrest", &now);
        chain.push("decode", &now, &serde_json::to_value(&body)?);
        Ok(Self { body, chain })
    }

    /// Reads a record; its hashes must be those of what it says.
    ///
    /// # Errors
    /// Any [`RecordError`].
    pub fn from_json(value: Value) -> Result<Self, RecordError> {
        let record: Self = serde_json::from_value(value)?;
        if record.body.version != VERSION {
            return Err(RecordError::Version { found: record.body.version });
        }
        match record.chain.check(&[serde_json::to_value(&record.body)?]) {
            None => Ok(record),
            Some(event) => Err(RecordError::Changed { event }),
        }
    }
}

/// The step with the smallest gap; none where there was never a choice, or a strategy made it.
#[must_use]
pub fn closest(steps: &[Step]) -> Option<usize> {
    let known = (0..steps.len()).filter(|i| steps[*i].gap < f32::MAX);
    known.min_by(|a, b| steps[*a].gap.total_cmp(&steps[*b].gap))
}

fn build() -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "optimised": !cfg!(debug_assertions),
    })
}

fn le_bytes(tokens: &[u32]) -> Vec<u8> {
    tokens.iter().flat_map(|token| token.to_le_bytes()).collect()
}
