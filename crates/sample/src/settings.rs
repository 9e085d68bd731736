//! The settings by name: one table for ranges, and for every place where users write them.

use crate::end::Surprise;
use crate::error::SampleError;
use crate::params::{Order, SamplerParams};
use crate::stage::TopHVariant;

/// Most biases of one request.
const MAX_BIASES: usize = 1024;

/// A setting that is a number.
struct Number {
    name: &'static str,
    low: f64,
    high: f64,
    allowed: &'static str,
    kind: Kind,
}

enum Kind {
    Real(fn(&mut SamplerParams) -> &mut f32),
    Whole(fn(&mut SamplerParams) -> &mut i32),
}

/// Highest value of whole numbers: what a stage counts in.
const ANY: f64 = i32::MAX as f64;

const fn real(
    name: &'static str,
    low: f64,
    high: f64,
    allowed: &'static str,
    at: fn(&mut SamplerParams) -> &mut f32,
) -> Number {
    Number { name, low, high, allowed, kind: Kind::Real(at) }
}

const fn whole(
    name: &'static str,
    low: f64,
    high: f64,
    allowed: &'static str,
    at: fn(&mut SamplerParams) -> &mut i32,
) -> Number {
    Number { name, low, high, allowed, kind: Kind::Whole(at) }
}

const NUMBERS: [Number; 28] = [
    real("temperature", 0.0, 100.0, "0 to 100", |p| &mut p.temperature),
    real("dynatemp_range", 0.0, 100.0, "0 to 100", |p| &mut p.dynatemp_range),
    real("dynatemp_exponent", 0.01, 100.0, "0.01 to 100", |p| &mut p.dynatemp_exponent),
    whole("top_k", 0.0, ANY, "0 and up", |p| &mut p.top_k),
    real("top_p", 0.0, 1.0, "0 to 1", |p| &mut p.top_p),
    real("min_p", 0.0, 1.0, "0 to 1", |p| &mut p.min_p),
    real("typical_p", 0.0, 1.0, "0 to 1", |p| &mut p.typical_p),
    real("top_n_sigma", 0.0, 100.0, "0 to 100", |p| &mut p.top_n_sigma),
    real("top_h", 0.0, 1.0, "0 to 1", |p| &mut p.top_h),
    real("epsilon_cutoff", 0.0, 1.0, "0 to 1", |p| &mut p.epsilon_cutoff),
    real("eta_cutoff", 0.0, 1.0, "0 to 1", |p| &mut p.eta_cutoff),
    real("xtc_probability", 0.0, 1.0, "0 to 1", |p| &mut p.xtc_probability),
    real("xtc_threshold", 0.0, 1.0, "0 to 1", |p| &mut p.xtc_threshold),
    real("repeat_penalty", 0.01, 100.0, "0.01 to 100", |p| &mut p.repeat_penalty),
    real("frequency_penalty", -100.0, 100.0, "-100 to 100", |p| &mut p.frequency_penalty),
    real("presence_penalty", -100.0, 100.0, "-100 to 100", |p| &mut p.presence_penalty),
    whole("penalty_last_n", -1.0, ANY, "-1 and up", |p| &mut p.penalty_last_n),
    real("dry_multiplier", 0.0, 100.0, "0 to 100", |p| &mut p.dry_multiplier),
    real("dry_base", 0.0, 100.0, "0 to 100", |p| &mut p.dry_base),
    whole("dry_allowed_length", 1.0, ANY, "1 and up", |p| &mut p.dry_allowed_length),
    whole("dry_last_n", -1.0, ANY, "-1 and up", |p| &mut p.dry_last_n),
    whole("no_repeat_ngram", 0.0, ANY, "0 and up", |p| &mut p.no_repeat_ngram),
    whole("no_cite_ngram", 0.0, ANY, "0 and up", |p| &mut p.no_cite_ngram),
    whole("mirostat", 0.0, 2.0, "0, 1 or 2", |p| &mut p.mirostat),
    real("mirostat_tau", 0.0, 100.0, "0 to 100", |p| &mut p.mirostat_tau),
    real("mirostat_eta", 0.0, 10.0, "0 to 10", |p| &mut p.mirostat_eta),
    real("adaptive_target", -1.0, 1.0, "-1 to 1", |p| &mut p.adaptive_target),
    real("adaptive_decay", 0.0, 0.99, "0 to 0.99", |p| &mut p.adaptive_decay),
];

