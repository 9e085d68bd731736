//! The record of a generation: all that is needed to repeat it, what came of it, and hashes that show a later change.

mod chain;
mod hashes;
mod settings;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use goldcrest::{Prompt, Request, TokenEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::chain::HashChain;
use self::hashes::{ModelHash, sha256};
pub(crate) use self::settings::{Recorded, Way};

use self::settings::Settings;
use crate::error::CliError;
use crate::generating::Answer;
use crate::given;
use crate::loading::{self, Loaded};

/// Records of another version are refused.
const VERSION: u32 = 1;

/// Where backends may part: two logits closer than this can change places with the order of a sum.
pub(crate) const CLOSE_CALL: f32 = 1e-3;

/// A record as it stands in its file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) body: Body,
    /// Events about the body: the first says when it was made.
    pub(crate) chain: HashChain,
}

/// What the hashes are of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) version: u32,
    pub(crate) model: ModelHash,
    pub(crate) tokenizer_sha256: String,
    /// None for a model without chat template.
    pub(crate) template_sha256: Option<String>,
    pub(crate) build: Value,
    pub(crate) adapter: Value,
    pub(crate) settings: Settings,
    pub(crate) prompt_sha256: String,
    pub(crate) prompt_tokens: Vec<u32>,
    pub(crate) tokens: Vec<u32>,
    pub(crate) text: String,
    pub(crate) finish_reason: String,
    /// One a token that is text.
    pub(crate) steps: Vec<Step>,
    /// The step where the two best logits were closest.
    pub(crate) closest: Option<usize>,
}

/// How a token was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) token: u32,
    pub(crate) logprob: f32,
    /// Distance of the model's two best logits; the largest number there is where a strategy chose.
    pub(crate) gap: f32,
}

impl Body {
    /// The record of an answer to `request`, whose prompt is tokens.
    pub(crate) fn new(
        path: &Path,
        loaded: &Loaded,
        request: &Request,
        way: &Way,
        answer: &Answer,
        deterministic: bool,
    ) -> Result<Self, CliError> {
        let (gguf, _) = loading::describe(path)?;
        let template = gguf.metadata.get_str("tokenizer.chat_template");
        let runtime = loaded.engine.runtime().borrow();
        let adapter = runtime.device().info();
        let prompt_tokens = match &request.prompt {
            Prompt::Tokens(tokens) => tokens.clone(),
            Prompt::Text { .. } | Prompt::Chat(_) => Vec::new(),
        };
        let steps: Vec<Step> = answer.tokens.iter().map(Step::of).collect();
        Ok(Self {
            version: VERSION,
            model: ModelHash::of(path)?,
            tokenizer_sha256: hashes::tokenizer(loaded.engine.text()),
            template_sha256: template.ok().map(|text| sha256(&[text.as_bytes()])),
            build: build(),
            adapter: json!({
                "name": adapter.name,
                "backend": adapter.backend,
                "type": adapter.kind.name(),
                "kernels": runtime.profile().name,
            }),
            settings: Settings::of(request, way, runtime.n_ctx(), deterministic),
            prompt_sha256: sha256(&[&le_bytes(&prompt_tokens)]),
            prompt_tokens,
            tokens: answer.ids.clone(),
            text: answer.text.clone(),
            finish_reason: answer.finish.name().to_owned(),
            closest: closest(&steps),
            steps,
        })
    }

    /// The request that repeats the generation.
    pub(crate) fn request(&self) -> Result<Request, CliError> {
        self.settings.request(Prompt::Tokens(self.prompt_tokens.clone()))
    }

    fn value(&self) -> Result<Value, CliError> {
        serde_json::to_value(self).map_err(|error| CliError::Stdout(error.into()))
    }
}

impl Step {
    pub(crate) fn of(token: &TokenEvent) -> Self {
        let gap = match token.top.as_slice() {
            [(_, best), (_, second), ..] => best - second,
            _ => f32::MAX,
        };
        Self { token: token.token, logprob: token.logprob, gap }
    }
}

impl Record {
    /// A body with its hash, as of now.
    pub(crate) fn new(body: Body) -> Result<Self, CliError> {
        let now =
            chain::timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
        let mut chain = HashChain::begin(&body.model.sha256, "goldcrest", &now);
        chain.push("decode", &now, &body.value()?);
        Ok(Self { body, chain })
    }

    /// Reads a record; its hashes must be those of what it says.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let record: Self = serde_json::from_value(given::json_file(path)?)
            .map_err(|error| given::bad_file(path, format!("is no record: {error}")))?;
        if record.body.version != VERSION {
            let version = record.body.version;
            return Err(given::bad_file(
                path,
                format!("is a record of version {version}; this command reads {VERSION}"),
            ));
        }
        match record.chain.check(&[record.body.value()?]) {
            None => Ok(record),
            Some(at) => Err(given::bad_file(
                path,
                format!("was changed after it was written: event {at} has another hash"),
            )),
        }
    }

    /// Writes the record, which is then complete or absent.
    pub(crate) fn write(&self, path: &Path) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| CliError::Stdout(error.into()))?;
        let failed = |cause| CliError::File { path: path.display().to_string(), cause };
        std::fs::write(path, text + "\n").map_err(failed)
    }
}

/// The step with the smallest gap; none where there was never a choice, or a strategy made it.
pub(crate) fn closest(steps: &[Step]) -> Option<usize> {
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
