//! A generation as JavaScript asks for it.

use goldcrest::sample::SamplerParams;
use goldcrest::{Prompt, Request};
use serde_json::Value;

use crate::conversation::conversation;
use crate::error::Failure;
use crate::fields::{Fields, list, refused};
use crate::strategy::Strategy;

/// Most alternatives per token: as many as the device sorts.
const MAX_LOGPROBS: usize = 256;

/// Parameters that are left out are those of the command's `run`: varied, and another answer each time.
pub(crate) fn request(text: &str) -> Result<(Request, Option<Strategy>), Failure> {
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
        steps_per_submit: fields.count("steps_per_submit")?.unwrap_or(0),
    };
    let strategy = Strategy::read(&mut fields)?;
    fields.end()?;
    Ok((request, strategy))
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

fn sampler(fields: &mut Fields) -> Result<SamplerParams, Failure> {
    let seed = fields.count("seed")?;
    Ok(SamplerParams {
        temperature: fields.number("temperature")?.unwrap_or(0.7),
        top_k: fields.integer("top_k")?.unwrap_or(40),
        top_p: fields.number("top_p")?.unwrap_or(0.95),
        min_p: fields.number("min_p")?.unwrap_or(0.05),
        repeat_penalty: fields.number("repeat_penalty")?.unwrap_or(1.0),
        frequency_penalty: fields.number("frequency_penalty")?.unwrap_or(0.0),
        presence_penalty: fields.number("presence_penalty")?.unwrap_or(0.0),
        logit_bias: fields
            .take("logit_bias", "an object of token ids and numbers", bias)?
            .unwrap_or_default(),
        // 32 bits, so that a person can type it again.
        seed: seed.unwrap_or_else(|| (js_sys::Math::random() * f64::from(u32::MAX)) as u64),
        ..SamplerParams::neutral()
    })
}

fn bias(value: &Value) -> Option<Vec<(u32, f32)>> {
    let one = |(id, addend): (&String, &Value)| Some((id.parse().ok()?, addend.as_f64()? as f32));
    value.as_object()?.iter().map(one).collect()
}
