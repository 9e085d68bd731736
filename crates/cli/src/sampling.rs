//! Sampling options beyond the common ones; each has the name and the default of its setting.

use std::path::PathBuf;

use goldcrest::sample::SamplerParams;
use goldcrest::{EngineError, Text};

use crate::error::CliError;
use crate::given;

/// Further ways to choose tokens.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Choosing tokens, further ways")]
pub(crate) struct FurtherArgs {
    /// Where temperature stands: behind the truncations (`llama_cpp`) or before them (hf) [default: `llama_cpp`]
    #[arg(long, value_name = "ORDER")]
    order: Option<String>,
    /// Half the width of a temperature that follows the entropy [default: 0, off]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    dynatemp_range: Option<f64>,
    /// How the temperature follows the entropy [default: 1]
    #[arg(long, value_name = "E", allow_negative_numbers = true)]
    dynatemp_exponent: Option<f64>,
    /// Mass of the most typical tokens kept [default: 1, off]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    typical_p: Option<f64>,
    /// Leave out logits more than this many deviations below the best [default: 0, off]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    top_n_sigma: Option<f64>,
    /// Share of the entropy kept: top-H; 0.4 is usual [default: 0, off]
    #[arg(long, value_name = "H", allow_negative_numbers = true)]
    top_h: Option<f64>,
    /// Which reading of top-H: hf, authors or paper [default: hf]
    #[arg(long, value_name = "NAME")]
    top_h_variant: Option<String>,
    /// Leave out tokens less likely than this [default: 0, off]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    epsilon_cutoff: Option<f64>,
    /// The same, less strictly where many tokens are likely [default: 0, off]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    eta_cutoff: Option<f64>,
    /// How often all but the last of the likely tokens are left out [default: 0, off]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    xtc_probability: Option<f64>,
    /// From which probability on a token is likely for that [default: 0.1]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    xtc_threshold: Option<f64>,
    /// Taken off a logit for each time its token came [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    frequency_penalty: Option<f64>,
    /// Taken off a logit whose token came at all [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    presence_penalty: Option<f64>,
    /// Tokens that the penalties look back on; -1 all [default: 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    penalty_last_n: Option<f64>,
    /// Size of the DRY penalty on repeated passages [default: 0, off]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    dry_multiplier: Option<f64>,
    /// Its growth with each token of the passage [default: 1.75]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    dry_base: Option<f64>,
    /// Shortest passage it counts [default: 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    dry_allowed_length: Option<f64>,
    /// Tokens it looks back on; -1 all [default: 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    dry_last_n: Option<f64>,
    /// Text across which it counts no passage; may be given several times [default: line end, colon, quote, asterisk]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    dry_breaker: Vec<String>,
    /// Never repeat this many tokens in a row [default: 0, off]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    no_repeat_ngram: Option<f64>,
    /// Never repeat this many tokens in a row of the files of --no-cite [default: 8 with --no-cite]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    no_cite_ngram: Option<f64>,
    /// A text that is not to be cited; may be given several times
    #[arg(long, value_name = "FILE")]
    no_cite: Vec<PathBuf>,
    /// Mirostat 1 or 2, in the place of all truncations [default: 0, off]
    #[arg(long, value_name = "VERSION", allow_negative_numbers = true)]
    mirostat: Option<f64>,
    /// Its target in bits a token [default: 5]
    #[arg(long, value_name = "BITS", allow_negative_numbers = true)]
    mirostat_tau: Option<f64>,
    /// Its learning rate [default: 0.1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    mirostat_eta: Option<f64>,
    /// Whose surprise it steers: original or truncated [default: original]
    #[arg(long, value_name = "NAME")]
    mirostat_surprise: Option<String>,
    /// Seek tokens of this probability: adaptive-p [default: -1, off]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    adaptive_target: Option<f64>,
    /// Its share of the past [default: 0.9]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    adaptive_decay: Option<f64>,
}

impl FurtherArgs {
    /// Sets what was given, checked.
    pub(crate) fn apply(&self, params: &mut SamplerParams) -> Result<(), CliError> {
        let words = [
            ("order", &self.order),
            ("top_h_variant", &self.top_h_variant),
            ("mirostat_surprise", &self.mirostat_surprise),
        ];
        for (name, word) in words {
            if let Some(word) = word {
                params.set_word(name, word).map_err(EngineError::from)?;
            }
        }
        if !self.no_cite.is_empty() {
            params.no_cite_ngram = 8;
        }
        for (name, value) in self.numbers() {
            if let Some(value) = value {
                params.set(name, value).map_err(EngineError::from)?;
            }
        }
        Ok(())
    }

    /// Puts the texts that were given into tokens.
    pub(crate) fn apply_texts(&self, params: &mut SamplerParams, text: &Text) -> Result<(), CliError> {
        for path in &self.no_cite {
            params.no_cite_texts.push(text.plain_tokens(&given::text_file(path)?));
        }
        if params.dry_multiplier > 0.0 {
            let given: Vec<&str> = self.dry_breaker.iter().map(String::as_str).collect();
            let breakers = if given.is_empty() { Text::DRY_BREAKERS.as_slice() } else { &given };
            params.dry_breakers = text.breakers(breakers);
        }
        Ok(())
    }

    fn numbers(&self) -> [(&'static str, Option<f64>); 23] {
        [
            ("dynatemp_range", self.dynatemp_range),
            ("dynatemp_exponent", self.dynatemp_exponent),
            ("typical_p", self.typical_p),
            ("top_n_sigma", self.top_n_sigma),
            ("top_h", self.top_h),
            ("epsilon_cutoff", self.epsilon_cutoff),
            ("eta_cutoff", self.eta_cutoff),
            ("xtc_probability", self.xtc_probability),
            ("xtc_threshold", self.xtc_threshold),
            ("frequency_penalty", self.frequency_penalty),
            ("presence_penalty", self.presence_penalty),
            ("penalty_last_n", self.penalty_last_n),
            ("dry_multiplier", self.dry_multiplier),
            ("dry_base", self.dry_base),
            ("dry_allowed_length", self.dry_allowed_length),
            ("dry_last_n", self.dry_last_n),
            ("no_repeat_ngram", self.no_repeat_ngram),
            ("no_cite_ngram", self.no_cite_ngram),
            ("mirostat", self.mirostat),
            ("mirostat_tau", self.mirostat_tau),
            ("mirostat_eta", self.mirostat_eta),
            ("adaptive_target", self.adaptive_target),
            ("adaptive_decay", self.adaptive_decay),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings that the common options set.
    const COMMON: [&str; 5] = ["temperature", "top_k", "top_p", "min_p", "repeat_penalty"];

    #[test]
    fn every_setting_has_an_option() {
        let named: Vec<&str> = FurtherArgs::default().numbers().iter().map(|(name, _)| *name).collect();
        for name in SamplerParams::number_names() {
            assert!(named.contains(&name) != COMMON.contains(&name), "{name}");
        }
    }
}
