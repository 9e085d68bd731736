//! The flat form of a chain, as requests carry it, with its ranges.

use crate::end::Surprise;
use crate::stage::TopHVariant;

/// Temperatures below this choose greedily: dividing by them would overflow, and the draw is the argmax anyway.
pub(crate) const GREEDY_BELOW: f32 = 1e-6;

/// Where the temperature stands among the truncations. The two orders keep different sets at temperatures other
/// than 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// llama.cpp's: bias, penalties, DRY, n-grams, top-nσ, top-k, typical, top-p, min-p, XTC, **temperature**.
    /// Truncations see the unheated distribution. Top-H, which it does not have, stands behind top-nσ, the cut-offs behind
    /// min-p.
    #[default]
    LlamaCpp,
    /// Hugging Face transformers': bias, penalties, n-grams, **temperature**, top-H, top-k, top-p, min-p, typical, epsilon,
    /// eta. The stages it does not have stand where they disturb least: DRY behind penalties, top-nσ before top-H, XTC last.
    HuggingFace,
}

impl Order {
    /// Every order with its name in settings.
    pub const NAMES: [(&'static str, Self); 2] = [("llama_cpp", Self::LlamaCpp), ("hf", Self::HuggingFace)];

    /// The name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self == Self::LlamaCpp { "llama_cpp" } else { "hf" }
    }
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
/// | `top_h` | 0 to 1 | 0 |
/// | `epsilon_cutoff`, `eta_cutoff` | 0 to 1 | 0 |
/// | `xtc_probability`, `xtc_threshold` | 0 to 1 | 0, above 0.5 |
/// | `repeat_penalty` | 0.01 to 100 | 1 |
/// | `frequency_penalty`, `presence_penalty` | −100 to 100 | 0 |
/// | `penalty_last_n`, `dry_last_n` | −1 (all) and up | 0 |
/// | `dry_multiplier` | 0 to 100 | 0 |
/// | `dry_base` | 0 to 100 | below 1 |
/// | `dry_allowed_length` | 1 and up | – |
/// | `no_repeat_ngram`, `no_cite_ngram` | 0 and up | 0 |
/// | `mirostat` | 0, 1 or 2 | 0 |
/// | `mirostat_tau` | 0 to 100 | – |
/// | `mirostat_eta` | 0 to 10 | – |
/// | `adaptive_target` | −1 to 1 | below 0 |
/// | `adaptive_decay` | 0 to 0.99 | – |
/// | `logit_bias` | at most 1,024 pairs, each −10,000 to 10,000, or −∞ to ban | empty |
///
/// Mirostat and adaptive-p take the place of the draw. With Mirostat no truncation runs, as in llama.cpp; penalties do.
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
    /// Share of the entropy that top-H keeps.
    pub top_h: f32,
    /// Which reading of top-H.
    pub top_h_variant: TopHVariant,
    /// Least probability of a candidate.
    pub epsilon_cutoff: f32,
    /// Least probability of a candidate where the entropy is low.
    pub eta_cutoff: f32,
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
    /// Length of n-grams of `no_cite_texts` that may not be repeated.
    pub no_cite_ngram: i32,
    /// Texts that may not be cited, as tokens.
    pub no_cite_texts: Vec<Vec<u32>>,
    /// Version of Mirostat.
    pub mirostat: i32,
    /// Mirostat's target in bits a token.
    pub mirostat_tau: f32,
    /// Mirostat's learning rate.
    pub mirostat_eta: f32,
    /// Whose surprise Mirostat holds at its target.
    pub mirostat_surprise: Surprise,
    /// Adaptive-p's target probability.
    pub adaptive_target: f32,
    /// Adaptive-p's share of the past.
    pub adaptive_decay: f32,
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
            top_h: 0.0,
            top_h_variant: TopHVariant::HuggingFace,
            epsilon_cutoff: 0.0,
            eta_cutoff: 0.0,
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
            no_cite_ngram: 0,
            no_cite_texts: Vec::new(),
            mirostat: 0,
            mirostat_tau: 5.0,
            mirostat_eta: 0.1,
            mirostat_surprise: Surprise::Original,
            adaptive_target: -1.0,
            adaptive_decay: 0.9,
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
}
