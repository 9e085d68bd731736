//! What the tests of this folder share: a table model, requests, running.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use goldcrest_decode::{
    Ask, Candidate, Lm, Method, Outcome, Remote, RemoteAnswer, Resources, TableLm, decode_among, decode_with,
};
use goldcrest_sample::{Constraint, ConstraintError, SamplerParams, TokenMask};

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
    let resources = Resources {
        references: vec![vec![3]],
        scorer: Some(Box::new(scorer)),
        remote: Some(Box::new(Answers(vec![1, 2, 3]))),
        ..Resources::default()
    };
    Ask { resources, ..sampled(max_tokens, 1) }
}

/// Logits that depend on every token before: a wrong, missing or doubled cell of the cache gives other ones.
pub(crate) fn row_of(context: &[u32]) -> Vec<f32> {
    let mix = |state: u32, token: u32| (state ^ (token + 1)).wrapping_mul(0x9E37_79B1).rotate_left(13);
    let state = context.iter().copied().fold(0x811C_9DC5, mix);
    (0..8).map(|id| (mix(mix(state, id), 77) >> 8) as f32 / (1 << 22) as f32).collect()
}

/// A model of eight tokens with [`row_of`] as logits.
pub(crate) fn far_sighted() -> TableLm {
    TableLm::new(8, row_of)
}

/// Searches whose answer carries the model's own log-probabilities.
pub(crate) const SEARCHES: &[&str] = &[
    "momentum",
    "contrastive_search",
    "contrastive_search:alpha=0.3,k=6",
    "beam",
    "beam:beams=7,early_stopping=never",
    "diverse_beam",
    "diverse_beam:beams=6,groups=3,diversity=2",
    "conditional_beam:no_repeat_ngram=2",
    "best_of_n",
    "self_consistency:answer=last_token",
    "first_finish:n=3",
    "adadec:quantile=0,threshold=1.5",
    "adadec:quantile=0,threshold=1.5,lookahead=0",
    "transfer_q:candidates=3,lookahead=2",
    "transfer_q:candidates=4,lookahead=3,weight=20",
    "a_star:step_tokens=3",
    "a_star:width=5,step_tokens=1,step_cost=0.1,budget=200",
    "pg_td",
    "pg_td:rollouts=40,c=1",
    "icn",
];

/// A greedy continuation of token 0 with a scorer that likes no token better than another.
pub(crate) fn judged(max_tokens: usize) -> Ask {
    let scorer = |_: Candidate<'_>| 0.5;
    let resources = Resources { scorer: Some(Box::new(scorer)), ..Resources::default() };
    Ask { resources, ..ask(max_tokens) }
}

pub(crate) fn outcome(model: &mut TableLm, ask: Ask, spec: &str) -> Outcome {
    pollster::block_on(decode_with(model, ask, &Method::parse(spec).unwrap())).unwrap()
}

/// The outcome with a further model beside `model`, which gets everything back too.
pub(crate) fn outcome_beside(model: &mut TableLm, ask: Ask, spec: &str) -> Outcome {
    let mut other = sleepy();
    let (method, others) = (Method::parse(spec).unwrap(), vec![&mut other]);
    let outcome = pollster::block_on(decode_among(model, others, ask, &method)).unwrap();
    assert_eq!(other.pool().n_free(), other.pool().n_cells(), "{spec}: the further model");
    outcome
}

/// A model of four tokens that is sure of nothing.
pub(crate) fn sleepy() -> TableLm {
    TableLm::new(4, |context| (0..4).map(|id| 0.1 * ((context.len() as u32 + id) % 4) as f32).collect())
}

/// A safetensors file of vectors.
pub(crate) fn head_file(metadata: &[(&str, &str)], vectors: &[(&str, Vec<f32>)]) -> Vec<u8> {
    let matrices: Vec<_> =
        vectors.iter().map(|(name, values)| (*name, vec![values.len()], values.clone())).collect();
    head_file_of(metadata, &matrices)
}

/// A safetensors file of tensors with their shapes.
pub(crate) fn head_file_of(metadata: &[(&str, &str)], tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let pairs = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
    let mut header =
        serde_json::Map::from_iter([("__metadata__".to_owned(), serde_json::Value::Object(pairs.collect()))]);
    let mut data: Vec<u8> = Vec::new();
    for (name, shape, values) in tensors {
        let begin = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let entry =
            serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()] });
        header.insert((*name).to_owned(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}

/// A server that always answers the same.
pub(crate) struct Answers(pub(crate) Vec<u32>);

impl Remote for Answers {
    fn answer(&mut self, _: usize) -> RemoteAnswer<'_> {
        let tokens = self.0.clone();
        Box::pin(async move { Ok(tokens) })
    }
}

/// A form over tokens: odd ones where the position is even, even ones where it is odd, one that is forced, and from four
/// tokens an end, which nothing but may follow six.
#[derive(Clone, Debug)]
pub(crate) struct Alternating {
    pub(crate) n_vocab: u32,
    /// None for a form without an end.
    pub(crate) end: Option<u32>,
    pub(crate) said: Vec<u32>,
}

