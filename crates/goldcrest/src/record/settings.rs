//! The settings of a generation as they stand in a record.

use std::collections::BTreeMap;

use goldcrest_decode::Method;
use goldcrest_engine::{EngineError, Prompt, Request};
use goldcrest_sample::SamplerParams;
use serde::{Deserialize, Serialize};

use super::ModelHash;

/// How the answer is made, beside one token after another of any text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// The form that it has to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Recorded>,
}

/// A strategy that needs nothing but prompts and models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// `NAME:key=value,…`.
    pub spec: String,
    /// Tokens of the prompts that it compares with.
    pub references: Vec<Vec<u32>>,
    /// The further models, in the strategy's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<ModelHash>,
}

impl Recorded {
    /// Whether the strategy works with a further model, so that a record of it names the model's file.
    #[must_use]
    pub fn takes_model(method: &Method) -> bool {
        match method {
            Method::ContrastiveDecoding(_)
            | Method::LowerLayer(_)
            | Method::EntropyAdaptive(_)
            | Method::EnergyRouting(_)
            | Method::TransferQ(_) => true,
            Method::Speculate(speculate) => {
                let drafts = ["draft", "specdec_pp", "s2d", "pearl", "dyspec", "rsd_c", "rsd_s"];
                drafts.contains(&speculate.drafter)
            }
            _ => false,
        }
    }

    /// When an answer that is made so could be recorded, if it cannot: it may be another the next time.
    #[must_use]
    pub fn hindrance(method: &Method, greedy: bool) -> Option<&'static str> {
        let Method::Speculate(speculate) = method else { return None };
        if speculate.lossy().is_some() {
            return Some(
                "only without lossy acceptance, whose answer depends on how many guesses there is time for",
            );
        }
        let timed = speculate.draws() && speculate.pace.plan && !greedy;
        timed.then_some(
            "only with plan=false where guesses are draws, which else are as many as there is time for",
        )
    }
}

/// A form that was asked for, complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// What the text is.
    pub kind: FormKind,
    /// The schema, expression or grammar.
    pub text: String,
}

/// The kinds of forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormKind {
    /// JSON that a schema accepts.
    JsonSchema,
    /// Any JSON object; the text is empty.
    JsonObject,
    /// Text that matches a regular expression as a whole.
    Regex,
    /// Text of a grammar, in Lark or GBNF.
    Grammar,
    /// What `Grammar::from_json` of the grammars reads, as JSON: tools, and JSON of another layout.
    Asked,
}

/// Everything in a request but the prompt, and the context it ran in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// Start of the random numbers.
    pub seed: u64,
    /// The sampler's numbers by name.
    numbers: BTreeMap<String, f64>,
    words: BTreeMap<String, String>,
    /// (token, addend); no addend bans.
    logit_bias: Vec<(u32, Option<f32>)>,
    dry_breakers: Vec<Vec<u32>>,
    no_cite_texts: Vec<Vec<u32>>,
    stop: Vec<String>,
    ignore_eos: bool,
    max_tokens: Option<usize>,
    /// Tokens that prompt and answer may have together.
    pub n_ctx: u32,
    /// Whether nothing that was timed chose adapter, kernels or chunks.
    pub deterministic: bool,
    /// How the answer is made.
    #[serde(flatten)]
    pub way: Way,
    /// The chain that all this amounts to, for readers.
    chain: String,
}

impl Settings {
    pub(super) fn of(request: &Request, way: &Way, n_ctx: u32, deterministic: bool) -> Self {
        let sampler = &request.sampler;
        let words = [
            ("order", sampler.order.name()),
            ("top_h_variant", sampler.top_h_variant.name()),
            ("mirostat_surprise", sampler.mirostat_surprise.name()),
        ];
        let bias = |(id, bias): &(u32, f32)| (*id, bias.is_finite().then_some(*bias));
        Self {
            seed: sampler.seed,
            numbers: sampler.numbers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            words: words.into_iter().map(|(name, word)| (name.to_owned(), word.to_owned())).collect(),
            logit_bias: sampler.logit_bias.iter().map(bias).collect(),
            dry_breakers: sampler.dry_breakers.clone(),
            no_cite_texts: sampler.no_cite_texts.clone(),
            stop: request.stop.clone(),
            ignore_eos: request.ignore_eos,
            max_tokens: request.max_tokens,
            n_ctx,
            deterministic,
            way: way.clone(),
            chain: sampler.to_chain().map(|chain| chain.spec()).unwrap_or_default(),
        }
    }

    /// The request again. Alternatives are asked for, which show how close each choice was.
    pub(super) fn request(&self, prompt: Prompt) -> Result<Request, EngineError> {
        let mut sampler = SamplerParams {
            seed: self.seed,
            logit_bias: self
                .logit_bias
                .iter()
                .map(|(id, bias)| (*id, bias.unwrap_or(f32::NEG_INFINITY)))
                .collect(),
            dry_breakers: self.dry_breakers.clone(),
            no_cite_texts: self.no_cite_texts.clone(),
            ..SamplerParams::neutral()
        };
        for (name, value) in &self.numbers {
            sampler.set(name, *value)?;
        }
        for (name, word) in &self.words {
            sampler.set_word(name, word)?;
        }
        Ok(Request {
            max_tokens: self.max_tokens,
            sampler,
            stop: self.stop.clone(),
            ignore_eos: self.ignore_eos,
            logprobs: Some(2),
            ..Request::greedy(prompt)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
    use super::*;
    use goldcrest_sample::Order;

    #[test]
    fn settings_come_back_as_they_were() {
        let sampler = SamplerParams {
            seed: u64::MAX,
            top_p: 0.95,
            min_p: 0.1,
            order: Order::HuggingFace,
            mirostat: 2,
            logit_bias: vec![(3, 0.1), (4, f32::NEG_INFINITY)],
            dry_breakers: vec![vec![1, 2]],
            no_cite_texts: vec![vec![5; 9]],
            no_cite_ngram: 8,
            ..SamplerParams::default()
        };
        let prompt = || Prompt::Tokens(vec![1]);
        let request = Request {
            sampler: sampler.clone(),
            stop: vec!["x".to_owned()],
            max_tokens: Some(7),
            ignore_eos: true,
            ..Request::greedy(prompt())
        };
        let text = serde_json::to_string(&Settings::of(&request, &Way::default(), 64, true)).unwrap();
        let again: Settings = serde_json::from_str(&text).unwrap();
        let found = again.request(prompt()).unwrap();
        assert_eq!(found.sampler, sampler);
        assert_eq!((found.stop, found.max_tokens, found.ignore_eos), (request.stop, Some(7), true));
        assert_eq!((again.n_ctx, again.deterministic), (64, true));
    }
}
