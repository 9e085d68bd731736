//! The flat form of a chain, as requests carry it, with its ranges.

use crate::chain::{Chain, Choose};
use crate::error::SampleError;
use crate::stage::{
    Bias, Dry, DynamicTemperature, LogitStage, MinP, NoRepeatNgram, Penalties, Temperature, TopK, TopNSigma,
    TopP, Typical, Xtc,
};

/// Temperatures below this choose greedily: dividing by them would overflow, and the draw is the argmax anyway.
pub(crate) const GREEDY_BELOW: f32 = 1e-6;

/// Most biases of one request.
pub(crate) const MAX_BIASES: usize = 1024;

/// Where the temperature stands among the truncations. The two orders keep different sets at temperatures other
/// than 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// llama.cpp's: bias, penalties, DRY, n-grams, top-nσ, top-k, typical, top-p, min-p, XTC, **temperature**.
    /// Truncations see the unheated distribution.
    #[default]
    LlamaCpp,
    /// Hugging Face transformers': bias, penalties, n-grams, **temperature**, top-k, top-p, min-p, typical. The stages
    /// it does not have stand where they disturb least: DRY behind penalties, top-nσ before top-k, XTC last.
    HuggingFace,
}

/// Sampling settings of one request.
///
/// The default is `temperature 0.8, top_k 40, top_p 0.95, min_p 0.05`, everything else off; with it the whole chain
/// runs on the GPU. Every range is checked by [`SamplerParams::validate`].
///
/// | setting | allowed | off |
/// |---|---|---|
/// | `temperature` | 0 to 100; below 1e-6 is greedy | 1 |
/// | `dynatemp_range` | 0 to 100 | 0 |
/// | `dynatemp_exponent` | 0.01 to 100 | – |
/// | `top_k` | 0 and up | 0 |
/// | `top_p`, `typical_p` | 0 to 1 | 1 |
/// | `min_p` | 0 to 1 | 0 |
/// | `top_n_sigma` | 0 to 100 | 0 |
/// | `xtc_probability`, `xtc_threshold` | 0 to 1 | 0, above 0.5 |
/// | `repeat_penalty` | 0.01 to 100 | 1 |
/// | `frequency_penalty`, `presence_penalty` | −100 to 100 | 0 |
/// | `penalty_last_n`, `dry_last_n` | −1 (all) and up | 0 |
/// | `dry_multiplier` | 0 to 100 | 0 |
/// | `dry_base` | 0 to 100 | below 1 |
/// | `dry_allowed_length` | 1 and up | – |
/// | `no_repeat_ngram` | 0 and up | 0 |
/// | `logit_bias` | at most 1,024 pairs, each −10,000 to 10,000, or −∞ to ban | empty |
#[derive(Debug, Clone, PartialEq)]
pub struct SamplerParams {
    /// Divisor of the logits.
    pub temperature: f32,
    /// Half-width of dynamic temperature.
    pub dynatemp_range: f32,
    /// Exponent of dynamic temperature.
    pub dynatemp_exponent: f32,
    /// Number of candidates kept.
    pub top_k: i32,
    /// Nucleus mass.
    pub top_p: f32,
    /// Least share of the largest probability.
    pub min_p: f32,
    /// Mass of locally typical sampling.
    pub typical_p: f32,
    /// Width of top-nσ.
    pub top_n_sigma: f32,
    /// How often XTC fires.
    pub xtc_probability: f32,
    /// Least probability of a top choice in XTC.
    pub xtc_threshold: f32,
    /// Divisor of positive, factor of other logits of repeated tokens.
    pub repeat_penalty: f32,
    /// Subtracted per occurrence.
    pub frequency_penalty: f32,
    /// Subtracted per distinct token.
    pub presence_penalty: f32,
    /// Tokens the three penalties look back at.
    pub penalty_last_n: i32,
    /// Size of the DRY penalty.
    pub dry_multiplier: f32,
    /// Growth of the DRY penalty.
    pub dry_base: f32,
    /// Shortest repetition DRY penalises.
    pub dry_allowed_length: i32,
    /// Tokens DRY looks back at.
    pub dry_last_n: i32,
    /// Token sequences across which DRY does not count.
    pub dry_breakers: Vec<Vec<u32>>,
    /// Length of n-grams that may not repeat.
    pub no_repeat_ngram: i32,
    /// (token, addend) pairs.
    pub logit_bias: Vec<(u32, f32)>,
    /// Seed of the counter-based generator.
    pub seed: u64,
    /// Order of the stages.
    pub order: Order,
}

impl Default for SamplerParams {
    fn default() -> Self {
        Self { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05, ..Self::neutral() }
    }
}