impl SamplerParams {
    /// Names of the settings that are numbers.
    pub fn number_names() -> impl Iterator<Item = &'static str> {
        NUMBERS.iter().map(|number| number.name)
    }

    /// Names of the settings that are words, each with the words allowed.
    pub const WORDS: [(&'static str, &'static str); 3] = [
        ("order", "llama_cpp or hf"),
        ("top_h_variant", "hf, authors or paper"),
        ("mirostat_surprise", "original or truncated"),
    ];

    /// Sets a setting that is a number, by its name.
    ///
    /// # Errors
    /// [`SampleError::InvalidParameter`] for a value outside its range or not whole where it has to be, and
    /// [`SampleError::UnknownSetting`].
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), SampleError> {
        let number = number(name)?;
        number.check(value)?;
        match number.kind {
            Kind::Real(at) => *at(self) = value as f32,
            Kind::Whole(at) => *at(self) = value as i32,
        }
        Ok(())
    }

    /// Sets a setting that is a word, by its name.
    ///
    /// # Errors
    /// As [`SamplerParams::set`].
    pub fn set_word(&mut self, name: &str, word: &str) -> Result<(), SampleError> {
        fn named<T: Copy>(names: &[(&str, T)], word: &str) -> Option<T> {
            names.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
        }
        let (name, allowed) = Self::WORDS
            .into_iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| SampleError::UnknownSetting { name: name.to_owned() })?;
        let set = match name {
            "order" => named(&Order::NAMES, word).map(|order| self.order = order),
            "top_h_variant" => named(&TopHVariant::NAMES, word).map(|variant| self.top_h_variant = variant),
            _ => named(&Surprise::NAMES, word).map(|surprise| self.mirostat_surprise = surprise),
        };
        set.ok_or_else(|| invalid(name, word, allowed))
    }

    /// The settings that are numbers, by name.
    #[must_use]
    pub fn numbers(&self) -> Vec<(&'static str, f64)> {
        // The table's way to a field is one that may change it.
        let mut own = self.clone();
        NUMBERS.iter().map(|number| (number.name, number.value(&mut own))).collect()
    }

    /// Checks every setting against its range.
    ///
    /// # Errors
    /// [`SampleError::InvalidParameter`] for the first setting that is out of range, NaN included.
    pub fn validate(&self) -> Result<(), SampleError> {
        let mut own = self.clone();
        NUMBERS.iter().try_for_each(|number| number.check(number.value(&mut own)))?;
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
        let cited = self.no_cite_texts.iter().flatten().map(|id| ("no_cite_texts", *id));
        match biased.chain(breakers).chain(cited).find(|(_, id)| *id >= n_vocab) {
            Some((name, id)) => Err(SampleError::UnknownToken { name, id, n_vocab }),
            None => Ok(()),
        }
    }
}

impl Number {
    fn value(&self, params: &mut SamplerParams) -> f64 {
        match self.kind {
            Kind::Real(at) => f64::from(*at(params)),
            Kind::Whole(at) => f64::from(*at(params)),
        }
    }

    fn check(&self, value: f64) -> Result<(), SampleError> {
        let (value, whole) = match self.kind {
            // The nearest f32 of a bound may lie beyond it.
            Kind::Real(_) => (f64::from(value as f32), true),
            Kind::Whole(_) => (value, value.fract() == 0.0),
        };
        let bound = |bound: f64| match self.kind {
            Kind::Real(_) => f64::from(bound as f32),
            Kind::Whole(_) => bound,
        };
        if whole && (bound(self.low)..=bound(self.high)).contains(&value) {
            return Ok(());
        }
        Err(invalid(self.name, value as f32, self.allowed))
    }
}

fn number(name: &str) -> Result<&'static Number, SampleError> {
    let unknown = || SampleError::UnknownSetting { name: name.to_owned() };
    NUMBERS.iter().find(|number| number.name == name).ok_or_else(unknown)
}

/// `value`, if the setting `name` allows it.
pub(crate) fn check(name: &str, value: f32) -> Result<f32, SampleError> {
    number(name)?.check(f64::from(value)).map(|()| value)
}

/// `value` in the type the stage wants, if the setting `name` allows it.
pub(crate) fn check_int<T: TryFrom<i32>>(name: &str, value: i32) -> Result<T, SampleError> {
    let number = number(name)?;
    number.check(f64::from(value))?;
    T::try_from(value).map_err(|_| invalid(number.name, value, number.allowed))
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
