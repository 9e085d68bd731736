//! The sampling settings of a request, under the names that they have everywhere.

use goldcrest::Text;
use goldcrest::sample::SamplerParams;
use serde_json::Value;

use crate::error::Failure;
use crate::fields::{Fields, list};

/// Settings that are left out are those of the command's `run`: varied, and another answer each time.
pub(crate) fn sampler(fields: &mut Fields) -> Result<SamplerParams, Failure> {
    let seed = fields.count("seed")?;
    let mut params = SamplerParams {
        temperature: 0.7,
        top_k: 40,
        top_p: 0.95,
        min_p: 0.05,
        // 32 bits, so that a person can type it again.
        seed: seed.unwrap_or_else(|| (js_sys::Math::random() * f64::from(u32::MAX)) as u64),
        ..SamplerParams::neutral()
    };
    if let Some(texts) = fields.take("no_cite_texts", "a list of lists of token ids", token_lists)? {
        params.no_cite_ngram = 8;
        params.no_cite_texts = texts;
    }
    for name in SamplerParams::number_names() {
        if let Some(value) = fields.take(name, "a number", Value::as_f64)? {
            params.set(name, value)?;
        }
    }
    for (name, _) in SamplerParams::WORDS {
        if let Some(word) = fields.text(name)? {
            params.set_word(name, &word)?;
        }
    }
    params.dry_breakers =
        fields.take("dry_breakers", "a list of lists of token ids", token_lists)?.unwrap_or_default();
    params.logit_bias =
        fields.take("logit_bias", "an object of token ids and numbers", bias)?.unwrap_or_default();
    Ok(params)
}

/// What only the tokenizer knows: where DRY stops counting, unless the request says it.
pub(crate) fn complete(params: &mut SamplerParams, text: &Text) {
    if params.dry_multiplier > 0.0 && params.dry_breakers.is_empty() {
        params.dry_breakers = text.breakers(&Text::DRY_BREAKERS);
    }
}

fn bias(value: &Value) -> Option<Vec<(u32, f32)>> {
    let one = |(id, addend): (&String, &Value)| Some((id.parse().ok()?, addend.as_f64()? as f32));
    value.as_object()?.iter().map(one).collect()
}

fn token_lists(value: &Value) -> Option<Vec<Vec<u32>>> {
    list(value, |tokens| list(tokens, |id| u32::try_from(id.as_u64()?).ok()))
}