impl Alternating {
    pub(crate) const fn new(n_vocab: u32, end: Option<u32>) -> Self {
        Self { n_vocab, end, said: Vec::new() }
    }

    fn may_follow(&self, token: u32) -> bool {
        let n = self.said.len();
        match self.end {
            Some(end) if token == end => n == 4 || n == 6,
            Some(_) if n == 6 => false,
            _ if n == 3 => token == 2,
            _ => token < self.n_vocab && token % 2 != n as u32 % 2,
        }
    }
}

impl Constraint for Alternating {
    fn mask(&mut self) -> Result<TokenMask, ConstraintError> {
        let mut mask = TokenMask::none(self.n_vocab);
        (0..self.n_vocab).filter(|token| self.may_follow(*token)).for_each(|token| mask.allow(token));
        Ok(mask)
    }

    fn commit(&mut self, token: u32) -> Result<(), ConstraintError> {
        if Some(token) == self.end || !self.may_follow(token) {
            return Err(ConstraintError::Refused { token, at: self.said.len() });
        }
        self.said.push(token);
        Ok(())
    }

    fn rollback(&mut self, n: usize) -> Result<(), ConstraintError> {
        let committed = self.said.len();
        let left = committed.checked_sub(n).ok_or(ConstraintError::Rollback { n, committed })?;
        self.said.truncate(left);
        Ok(())
    }

    fn forced(&mut self) -> Result<Vec<u32>, ConstraintError> {
        Ok(if self.said.len() == 3 { vec![2] } else { Vec::new() })
    }

    fn is_accepting(&mut self) -> Result<bool, ConstraintError> {
        Ok(self.end.is_some() && self.is_over() || self.said.len() == 4)
    }

    fn is_over(&self) -> bool {
        self.end.is_some() && self.said.len() == 6
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

/// Three tokens behind each pair of them, in percent.
const PAIRS: [[u32; 3]; 9] = [
    [70, 20, 10],
    [15, 45, 40],
    [30, 30, 40],
    [5, 80, 15],
    [25, 25, 50],
    [60, 10, 30],
    [34, 33, 33],
    [10, 30, 60],
    [50, 45, 5],
];

fn share(context: &[u32], id: u32) -> f32 {
    let at = |back: usize| context.len().checked_sub(back).map_or(0, |i| context[i]) as usize;
    PAIRS[3 * at(2) + at(1)][id as usize] as f32 / 100.0
}

/// A model of three tokens in ten layers, of which the first ones mix it with a constant.
pub(crate) fn pairs() -> TableLm {
    let exact = |context: &[u32]| (0..3).map(|id| share(context, id).ln()).collect();
    TableLm::new(3, exact)
        .with_exits(10, |context, _| (0..3).map(|id| (0.5 * share(context, id) + 1.0 / 6.0).ln()).collect())
        .with_slices(&[32, 64, 128], |context, width| {
            // The whole width is the model itself.
            let own = width as f32 / 128.0;
            (0..3).map(|id| (own * share(context, id) + (1.0 - own) / 3.0).ln()).collect()
        })
}

/// Its draft: another mixture.
pub(crate) fn pairs_draft() -> TableLm {
    TableLm::new(3, |context| {
        let p = |id: u32| 0.6 * share(context, id) + 0.4 * [0.1, 0.3, 0.6][id as usize];
        (0..3).map(|id| p(id).ln()).collect()
    })
}

/// Holds `n` answers of four tokens behind token 0, counted in base three, to the distribution of [`pairs`].
pub(crate) fn passes_chi_square(counts: &[u32; 81], n: u32, what: &str) {
    // Sequences that hardly ever come are counted as one.
    let (mut chi, mut cells, mut rare) = (0.0, 0, (0.0, 0.0));
    for (index, count) in counts.iter().enumerate() {
        let tokens = [27, 9, 3, 1].map(|place| (index / place % 3) as u32);
        let context: Vec<u32> = [0].into_iter().chain(tokens).collect();
        let p: f64 = (1..5).map(|at| f64::from(share(&context[..at], context[at]))).product();
        let expected = p * f64::from(n);
        if expected < 5.0 {
            rare = (rare.0 + expected, rare.1 + f64::from(*count));
        } else {
            chi += (f64::from(*count) - expected).powi(2) / expected;
            cells += 1;
        }
    }
    if rare.0 > 0.0 {
        chi += (rare.1 - rare.0).powi(2) / f64::max(rare.0, 1.0);
        cells += 1;
    }
    // Wilson and Hilferty: the cube root of chi-square is nearly normal. 3.09 is passed once in a thousand.
    let df = f64::from(cells - 1);
    let z = ((chi / df).cbrt() - 1.0 + 2.0 / (9.0 * df)) / (2.0 / (9.0 * df)).sqrt();
    assert!(z < 3.09, "{what}: chi-square {chi} at {df}, z {z}");
}
