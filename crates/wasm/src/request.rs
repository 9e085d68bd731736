//! A generation as JavaScript asks for it.

use goldcrest::{Prompt, Request};
use serde_json::Value;

use crate::conversation::conversation;
use crate::error::Failure;
use crate::fields::{Fields, list, refused};
use crate::record::Wanted;
use crate::sampler::sampler;
use crate::strategy::Strategy;

/// Most alternatives per token: as many as the device sorts.
const MAX_LOGPROBS: usize = 256;

/// What is asked for: the request, a strategy, a record.
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) strategy: Option<Strategy>,
    pub(crate) record: Option<Wanted>,
}

/// Parameters that are left out are those of the command's `run`.
pub(crate) fn request(text: &str) -> Result<Asked, Failure> {
    let mut fields = Fields::parse(text)?;
    let given = fields.any("prompt").unwrap_or_default();
    let prompt = prompt(Fields::of("prompt", given)?)?;
    let sampler = sampler(&mut fields)?;
    let request = Request {
        prompt,
        max_tokens: fields.count("max_tokens")?,
        sampler,
        stop: fields
            .take("stop", "a list of strings", |v| list(v, |s| s.as_str().map(str::to_owned)))?
            .unwrap_or_default(),
        ignore_eos: fields.flag("ignore_eos")?.unwrap_or(false),
        logprobs: fields.take("logprobs", "0 to 256", |v| {
            usize::try_from(v.as_u64()?).ok().filter(|n| *n <= MAX_LOGPROBS)
        })?,
        constraint: None,
        steps_per_submit: fields.count("steps_per_submit")?.unwrap_or(0),
    };
    let strategy = Strategy::read(&mut fields)?;
    let record = Wanted::read(&mut fields)?;
    fields.end()?;
    Ok(Asked { request, strategy, record })
}

pub(crate) fn prompt(mut fields: Fields) -> Result<Prompt, Failure> {
    let id = |v: &Value| u32::try_from(v.as_u64()?).ok();
    if let Some(tokens) = fields.take("tokens", "a list of token ids", |v| list(v, id))? {
        fields.end()?;
        return Ok(Prompt::Tokens(tokens));
    }
    if let Some(text) = fields.text("text")? {
        let parse_special = fields.flag("parse_special")?.unwrap_or(false);
        fields.end()?;
        return Ok(Prompt::Text { text, parse_special });
    }
    match conversation(fields) {
        Err(Failure::Parameter { value, .. }) if value == "null" => {
            Err(refused("prompt", &Value::Null, "an object with tokens, text or messages"))
        }
        input => Ok(Prompt::Chat(Box::new(input?))),
    }
}