impl SamplerParams {
    /// Everything off: one draw from the model's own distribution.
    #[must_use]
    pub fn neutral() -> Self {
        Self {
            temperature: 1.0,
            dynatemp_range: 0.0,
            dynatemp_exponent: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            typical_p: 1.0,
            top_n_sigma: 0.0,
            xtc_probability: 0.0,
            xtc_threshold: 0.1,
            repeat_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            penalty_last_n: 64,
            dry_multiplier: 0.0,
            dry_base: 1.75,
            dry_allowed_length: 2,
            dry_last_n: 64,
            dry_breakers: Vec::new(),
            no_repeat_ngram: 0,
            logit_bias: Vec::new(),
            seed: 0,
            order: Order::LlamaCpp,
        }
    }

    /// The argmax at every position.
    #[must_use]
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::neutral() }
    }

    /// True when the token is the argmax of what the stages leave.
    #[must_use]
    pub fn is_greedy(&self) -> bool {
        self.temperature < GREEDY_BELOW
    }

    /// Checks every setting against the table above.
    ///
    /// # Errors
    /// [`SampleError::InvalidParameter`] for the first setting that is out of range, NaN included.
    pub fn validate(&self) -> Result<(), SampleError> {
        check("temperature", self.temperature)?;
        check("dynatemp_range", self.dynatemp_range)?;
        check("dynatemp_exponent", self.dynatemp_exponent)?;
        check_int::<u32>("top_k", self.top_k, 0)?;
        check("top_p", self.top_p)?;
        check("min_p", self.min_p)?;
        check("typical_p", self.typical_p)?;
        check("top_n_sigma", self.top_n_sigma)?;
        check("xtc_probability", self.xtc_probability)?;
        check("xtc_threshold", self.xtc_threshold)?;
        check("repeat_penalty", self.repeat_penalty)?;
        check("frequency_penalty", self.frequency_penalty)?;
        check("presence_penalty", self.presence_penalty)?;
        check_int::<i32>("penalty_last_n", self.penalty_last_n, -1)?;
        check("dry_multiplier", self.dry_multiplier)?;
        check("dry_base", self.dry_base)?;
        check_int::<u32>("dry_allowed_length", self.dry_allowed_length, 1)?;
        check_int::<i32>("dry_last_n", self.dry_last_n, -1)?;
        check_int::<u32>("no_repeat_ngram", self.no_repeat_ngram, 0)?;
        if self.logit_bias.len() > MAX_BIASES {
            return Err(invalid("logit_bias", self.logit_bias.len(), "at most 1024 pairs"));
        }
        self.logit_bias.iter().try_for_each(|(_, bias)| check_bias(*bias).map(drop))
    }

    /// Checks that the tokens the settings name exist.
    ///
    /// # Errors
    /// [`SampleError::UnknownToken`].
    pub fn validate_tokens(&self, n_vocab: u32) -> Result<(), SampleError> {
        let biased = self.logit_bias.iter().map(|(id, _)| ("logit_bias", *id));
        let breakers = self.dry_breakers.iter().flatten().map(|id| ("dry_breakers", *id));
        match biased.chain(breakers).find(|(_, id)| *id >= n_vocab) {
            Some((name, id)) => Err(SampleError::UnknownToken { name, id, n_vocab }),
            None => Ok(()),
        }
    }

    /// The chain of the stages that are switched on, in [`SamplerParams::order`].
    ///
    /// # Errors
    /// As [`SamplerParams::validate`].
    pub fn to_chain(&self) -> Result<Chain, SampleError> {
        self.validate()?;
        let heat = self.heat();
        let mut stages = self.corrections();
        let top_k = on(self.top_k > 0, TopK { k: self.top_k.unsigned_abs() });
        let sigma = on(self.top_n_sigma > 0.0, TopNSigma { n: self.top_n_sigma });
        let typical = on(self.typical_p < 1.0, Typical { p: self.typical_p });
        let top_p = on(self.top_p < 1.0, TopP { p: self.top_p });
        let min_p = on(self.min_p > 0.0, MinP { p: self.min_p });
        let xtc = on(
            self.xtc_probability > 0.0 && self.xtc_threshold <= 0.5,
            Xtc { probability: self.xtc_probability, threshold: self.xtc_threshold },
        );
        let rest = match self.order {
            Order::LlamaCpp => [sigma, top_k, typical, top_p, min_p, xtc, heat],
            Order::HuggingFace => [heat, sigma, top_k, top_p, min_p, typical, xtc],
        };
        stages.extend(rest.into_iter().flatten());
        let choose = if self.is_greedy() { Choose::Greedy } else { Choose::Draw };
        Ok(Chain::new(stages, choose, self.seed))
    }

    /// Stages that correct logits, before any truncation; the same in both orders.
    fn corrections(&self) -> Vec<Box<dyn LogitStage>> {
        let penalties = Penalties {
            last_n: self.penalty_last_n,
            repeat: self.repeat_penalty,
            frequency: self.frequency_penalty,
            presence: self.presence_penalty,
        };
        let dry = Dry {
            multiplier: self.dry_multiplier,
            base: self.dry_base,
            allowed_length: self.dry_allowed_length.unsigned_abs(),
            last_n: self.dry_last_n,
            breakers: self.dry_breakers.clone(),
        };
        [
            on(!self.logit_bias.is_empty(), Bias::new(&self.logit_bias)),
            on(self.has_penalties(), penalties),
            on(self.has_dry(), dry),
            on(self.no_repeat_ngram > 0, NoRepeatNgram { n: self.no_repeat_ngram.unsigned_abs() }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn heat(&self) -> Option<Box<dyn LogitStage>> {
        if self.is_greedy() {
            return None;
        }
        let (t, range, exponent) = (self.temperature, self.dynatemp_range, self.dynatemp_exponent);
        if range > 0.0 {
            return on(true, DynamicTemperature { t, range, exponent });
        }
        on(t != 1.0, Temperature { t })
    }

    pub(crate) fn has_penalties(&self) -> bool {
        let neutral =
            self.repeat_penalty == 1.0 && self.frequency_penalty == 0.0 && self.presence_penalty == 0.0;
        !neutral && self.penalty_last_n != 0
    }

    pub(crate) fn has_dry(&self) -> bool {
        self.dry_multiplier > 0.0 && self.dry_base >= 1.0 && self.dry_last_n != 0
    }
}

/// Least and largest value of the settings that are real numbers, with the words for the error.
const RANGES: [(&str, f32, f32, &str); 13] = [
    ("temperature", 0.0, 100.0, "0 to 100"),
    ("dynatemp_range", 0.0, 100.0, "0 to 100"),
    ("dynatemp_exponent", 0.01, 100.0, "0.01 to 100"),
    ("top_p", 0.0, 1.0, "0 to 1"),
    ("min_p", 0.0, 1.0, "0 to 1"),
    ("typical_p", 0.0, 1.0, "0 to 1"),
    ("top_n_sigma", 0.0, 100.0, "0 to 100"),
    ("xtc_probability", 0.0, 1.0, "0 to 1"),
    ("xtc_threshold", 0.0, 1.0, "0 to 1"),
    ("repeat_penalty", 0.01, 100.0, "0.01 to 100"),
    ("frequency_penalty", -100.0, 100.0, "-100 to 100"),
    ("presence_penalty", -100.0, 100.0, "-100 to 100"),
    ("dry_multiplier", 0.0, 100.0, "0 to 100"),
];

/// `value`, if the setting `name` allows it.
pub(crate) fn check(name: &'static str, value: f32) -> Result<f32, SampleError> {
    let (low, high, allowed) = RANGES
        .iter()
        .find(|range| range.0 == name)
        .map_or((0.0, 100.0, "0 to 100"), |(_, low, high, allowed)| (*low, *high, *allowed));
    if (low..=high).contains(&value) { Ok(value) } else { Err(invalid(name, value, allowed)) }
}

/// `value` in the type the stage wants, if it is at least `least`.
pub(crate) fn check_int<T: TryFrom<i32>>(
    name: &'static str,
    value: i32,
    least: i32,
) -> Result<T, SampleError> {
    let allowed = match least {
        -1 => "-1 and up",
        0 => "0 and up",
        _ => "1 and up",
    };
    if value < least {
        return Err(invalid(name, value, allowed));
    }
    T::try_from(value).map_err(|_| invalid(name, value, allowed))
}

pub(crate) fn check_bias(bias: f32) -> Result<f32, SampleError> {
    if bias == f32::NEG_INFINITY || (-10_000.0..=10_000.0).contains(&bias) {
        return Ok(bias);
    }
    Err(invalid("logit_bias", bias, "-10000 to 10000, or -inf"))
}

fn invalid(name: &'static str, value: impl ToString, allowed: &'static str) -> SampleError {
    SampleError::InvalidParameter { name, value: value.to_string(), allowed }
}

fn on(active: bool, stage: impl LogitStage + 'static) -> Option<Box<dyn LogitStage>> {
    active.then(|| Box::new(stage) as Box<dyn LogitStage>)
}
