//! The part of a chain that the GPU sampling kernel runs.

use crate::params::{Order, SamplerParams};
use crate::stage::MinP;

/// Numbers for the GPU sampling kernel, which runs: bias → penalties → top-k → top-p → min-p → temperature →
/// argmax or draw, each as documented at its stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GpuChain {
    /// Repetition penalty; 1 is off.
    pub repeat: f32,
    /// Frequency penalty; 0 is off.
    pub freq: f32,
    /// Presence penalty; 0 is off.
    pub present: f32,
    /// Window of the penalties; 0 is off, −1 means all accepted tokens.
    pub last_n: i32,
    /// Number of (token, addend) pairs of [`SamplerParams::logit_bias`] to upload.
    pub n_bias: u32,
    /// Factor of the logits, 1 / temperature; 1 when greedy.
    pub inv_temperature: f32,
    /// Candidates kept; 0 is off.
    pub top_k: u32,
    /// Nucleus mass; 1 is off.
    pub top_p: f32,
    /// Least share of the largest probability; 0 is off.
    pub min_p: f32,
    /// Addend to the largest logit that min-p compares with: `ln min_p`; 0 when off.
    pub min_p_log: f32,
    /// Argmax instead of a draw.
    pub greedy: bool,
    /// True when the settings ask for nothing besides the kernel's stages, in the kernel's order.
    pub complete: bool,
}

impl GpuChain {
    /// True when a kernel that sorts `k_max` candidates gives the token that the CPU chain gives: every stage is the
    /// kernel's, and either the choice is greedy or `top_k` lies in `1..=k_max`.
    #[must_use]
    pub fn exact_with(&self, k_max: usize) -> bool {
        self.complete && (self.greedy || (1..=k_max).contains(&(self.top_k as usize)))
    }

    /// Whether a token's logit depends on the tokens before it.
    #[must_use]
    pub fn looks_back(&self) -> bool {
        self.last_n != 0 && (self.repeat != 1.0 || self.freq != 0.0 || self.present != 0.0)
    }
}

impl SamplerParams {
    /// The GPU kernel's share of these settings. Check them first with [`SamplerParams::validate`].
    #[must_use]
    pub fn gpu_plan(&self) -> GpuChain {
        let greedy = self.is_greedy();
        let heated = !greedy && self.temperature != 1.0;
        let cut_by_mass = self.top_p < 1.0 || self.min_p > 0.0;
        let cpu_stage = self.has_dry()
            || self.no_repeat_ngram > 0
            || self.has_no_cite()
            || self.top_h > 0.0
            || self.epsilon_cutoff > 0.0
            || self.eta_cutoff > 0.0
            || (!greedy && (self.mirostat > 0 || self.adaptive_target >= 0.0))
            || self.top_n_sigma > 0.0
            || self.typical_p < 1.0
            || (self.xtc_probability > 0.0 && self.xtc_threshold <= 0.5)
            || (!greedy && self.dynatemp_range > 0.0);
        // Heating keeps the order of the logits, so it may trade places with top-k, but not with cuts by mass.
        let order_fits = self.order == Order::LlamaCpp || !heated || !cut_by_mass;
        GpuChain {
            repeat: self.repeat_penalty,
            freq: self.frequency_penalty,
            present: self.presence_penalty,
            last_n: if self.has_penalties() { self.penalty_last_n } else { 0 },
            n_bias: u32::try_from(self.logit_bias.len()).unwrap_or(u32::MAX),
            inv_temperature: if heated { 1.0 / self.temperature } else { 1.0 },
            top_k: u32::try_from(self.top_k).unwrap_or(0),
            top_p: self.top_p,
            min_p: self.min_p,
            min_p_log: if self.min_p > 0.0 { MinP::log_threshold(self.min_p) } else { 0.0 },
            greedy,
            complete: !cpu_stage && order_fits,
        }
    }
}
