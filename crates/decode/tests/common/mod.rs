//! What the tests of this folder share: a table model, requests, running.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use goldcrest_decode::{Ask, Candidate, Method, Outcome, Resources, TableLm, decode_with};
use goldcrest_sample::SamplerParams;

/// Next-token probabilities behind each of four tokens.
pub(crate) const BIGRAM: [[f32; 4]; 4] =
    [[0.05, 0.55, 0.30, 0.10], [0.20, 0.05, 0.25, 0.50], [0.45, 0.25, 0.05, 0.25], [0.60, 0.20, 0.15, 0.05]];

/// A model of four tokens that looks at the last one.
pub(crate) fn bigram() -> TableLm {
    TableLm::new(4, |context| {
        let row = context.last().map_or([0.25; 4], |last| BIGRAM[*last as usize]);
        row.iter().map(|p| p.ln()).collect()
    })
}

/// A greedy continuation of token 0.
pub(crate) fn ask(max_tokens: usize) -> Ask {
    Ask { max_tokens, ..Ask::new(vec![0]) }
}

/// A continuation of token 0 drawn from the model's own distribution.
pub(crate) fn sampled(max_tokens: usize, seed: u64) -> Ask {
    Ask { sampler: SamplerParams { seed, ..SamplerParams::neutral() }, ..ask(max_tokens) }
}

/// A sampled continuation with everything a strategy may want.
pub(crate) fn equipped(max_tokens: usize) -> Ask {
    let scorer =
        |candidate: Candidate<'_>| candidate.tokens.iter().filter(|t| **t == 2).count() as f32 / 12.0;
    let resources = Resources { references: vec![vec![3]], scorer: Some(Box::new(scorer)) };
    Ask { resources, ..sampled(max_tokens, 1) }
}

pub(crate) fn outcome(model: &mut TableLm, ask: Ask, spec: &str) -> Outcome {
    pollster::block_on(decode_with(model, ask, &Method::parse(spec).unwrap())).unwrap()
}
